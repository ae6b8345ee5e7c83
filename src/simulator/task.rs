//! One task: what it is, how it moves and how it is written.

use jiff::Timestamp;
use serde_json::Value;

use super::error::{Resource, TaskError};
use super::status::{StatusCase, TaskStatus};
use super::sub_task::{SubTask, failed_step, leaves_mut, settle_all};

/// A task as the SDDC Manager keeps it; made by its builder methods.
#[derive(Clone, Debug, PartialEq)]
pub struct SimTask {
    /// Its id; empty until the SDDC Manager gives it one.
    pub id: String,
    /// Its name, which embeds host and domain names.
    pub name: String,
    /// Its `type`, which may be missing.
    pub operation: Option<String>,
    /// Its state.
    pub status: TaskStatus,
    /// How its state is spelt.
    pub case: StatusCase,
    /// When it was made; the SDDC Manager fills in now when it is absent.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Its steps.
    pub sub_tasks: Vec<SubTask>,
    /// What went wrong.
    pub errors: Vec<TaskError>,
    /// What it works on.
    pub resources: Vec<Resource>,
    /// Whether its failure was taken care of.
    pub resolved: bool,
    /// Whether it says that it can be cancelled.
    pub cancellable: bool,
    /// Whether it says that it can be retried, and the API then does.
    pub retryable: bool,
    /// Steps that a retry adds behind the others.
    pub added_by_retry: Vec<SubTask>,
    /// Fields of the JSON replaced, added or (with `None`) left out.
    pub overrides: Vec<(String, Option<Value>)>,
}

