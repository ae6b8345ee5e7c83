//! One element of the task list.

use std::sync::Arc;

use jiff::Timestamp;

use super::error::Resource;
use super::history::PastTask;
use super::status::{StatusCase, TaskStatus};
use super::task::SimTask;

/// One element of the task list, cheap to clone.
#[derive(Clone, Debug)]
pub(super) enum Row {
    /// A task with its JSON, written once per change.
    Task(Arc<Written>),
    /// A finished task of long ago, written when it is read.
    Past(PastTask),
    /// An element served as it is, which may not even be JSON.
    Raw(Arc<str>),
}

/// A task and its JSON.
#[derive(Debug)]
pub(super) struct Written {
    task: SimTask,
    json: String,
}

impl From<SimTask> for Row {
    fn from(task: SimTask) -> Self {
        let json = task.json(task.case);
        Self::Task(Arc::new(Written { task, json }))
    }
}

impl Row {
    /// Appends the element's JSON.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Task(written) => out.push_str(&written.json),
            Self::Past(past) => past.write(out),
            Self::Raw(text) => out.push_str(text),
        }
    }

    /// The element's JSON, with its status in one spelling where it has one.
    pub(super) fn json(&self, case: Option<StatusCase>) -> String {
        if let (Some(task), Some(case)) = (self.task(), case) {
            return task.json(case);
        }
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// The task, unless the element is raw.
    pub(super) fn task(&self) -> Option<SimTask> {
        match self {
            Self::Task(written) => Some(written.task.clone()),
            Self::Past(past) => Some(past.task()),
            Self::Raw(_) => None,
        }
    }

    /// What does not differ within a shape: all but id and times.
    fn facts(&self) -> Option<&SimTask> {
        match self {
            Self::Task(written) => Some(&written.task),
            Self::Past(past) => Some(past.shape()),
            Self::Raw(_) => None,
        }
    }

    pub(super) fn status(&self) -> Option<TaskStatus> {
        self.facts().map(|task| task.status)
    }

    pub(super) fn name(&self) -> &str {
        self.facts().map_or("", |task| &task.name)
    }

    pub(super) fn operation(&self) -> Option<&str> {
        self.facts().and_then(|task| task.operation.as_deref())
    }

    pub(super) fn resources(&self) -> &[Resource] {
        self.facts().map_or(&[], |task| &task.resources)
    }

    pub(super) fn created(&self) -> Option<Timestamp> {
        match self {
            Self::Past(past) => Some(past.created()),
            _ => self.facts().and_then(|task| task.created),
        }
    }

    pub(super) fn completed(&self) -> Option<Timestamp> {
        match self {
            Self::Past(past) => Some(past.completed()),
            _ => self.facts().and_then(|task| task.completed),
        }
    }
}
