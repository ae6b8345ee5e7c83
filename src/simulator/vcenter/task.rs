//! A task and how it changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::error::VcError;
use super::status::VcStatus;

/// A task of a vCenter.
#[derive(Clone, Debug)]
pub struct VcTask {
    /// The id; one is made of the service when it is empty.
    pub id: String,
    /// The service whose operation it runs.
    pub service: String,
    /// The operation, without `$task`.
    pub operation: String,
    /// Whether the operation is shown with `$task`: vLCM and the SDK's task
    /// manager for Python do so, the appliance does not.
    pub suffixed: bool,
    /// What it does, for people.
    pub description: String,
    /// The id of the task that it is a part of.
    pub parent: Option<String>,
    /// What it works on.
    pub target: Option<VcTarget>,
    /// Who started it.
    pub user: Option<String>,
    /// Its state.
    pub status: VcStatus,
    /// Whether it can be canceled.
    pub cancelable: bool,
    /// When it started; a pending task shows none.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How far it is, and what that is of.
    pub progress: (i64, i64),
    /// What it failed with.
    pub error: Option<VcError>,
    /// The tasks inside it, which are in no list themselves.
    pub subtasks: Vec<Self>,
    /// Members that are served otherwise, or not at all.
    pub(super) overrides: BTreeMap<String, Option<Value>>,
}

/// What a task works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VcTarget {
    /// The type, such as `ClusterComputeResource`.
    pub kind: String,
    /// The id, such as `domain-c9`.
    pub id: String,
}

/// What it says of itself.
impl VcTask {
    /// A pending task of a service's operation, at 0 of 100.
    pub fn new(service: impl Into<String>, operation: impl Into<String>) -> Self {
        let operation = operation.into();
        Self {
            id: String::new(),
            service: service.into(),
            suffixed: false,
            description: format!("Task {operation}"),
            operation,
            parent: None,
            target: None,
            user: None,
            status: VcStatus::Pending,
            cancelable: false,
            started: None,
            ended: None,
            progress: (0, 100),
            error: None,
            subtasks: Vec::new(),
            overrides: BTreeMap::new(),
        }
    }

    /// With an id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// With `$task` after the operation, or without.
    #[must_use]
    pub fn suffixed(mut self, suffixed: bool) -> Self {
        self.suffixed = suffixed;
        self
    }

    /// With a description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// With the id of its parent.
    #[must_use]
    pub fn parent(mut self, id: impl Into<String>) -> Self {
        self.parent = Some(id.into());
        self
    }

    /// With the type and the id of what it works on.
    #[must_use]
    pub fn target(mut self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        self.target = Some(VcTarget {
            kind: kind.into(),
            id: id.into(),
        });
        self
    }

    /// With who started it.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// With a task inside it.
    #[must_use]
    pub fn subtask(mut self, task: Self) -> Self {
        self.subtasks.push(task);
        self
    }

    /// With so much done of a total, which may be 0.
    #[must_use]
    pub fn progress(mut self, completed: i64, total: i64) -> Self {
        self.progress = (completed, total);
        self
    }

    /// With a member served as it is, whatever it should be.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, value: Value) -> Self {
        self.overrides.insert(name.into(), Some(value));
        self
    }

    /// With a member left out.
    #[must_use]
    pub fn without_field(mut self, name: impl Into<String>) -> Self {
        self.overrides.insert(name.into(), None);
        self
    }

    /// The operation as it is shown.
    pub(super) fn shown_operation(&self) -> String {
        let suffix = if self.suffixed { "$task" } else { "" };
        format!("{}{suffix}", self.operation)
    }

    /// Whether it is of vLCM, which has habits of its own.
    pub(super) fn is_vlcm(&self) -> bool {
        self.service.starts_with("com.vmware.esx.")
    }
}

/// The state that it is born in; times that are not given are those of its birth.
impl VcTask {
    /// Waiting.
    #[must_use]
    pub fn pending(self) -> Self {
        self.in_state(VcStatus::Pending)
    }

    /// Running.
    #[must_use]
    pub fn running(self) -> Self {
        self.in_state(VcStatus::Running)
    }

    /// Waiting for something while it runs.
    #[must_use]
    pub fn blocked(self) -> Self {
        self.in_state(VcStatus::Blocked)
    }

    /// Ended well, at its total.
    #[must_use]
    pub fn succeeded(mut self) -> Self {
        self.progress.0 = self.progress.1;
        self.in_state(VcStatus::Succeeded)
    }

    /// Ended with an error.
    #[must_use]
    pub fn failed(mut self, error: VcError) -> Self {
        self.error = Some(error);
        self.in_state(VcStatus::Failed)
    }

    /// Started at a time.
    #[must_use]
    pub fn started(mut self, at: Timestamp) -> Self {
        self.started = Some(at);
        self
    }

    /// Ended at a time.
    #[must_use]
    pub fn ended(mut self, at: Timestamp) -> Self {
        self.ended = Some(at);
        self
    }

    fn in_state(mut self, status: VcStatus) -> Self {
        self.status = status;
        self
    }
}
