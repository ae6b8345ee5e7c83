//! What really happened, to compare an exporter's counters with.

use std::collections::BTreeMap;

use super::status::VcStatus;
use super::task::VcTask;

/// Counts of what happened since the vCenter was made, without its history.
///
/// An operation is its service, a dot and its name without `$task`. The tasks
/// inside others do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VcTotals {
    /// Tasks that came to be, by operation.
    pub started: BTreeMap<String, u64>,
    /// Tasks that ended, by operation and status; canceled ones have failed.
    pub ended: BTreeMap<(String, VcStatus), u64>,
    /// Tasks that failed, by operation and error type, `CANCELED` included;
    /// the type of a missing error is empty.
    pub failures: BTreeMap<(String, String), u64>,
}

impl VcTotals {
    /// How many tasks ended in a status, over all operations.
    pub fn ended(&self, status: VcStatus) -> u64 {
        let matching = self.ended.iter().filter(|((_, s), _)| *s == status);
        matching.map(|(_, count)| count).sum()
    }

    /// Counts a task that came to be, perhaps ended.
    pub(super) fn born(&mut self, task: &VcTask) {
        *self.started.entry(operation(task)).or_default() += 1;
        self.moved(VcStatus::Pending, task);
    }

    /// Counts the end of a task that was in another status before.
    pub(super) fn moved(&mut self, before: VcStatus, task: &VcTask) {
        if before.is_ended() || !task.status.is_ended() {
            return;
        }
        let key = (operation(task), task.status);
        *self.ended.entry(key).or_default() += 1;
        if task.status == VcStatus::Failed {
            let error = task.error.as_ref();
            let kind = error.map_or_else(String::new, |error| error.kind.clone());
            *self.failures.entry((operation(task), kind)).or_default() += 1;
        }
    }
}

fn operation(task: &VcTask) -> String {
    let name = task.operation.trim_end_matches("$task");
    format!("{}.{name}", task.service)
}
