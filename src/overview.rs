//! What people are shown of a source: a snapshot, made after each poll.
//!
//! The status page and its JSON are both made from it. It is bounded: so many
//! tasks of each kind, and so much text of each task.

mod budget;
mod place;
mod task;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

pub use place::Place;
pub use task::{Steps, TaskView};

use crate::ledger::{Ledger, OpenRanking};
use crate::sources::Health;
use crate::task::{Counts, Status, Task};

/// The command that retries a task of the source at a url, if there is one.
pub type RetryCall = fn(url: &str, task: &Task) -> Option<String>;

/// What an overview is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The source's url.
    pub url: &'a str,
    /// How its polls go.
    pub health: &'a Health,
    /// How far its clock is ahead of ours.
    pub clock_skew: Option<SignedDuration>,
    /// After how long without a successful poll its state is withdrawn.
    pub stale_after: Duration,
    /// How its tasks are retried.
    pub retry_call: Option<RetryCall>,
    /// Its tasks.
    pub ledger: &'a Ledger,
    /// Which of them are shown.
    pub open: &'a OpenRanking<'a>,
}

/// How many open tasks there are of an operation in a status.
pub type OpenCounts = BTreeMap<(String, Status), u64>;

/// What is known of a source for people.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its url.
    pub url: String,
    /// How its polls go.
    pub health: Health,
    /// How far its clock is ahead of ours.
    pub clock_skew: Option<SignedDuration>,
    /// After how long without a successful poll its state is withdrawn.
    pub stale_after: Duration,
    /// The tasks that it lists, by status.
    pub tasks: Counts,
    /// All its open tasks, shown or not.
    pub open: OpenCounts,
    /// Its unfinished tasks, oldest first, as many as are shown.
    pub unfinished: Vec<TaskView>,
    /// Its open failures, newest first, as many as are shown.
    pub failures: Vec<TaskView>,
}

impl Overview {
    /// What is known after a poll.
    pub fn new(sight: Sight<'_>) -> Self {
        let Sight { ledger, open, .. } = sight;
        let mut tasks = Counts::default();
        for (_, operation) in ledger.operations().iter() {
            tasks.merge(&ledger.counts(operation));
        }
        let mut counts = BTreeMap::<_, u64>::new();
        for task in ledger.open().map(|open| &open.task) {
            let key = (task.operation.as_str(), task.status);
            *counts.entry(key).or_default() += 1;
        }
        let owned =
            |((operation, status), count): ((&str, _), _)| ((operation.to_owned(), status), count);
        let retry = |task: &Task| sight.retry_call.and_then(|call| call(sight.url, task));
        let view = |open: &_| TaskView::new(open, &retry);
        Self {
            url: sight.url.to_owned(),
            health: sight.health.clone(),
            clock_skew: sight.clock_skew,
            stale_after: sight.stale_after,
            tasks,
            open: counts.into_iter().map(owned).collect(),
            unfinished: open.unfinished().map(view).collect(),
            failures: open.failures().map(view).collect(),
        }
    }
}
