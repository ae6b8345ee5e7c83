//! One open task on the page.

use super::error::ErrorItem;
use super::{Text, When};
use crate::overview::{Place, Steps, TaskView};
use crate::task::{Resource, Status};
use crate::web::age;
use crate::web::report::TaskReport;

/// How many failures are unfolded, as the newest are why somebody looks.
const UNFOLDED: usize = 3;

/// How long a task may stand still until that is pointed out, in seconds.
const STILL: u64 = 3600;

/// A task that failed.
pub(super) struct FailureCard<'a> {
    pub(super) unfolded: bool,
    pub(super) head: Head<'a>,
    pub(super) failed: Option<When>,
    /// Whether the source does not say when it failed.
    pub(super) only_seen: bool,
    /// Its first message, for when it is folded.
    pub(super) brief: Option<Text<'a>>,
    pub(super) error_code: Option<Text<'a>>,
    pub(super) facts: Facts<'a>,
    pub(super) retryable: bool,
    pub(super) retry_call: Option<Text<'a>>,
}

/// A task that has not ended.
pub(super) struct TaskRow<'a> {
    pub(super) head: Head<'a>,
    pub(super) status: &'static str,
    pub(super) class: &'static str,
    /// From 0 to 100.
    pub(super) percent: Option<String>,
    pub(super) steps: Option<Steps>,
    pub(super) current: Vec<Text<'a>>,
    pub(super) started: When,
    /// Whether the source does not say when it began.
    pub(super) only_seen: bool,
    pub(super) unchanged: String,
    pub(super) still: bool,
    pub(super) facts: Facts<'a>,
}

/// What a task is.
pub(super) struct Head<'a> {
    pub(super) source: Text<'a>,
    pub(super) id: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) operation: Text<'a>,
}

/// What went wrong in a task, and what it acts on.
pub(super) struct Facts<'a> {
    pub(super) errors: Vec<ErrorItem<'a>>,
    pub(super) places: Vec<PlaceItem<'a>>,
    pub(super) resources: Vec<ResourceItem<'a>>,
    pub(super) left_out: usize,
}

/// A sub-task or a stage that failed or has errors.
pub(super) struct PlaceItem<'a> {
    pub(super) path: Vec<Text<'a>>,
    pub(super) stage: bool,
    pub(super) status: &'static str,
    pub(super) errors: Vec<ErrorItem<'a>>,
}

/// What a task acts on.
pub(super) struct ResourceItem<'a> {
    pub(super) kind: Text<'a>,
    pub(super) name: Text<'a>,
    pub(super) id: Text<'a>,
}

impl<'a> FailureCard<'a> {
    pub(super) fn new(at: usize, report: TaskReport<'a>) -> Self {
        let task = report.task;
        let failed = task.failed.zip(report.failed_age_seconds);
        Self {
            unfolded: at < UNFOLDED,
            head: Head::new(&report),
            failed: failed.map(|(time, seconds)| When::new(time, seconds)),
            only_seen: task.ended.is_none(),
            brief: brief(task),
            error_code: task.error_code.as_deref().map(Text),
            facts: Facts::new(task),
            retryable: task.retryable == Some(true),
            retry_call: task.retry_call.as_deref().map(Text),
        }
    }
}

impl<'a> TaskRow<'a> {
    pub(super) fn new(report: TaskReport<'a>) -> Self {
        let task = report.task;
        let percent = task.progress.map(|ratio| format!("{:.0}", ratio * 100.0));
        Self {
            head: Head::new(&report),
            status: task.status.as_str(),
            class: match task.status {
                Status::Blocked | Status::Unknown => "fair",
                _ => "dull",
            },
            percent,
            steps: task.steps,
            current: texts(&task.current),
            started: When::new(report.since(), report.age_seconds),
            only_seen: task.started.is_none(),
            unchanged: age::span(report.unchanged_seconds),
            still: report.unchanged_seconds >= STILL,
            facts: Facts::new(task),
        }
    }
}

impl<'a> Head<'a> {
    fn new(report: &TaskReport<'a>) -> Self {
        Self {
            source: Text(report.source),
            id: Text(&report.task.id),
            name: Text(&report.task.name),
            operation: Text(&report.task.operation),
        }
    }
}

impl<'a> Facts<'a> {
    fn new(task: &'a TaskView) -> Self {
        // Many systems repeat the error of a sub-task as that of the task.
        let places = &task.failed_subtasks;
        let repeated = |error| places.iter().any(|place| place.errors.contains(error));
        let own = task.errors.iter().filter(|error| !repeated(error));
        Self {
            errors: own.map(ErrorItem::new).collect(),
            places: places.iter().map(PlaceItem::new).collect(),
            resources: task.resources.iter().map(ResourceItem::new).collect(),
            left_out: task.left_out,
        }
    }

    /// Whether there is anything to say.
    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty() || !self.places.is_empty()
    }
}

impl<'a> PlaceItem<'a> {
    fn new(place: &'a Place) -> Self {
        Self {
            path: texts(&place.path),
            stage: place.stage,
            status: place.status.as_str(),
            errors: place.errors.iter().map(ErrorItem::new).collect(),
        }
    }
}

impl<'a> ResourceItem<'a> {
    fn new(resource: &'a Resource) -> Self {
        Self {
            kind: Text(&resource.kind),
            name: Text(&resource.name),
            id: Text(&resource.id),
        }
    }
}

/// The first message of where it failed, else of the task itself.
fn brief(task: &TaskView) -> Option<Text<'_>> {
    let places = task.failed_subtasks.iter();
    let mut errors = places.flat_map(|place| &place.errors).chain(&task.errors);
    errors.find_map(|error| error.message.as_deref()).map(Text)
}

fn texts(texts: &[String]) -> Vec<Text<'_>> {
    texts.iter().map(|text| Text(text)).collect()
}
