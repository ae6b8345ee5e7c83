//! The tasks that matter now: unfinished, or failed and unresolved.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NameId;
use crate::task::{Status, Task};

/// An open task, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenTask {
    /// The task as it was met last.
    pub task: Task,
    /// What the task does, as a label value.
    pub operation: NameId,
    /// When the exporter met it first as an open one.
    pub first_seen: Timestamp,
    /// When anything of it last moved.
    pub last_change: Timestamp,
    /// When the failure happened; `None` while it is unfinished.
    pub failed_at: Option<Timestamp>,
    /// The places of failure that are known of this episode.
    pub(super) places: BTreeSet<u64>,
    /// Whether the failed episode is history, of which nothing is counted.
    pub(super) history: bool,
    fingerprint: u64,
}

impl OpenTask {
    pub(super) fn new(task: Task, operation: NameId, now: Timestamp) -> Self {
        Self {
            fingerprint: task.fingerprint(),
            last_change: task.newest_time().map_or(now, |time| time.min(now)),
            task,
            operation,
            first_seen: now,
            failed_at: None,
            places: BTreeSet::new(),
            history: false,
        }
    }

    /// Takes over what is known from when the task was met `before`; a
    /// difference is a move.
    pub(super) fn follow(&mut self, before: &Self, now: Timestamp) {
        self.first_seen = before.first_seen;
        self.last_change = if before.fingerprint == self.fingerprint {
            before.last_change
        } else {
            now
        };
    }

    /// When the task began. One that waits to begin counts from when it was
    /// first seen, as not every system says since when it waits.
    pub fn start(&self) -> Option<Timestamp> {
        let waits = self.task.status == Status::Pending && !self.task.invalid_timestamps;
        let waiting = Some(self.first_seen).filter(|_| waits);
        self.task.started.or(waiting)
    }

    /// When the task began, else when it was first seen.
    pub fn since(&self) -> Timestamp {
        self.task.started.unwrap_or(self.first_seen)
    }
}
