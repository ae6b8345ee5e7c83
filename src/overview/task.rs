//! One open task, for people.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::budget::Budget;
use super::place::{Place, current, places};
use crate::ledger::OpenTask;
use crate::task::{Resource, Status, Task, TaskError};

/// How many sub-tasks without children of their own a task has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// Those that have ended, whatever their outcome.
    pub finished: u64,
    /// All of them.
    pub total: u64,
}

/// An open task with all that people need to know of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskView {
    /// The source's id of it.
    pub id: String,
    /// Its whole name.
    pub name: String,
    /// What it does.
    pub operation: String,
    /// How it stands.
    #[serde(serialize_with = "word")]
    pub status: Status,
    /// When it began, on the source's clock; null if the source does not say so.
    pub started: Option<Timestamp>,
    /// When it ended, on the source's clock; null if it has not, or the source does not say so.
    pub ended: Option<Timestamp>,
    /// When it failed, on the source's clock, else when it was first seen failed;
    /// null unless it did.
    pub failed: Option<Timestamp>,
    /// When the exporter first saw it open.
    pub first_seen: Timestamp,
    /// When anything of it last moved.
    pub last_change: Timestamp,
    /// How far it is, from 0 to 1; null if that is not known.
    pub progress: Option<f64>,
    /// Its sub-tasks in numbers; null if it has none.
    pub steps: Option<Steps>,
    /// The sub-task that is under way: the names on the way to it.
    pub current: Vec<String>,
    /// What it acts on.
    pub resources: Vec<Resource>,
    /// The code by which its failure is counted.
    pub error_code: Option<String>,
    /// Its own errors, with their causes.
    pub errors: Vec<TaskError>,
    /// Its sub-tasks and stages that failed or have errors.
    pub failed_subtasks: Vec<Place>,
    /// How many errors, sub-tasks and resources are left out, as there are too many.
    pub left_out: usize,
    /// Whether the source would take a retry; null if it does not say so.
    pub retryable: Option<bool>,
    /// The command that retries it, if there is one that can be copied.
    pub retry_call: Option<String>,
}

impl TaskView {
    /// What people need to know of a task; `retry` knows how one is retried.
    pub(super) fn new(open: &OpenTask, retry: &impl Fn(&Task) -> Option<String>) -> Self {
        let task = &open.task;
        let mut budget = Budget::new();
        let leaves = task.leaves();
        let finished = Status::OUTCOMES.map(|status| leaves.get(status));
        let steps = Steps {
            finished: finished.iter().sum(),
            total: leaves.total(),
        };
        let under_way = current(&task.subtasks).into_iter();
        Self {
            id: budget.text(&task.id),
            name: budget.text(&task.name),
            operation: budget.text(&task.operation),
            status: task.status,
            started: task.started,
            ended: task.ended,
            failed: open.failed_at(),
            first_seen: open.first_seen,
            last_change: open.last_change,
            progress: task.progress_ratio(),
            steps: (steps.total > 0).then_some(steps),
            current: under_way.map(|name| budget.text(name)).collect(),
            error_code: task.error_code().map(|code| budget.text(&code)),
            // Where it failed says more than the task's own words about it.
            failed_subtasks: places(&task.subtasks, &mut budget),
            errors: budget.errors(&task.errors),
            resources: budget.resources(&task.resources),
            left_out: budget.left_out(),
            retryable: task.retryable,
            retry_call: retry(task),
        }
    }
}

/// Writes a status as in the metrics.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
pub(super) fn word<S: Serializer>(status: &Status, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(status.as_str())
}