impl SimTask {
    /// A pending task of an operation like `HOST_COMMISSION`.
    pub fn new(operation: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            operation: Some(operation.into()),
            ..Self::untyped(name)
        }
    }

    /// A pending task without a `type`.
    pub fn untyped(name: impl Into<String>) -> Self {
        Self {
            id: String::new(),
            name: name.into(),
            operation: None,
            status: TaskStatus::Pending,
            case: StatusCase::Upper,
            created: None,
            completed: None,
            sub_tasks: Vec::new(),
            errors: Vec::new(),
            resources: Vec::new(),
            resolved: false,
            cancellable: false,
            retryable: true,
            added_by_retry: Vec::new(),
            overrides: Vec::new(),
        }
    }

    /// With an id of one's own.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// With a time of creation.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = Some(at);
        self
    }

    /// With a status and no time of completion; see [`SimTask::ended`].
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.status = status;
        self
    }

    /// With its status spelt in another way.
    #[must_use]
    pub fn case(mut self, case: StatusCase) -> Self {
        self.case = case;
        self
    }

    /// With a step.
    #[must_use]
    pub fn sub_task(mut self, step: SubTask) -> Self {
        self.sub_tasks.push(step);
        self
    }

    /// With a thing it works on.
    #[must_use]
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// With an error at the top level.
    #[must_use]
    pub fn error(mut self, error: TaskError) -> Self {
        self.errors.push(error);
        self
    }

    /// With a field of its JSON replaced or added, as in a malformed task.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, value: Value) -> Self {
        self.overrides.push((field.into(), Some(value)));
        self
    }

    /// With a field of its JSON left out.
    #[must_use]
    pub fn without_field(mut self, field: impl Into<String>) -> Self {
        self.overrides.push((field.into(), None));
        self
    }

    /// Running, with its first step in progress.
    #[must_use]
    pub fn running(mut self) -> Self {
        let at = self.created.unwrap_or_default();
        self.begin(at);
        self
    }

    /// Ended with a status at a time; steps that did not run follow suit.
    #[must_use]
    pub fn ended(mut self, status: TaskStatus, at: Timestamp) -> Self {
        match status {
            TaskStatus::Successful => self.succeed(at),
            TaskStatus::Cancelled => self.cancel(at),
            status => self.set_status(status, at),
        }
        self
    }

    /// Sets the bare status; the time of completion follows from it.
    pub(super) fn set_status(&mut self, status: TaskStatus, now: Timestamp) {
        self.status = status;
        self.completed = status.is_ended().then_some(now);
    }

    /// Starts a pending task at its first step.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.set_status(TaskStatus::InProgress, now);
        self.start_next(now);
    }

    /// Starts the first pending step; false when there is none.
    fn start_next(&mut self, now: Timestamp) -> bool {
        let next = leaves_mut(&mut self.sub_tasks)
            .into_iter()
            .find(|step| step.status == TaskStatus::Pending);
        let found = next.map(|step| step.set(TaskStatus::InProgress, now));
        settle_all(&mut self.sub_tasks, now);
        found.is_some()
    }

    /// Ends the running steps in one status.
    fn end_running(&mut self, status: TaskStatus, now: Timestamp) {
        for step in leaves_mut(&mut self.sub_tasks) {
            if step.status == TaskStatus::InProgress {
                step.set(status, now);
            }
        }
    }

    /// Ends the running step well and starts the next; the last one ends the task.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.end_running(TaskStatus::Successful, now);
        if !self.start_next(now) {
            self.set_status(TaskStatus::Successful, now);
        }
    }

    /// Ends all that is not yet ended well.
    pub(super) fn succeed(&mut self, now: Timestamp) {
        for step in leaves_mut(&mut self.sub_tasks) {
            if !step.status.is_ended() || step.status == TaskStatus::Failed {
                step.errors.clear();
                step.set(TaskStatus::Successful, now);
            }
        }
        settle_all(&mut self.sub_tasks, now);
        self.errors.clear();
        self.set_status(TaskStatus::Successful, now);
    }

    /// Fails the running step and the task with it; later steps stay pending.
    pub(super) fn fail(&mut self, error: TaskError, now: Timestamp) {
        self.end_running(TaskStatus::Failed, now);
        for step in leaves_mut(&mut self.sub_tasks) {
            if step.status == TaskStatus::Failed {
                step.errors = vec![error.clone()];
            }
        }
        settle_all(&mut self.sub_tasks, now);
        self.errors = vec![error];
        self.set_status(TaskStatus::Failed, now);
    }

    /// Runs a failed task again from its failed step.
    pub(super) fn retry(&mut self, now: Timestamp, keeps_completion: bool) {
        let mut resumed = false;
        for step in leaves_mut(&mut self.sub_tasks) {
            if step.status == TaskStatus::Failed {
                step.errors.clear();
                step.set(TaskStatus::InProgress, now);
                resumed = true;
            }
        }
        self.sub_tasks.append(&mut self.added_by_retry);
        settle_all(&mut self.sub_tasks, now);
        if !resumed {
            self.start_next(now);
        }
        self.errors.clear();
        self.status = TaskStatus::InProgress;
        if !keeps_completion {
            self.completed = None;
        }
    }

    /// Stops a task; its unfinished steps become not applicable.
    pub(super) fn cancel(&mut self, now: Timestamp) {
        for step in leaves_mut(&mut self.sub_tasks) {
            if !step.status.is_ended() {
                step.set(TaskStatus::NotApplicable, now);
            }
        }
        settle_all(&mut self.sub_tasks, now);
        self.set_status(TaskStatus::Cancelled, now);
    }

    /// Planned at a time, with all its steps.
    pub(super) fn planned(mut self, at: Timestamp) -> Self {
        fn plan(steps: &mut [SubTask], at: Timestamp) {
            for step in steps {
                step.creation_timestamp = at;
                for stage in &mut step.stages {
                    stage.creation_timestamp = at;
                }
                plan(&mut step.sub_tasks, at);
            }
        }
        plan(&mut self.sub_tasks, at);
        self.created = Some(at);
        self
    }

    /// The number of steps that have no steps inside.
    pub(super) fn steps(&mut self) -> usize {
        leaves_mut(&mut self.sub_tasks).len()
    }

    /// The name of the first step in progress, or nothing.
    pub(super) fn running_step(&mut self) -> Option<String> {
        leaves_mut(&mut self.sub_tasks)
            .into_iter()
            .find(|step| step.status == TaskStatus::InProgress)
            .map(|step| step.name.clone())
    }

    /// The name of the step that failed, or nothing.
    pub(super) fn failed_step(&self) -> Option<&str> {
        failed_step(&self.sub_tasks)
    }
}
