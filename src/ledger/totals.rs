//! The event metrics' values: what was counted, exactly once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::NameId;
use super::change::{Change, Event};
use crate::histogram::Histogram;
use crate::task::Status;

/// The upper bounds of the duration buckets, in seconds.
pub const DURATION_BUCKETS: [f64; 13] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0,
    172_800.0,
];

/// The values of the counters and histograms of events, by operation.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Tasks that appeared.
    pub started: BTreeMap<NameId, u64>,
    /// Episodes by outcome.
    pub finished: BTreeMap<(NameId, Status), u64>,
    /// Failed episodes by error code.
    pub failures: BTreeMap<(NameId, NameId), u64>,
    /// Places of failure by sub-task.
    pub subtask_failures: BTreeMap<(NameId, NameId), u64>,
    /// Unfinished tasks that went without an outcome.
    pub vanished: BTreeMap<NameId, u64>,
    /// How long tasks took, by outcome.
    pub durations: BTreeMap<(NameId, Status), Histogram>,
}

impl Totals {
    /// Counts one change: the only place where events become counts.
    pub(super) fn record(&mut self, change: &Change) {
        let operation = change.operation;
        match &change.event {
            Event::Started => *self.started.entry(operation).or_default() += 1,
            Event::Finished {
                status, duration, ..
            } => {
                *self.finished.entry((operation, *status)).or_default() += 1;
                if let Some(duration) = duration {
                    self.observe(operation, *status, *duration);
                }
            }
            Event::Failed { error_code, .. } => {
                *self.failures.entry((operation, *error_code)).or_default() += 1;
            }
            Event::SubtaskFailed { subtask } => {
                let child = (operation, *subtask);
                *self.subtask_failures.entry(child).or_default() += 1;
            }
            Event::Vanished => *self.vanished.entry(operation).or_default() += 1,
        }
    }

    fn observe(&mut self, operation: NameId, status: Status, duration: Duration) {
        self.durations
            .entry((operation, status))
            .or_insert_with(|| Histogram::new(&DURATION_BUCKETS))
            .observe(duration.as_secs_f64());
    }
}
