//! The steps of a task.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::error::{Resource, TaskError};
use super::stamp;
use super::status::TaskStatus;

/// A step of a task; steps may hold steps, and have no id.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubTask {
    /// Its name.
    pub name: String,
    /// The machine's word for it.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it does, for people.
    pub description: String,
    /// Its state, always served in upper case.
    #[serde(serialize_with = "upper")]
    pub status: TaskStatus,
    /// When it was planned, which is not when it started.
    #[serde(serialize_with = "stamp::serialize")]
    pub creation_timestamp: Timestamp,
    /// When it ended.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "stamp::serialize_option"
    )]
    pub completion_timestamp: Option<Timestamp>,
    /// Its parts, which have no resources and no children.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<TaskError>,
    /// What it works on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Steps inside it; its status then follows from theirs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sub_tasks: Vec<Self>,
}

/// A part of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// The machine's word for it.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it does, for people.
    pub description: String,
    /// Its state.
    #[serde(serialize_with = "upper")]
    pub status: TaskStatus,
    /// When it was planned.
    #[serde(serialize_with = "stamp::serialize")]
    pub creation_timestamp: Timestamp,
    /// When it ended.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "stamp::serialize_option"
    )]
    pub completion_timestamp: Option<Timestamp>,
}

/// Serializes a status in upper case.
fn upper<S: Serializer>(status: &TaskStatus, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(status.as_str())
}

impl SubTask {
    /// A pending step planned at `created`.
    pub fn new(name: impl Into<String>, created: Timestamp) -> Self {
        let name = name.into();
        Self {
            description: name.clone(),
            name,
            kind: None,
            status: TaskStatus::Pending,
            creation_timestamp: created,
            completion_timestamp: None,
            stages: Vec::new(),
            errors: Vec::new(),
            resources: Vec::new(),
            sub_tasks: Vec::new(),
        }
    }

    /// With a step inside it.
    #[must_use]
    pub fn holding(mut self, step: Self) -> Self {
        self.sub_tasks.push(step);
        self
    }

    /// With a pending stage.
    #[must_use]
    pub fn stage(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.stages.push(Stage {
            kind: "STAGE".to_owned(),
            description: name.clone(),
            name,
            status: TaskStatus::Pending,
            creation_timestamp: self.creation_timestamp,
            completion_timestamp: None,
        });
        self
    }

    /// Moves a step without children, and its stages with it.
    pub(super) fn set(&mut self, status: TaskStatus, now: Timestamp) {
        self.status = status;
        self.completion_timestamp = status.is_ended().then_some(now);
        let last = self.stages.len().saturating_sub(1);
        for (at, stage) in self.stages.iter_mut().enumerate() {
            stage.status = match status {
                TaskStatus::InProgress if at > 0 => TaskStatus::Pending,
                TaskStatus::Failed if at < last => TaskStatus::Successful,
                TaskStatus::NotApplicable => TaskStatus::Pending,
                status => status,
            };
            stage.completion_timestamp = stage.status.is_ended().then_some(now);
        }
    }

    /// Lets the status of a step with children follow from theirs.
    fn settle(&mut self, now: Timestamp) {
        if self.sub_tasks.is_empty() {
            return;
        }
        settle_all(&mut self.sub_tasks, now);
        let any = |status| self.sub_tasks.iter().any(|step| step.status == status);
        let status = if any(TaskStatus::Failed) {
            TaskStatus::Failed
        } else if any(TaskStatus::InProgress)
            || (any(TaskStatus::Pending) && any(TaskStatus::Successful))
        {
            TaskStatus::InProgress
        } else if any(TaskStatus::Pending) {
            TaskStatus::Pending
        } else if any(TaskStatus::Successful) {
            TaskStatus::Successful
        } else {
            TaskStatus::NotApplicable
        };
        if status != self.status {
            self.status = status;
            self.completion_timestamp = status.is_ended().then_some(now);
        }
    }
}

/// Lets every step with children follow from them.
pub(super) fn settle_all(steps: &mut [SubTask], now: Timestamp) {
    for step in steps {
        step.settle(now);
    }
}

/// The steps that have no steps inside, in the order in which they run.
pub(super) fn leaves_mut(steps: &mut [SubTask]) -> Vec<&mut SubTask> {
    let mut leaves = Vec::new();
    for step in steps {
        if step.sub_tasks.is_empty() {
            leaves.push(step);
        } else {
            leaves.extend(leaves_mut(&mut step.sub_tasks));
        }
    }
    leaves
}

/// The name of the innermost failed step, as `parent/child` is never told apart by the API.
pub(super) fn failed_step(steps: &[SubTask]) -> Option<&str> {
    let failed = steps
        .iter()
        .find(|step| step.status == TaskStatus::Failed)?;
    failed_step(&failed.sub_tasks).or(Some(&failed.name))
}
