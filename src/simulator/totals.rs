//! What really happened, to compare an exporter's counters with.

use std::collections::BTreeMap;

use super::status::TaskStatus;
use super::task::SimTask;

/// Counts of what happened since the SDDC Manager was made.
///
/// An operation without a `type` stands under the empty string. Tasks put in
/// place by `history`, `replace_all`, `add_raw` or `restore_from` do not count,
/// as nothing happened to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tasks that came to be, by operation.
    pub births: BTreeMap<String, u64>,
    /// Times a task ended, by operation and status; a retried task ends again.
    pub outcomes: BTreeMap<(String, TaskStatus), u64>,
    /// Times a task failed, by what failed.
    pub failures: BTreeMap<Failure, u64>,
    /// Times a failed task was retried, by operation.
    pub retries: BTreeMap<String, u64>,
    /// Tasks removed at the source, by operation.
    pub removals: BTreeMap<String, u64>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The task's `type`, or nothing.
    pub operation: String,
    /// The code of the task's first error, or nothing.
    pub error_code: String,
    /// The name of the innermost failed step, or nothing.
    pub sub_task: String,
}

impl Totals {
    /// What happened after `earlier` was taken.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            births: minus(&self.births, &earlier.births),
            outcomes: minus(&self.outcomes, &earlier.outcomes),
            failures: minus(&self.failures, &earlier.failures),
            retries: minus(&self.retries, &earlier.retries),
            removals: minus(&self.removals, &earlier.removals),
        }
    }

    /// Times a task ended with a status, over all operations.
    pub fn ended(&self, status: TaskStatus) -> u64 {
        let matching = self.outcomes.iter().filter(|((_, s), _)| *s == status);
        matching.map(|(_, count)| count).sum()
    }

    pub(super) fn born(&mut self, task: &SimTask) {
        add(&mut self.births, operation(task));
        self.moved(TaskStatus::Pending, task);
    }

    /// Counts the end of a task that was in another status before.
    pub(super) fn moved(&mut self, before: TaskStatus, task: &SimTask) {
        if task.status == before || !task.status.is_ended() {
            return;
        }
        add(&mut self.outcomes, (operation(task), task.status));
        if task.status == TaskStatus::Failed {
            let error = task.errors.first();
            let failure = Failure {
                operation: operation(task),
                error_code: error.map_or_else(String::new, |error| error.error_code.clone()),
                sub_task: task.failed_step().unwrap_or_default().to_owned(),
            };
            add(&mut self.failures, failure);
        }
    }

    pub(super) fn retried(&mut self, task: &SimTask) {
        add(&mut self.retries, operation(task));
    }

    pub(super) fn removed(&mut self, operation: Option<&str>) {
        add(&mut self.removals, operation.unwrap_or_default().to_owned());
    }
}

fn operation(task: &SimTask) -> String {
    task.operation.clone().unwrap_or_default()
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

/// The counts that grew, by how much they grew.
fn minus<K: Ord + Clone>(now: &BTreeMap<K, u64>, then: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let grown = |(key, count): (&K, &u64)| {
        let more = count.saturating_sub(then.get(key).copied().unwrap_or_default());
        (more > 0).then(|| (key.clone(), more))
    };
    now.iter().filter_map(grown).collect()
}
