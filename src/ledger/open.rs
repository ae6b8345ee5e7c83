//! The tasks that matter now: unfinished, or failed and unresolved.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NameId;
use crate::task::{Call, Status, Task};

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
    /// The failed episode that it is in, kept while its status is unknown.
    pub(super) failure: Option<Failure>,
    fingerprint: u64,
    /// Whether it was read by its id last.
    #[serde(default)]
    by_id: bool,
    /// What the other kind of call showed last, while nothing moved: the two may
    /// tell the same task differently.
    #[serde(default)]
    other: Option<u64>,
}

/// A failed episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// When it happened.
    pub(super) at: Timestamp,
    /// The places of failure that are known of it.
    pub(super) places: BTreeSet<u64>,
    /// Whether it is history, of which nothing is counted.
    pub(super) history: bool,
}

impl OpenTask {
    pub(super) fn new(task: Task, call: Call, operation: NameId, now: Timestamp) -> Self {
        Self {
            fingerprint: task.fingerprint(),
            last_change: task.newest_time().map_or(now, |time| time.min(now)),
            task,
            operation,
            first_seen: now,
            failure: None,
            by_id: call == Call::ById,
            other: None,
        }
    }

    /// Takes over what is known from when the task was met `before`; a
    /// difference is a move.
    pub(super) fn follow(&mut self, before: &Self, now: Timestamp) {
        self.first_seen = before.first_seen;
        if matches!(self.task.status, Status::Failed | Status::Unknown) {
            self.failure.clone_from(&before.failure);
        }
        if self.by_id {
            self.task.started = self.task.started.or(before.task.started);
        }
        self.last_change = if self.has_moved(before) {
            now
        } else {
            self.other = if self.by_id == before.by_id {
                before.other
            } else {
                Some(before.fingerprint)
            };
            before.last_change
        };
    }

    fn has_moved(&self, before: &Self) -> bool {
        let last = if self.by_id == before.by_id {
            Some(before.fingerprint)
        } else {
            before.other
        };
        let status = (before.task.status, &before.task.word);
        last.map_or(status != (self.task.status, &self.task.word), |last| {
            last != self.fingerprint
        })
    }

    /// When the failure happened; `None` of one that is unfinished.
    pub fn failed_at(&self) -> Option<Timestamp> {
        let failure = self.failure.as_ref();
        let failure = failure.filter(|_| self.task.status == Status::Failed);
        failure.map(|failure| failure.at)
    }

    /// When the task began. An unfinished one without a time counts from when it
    /// was first seen, as not every system says since when it waits or works.
    pub fn start(&self) -> Option<Timestamp> {
        let timeless = self.task.status.is_unfinished() && !self.task.invalid_timestamps;
        let first_seen = Some(self.first_seen).filter(|_| timeless);
        self.task.started.or(first_seen)
    }

    /// When the task began, else when it was first seen.
    pub fn since(&self) -> Timestamp {
        self.task.started.unwrap_or(self.first_seen)
    }
}
