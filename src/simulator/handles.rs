//! The handles by which a test or a demonstration moves what is served.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::call::{Endpoint, RequestRecord};
use super::error::TaskError;
use super::fault::Fault;
use super::row::Row;
use super::sddc_manager::SddcManager;
use super::state::{Snapshot, State};
use super::status::TaskStatus;
use super::task::SimTask;
use super::totals::Totals;
use super::workload::Workload;

/// The handles on tasks.
impl SddcManager {
    /// Adds a task, as born now unless it says otherwise, and returns its id.
    ///
    /// It takes the place of a task with the same id.
    pub fn add(&self, task: SimTask) -> String {
        self.with(|state, now| state.give_birth(task, now))
    }

    /// Adds an element of the list that is served as it is.
    pub fn add_raw(&self, element: &Value) {
        self.add_raw_text(&element.to_string());
    }

    /// Adds an element of the list that is served as it is and may not be JSON.
    pub fn add_raw_text(&self, element: &str) {
        self.with(|state, _| state.put_raw(element));
    }

    /// Adds finished tasks of the past, the oldest first; they are not in the
    /// totals.
    pub fn history(&self, count: usize) {
        self.with(|state, now| state.fill_history(count, now));
    }

    /// The task or restore of an id.
    pub fn task(&self, id: &str) -> Option<SimTask> {
        self.with(|state, _| state.task(id))
    }

    /// All tasks but raw elements, in the order in which they came.
    pub fn tasks(&self) -> Vec<SimTask> {
        self.with(|state, _| state.tasks.rows().filter_map(Row::task).collect())
    }

    /// Sets the bare status of a task and leaves its steps alone.
    pub fn set_status(&self, id: &str, status: TaskStatus) {
        self.change(id, |task, now| task.set_status(status, now));
    }

    /// Changes a task in any way; a new end of it is counted.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut SimTask, Timestamp)) {
        self.with(|state, now| state.change(id, now, change));
    }

    /// Starts a pending task at its first step.
    pub fn begin(&self, id: &str) {
        self.change(id, SimTask::begin);
    }

    /// Ends the running step well and starts the next; the last one ends the task.
    pub fn advance(&self, id: &str) {
        self.change(id, SimTask::advance);
    }

    /// Ends a task and all its steps well.
    pub fn succeed(&self, id: &str) {
        self.change(id, SimTask::succeed);
    }

    /// Fails a task at its running step.
    pub fn fail(&self, id: &str, error: TaskError) {
        self.change(id, |task, now| task.fail(error, now));
    }

    /// Retries a failed task, retryable by the API or not; false if it has
    /// not failed.
    pub fn retry(&self, id: &str) -> bool {
        self.with(|state, now| state.retry(id, now))
    }

    /// Cancels a running task; false if it does not run.
    pub fn cancel(&self, id: &str) -> bool {
        self.with(|state, now| state.cancel(id, now))
    }

    /// Removes a task at the source.
    pub fn remove(&self, id: &str) {
        self.with(|state, _| state.remove(id));
    }

    /// Puts other tasks in place of all, without counting anything.
    pub fn replace_all(&self, tasks: Vec<SimTask>) {
        self.with(|state, now| state.replace_all(tasks, now));
    }

    /// The task list as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.with(|state, _| state.snapshot())
    }

    /// Goes back to an earlier task list, as a restored SDDC Manager does.
    ///
    /// Totals, tokens and restores stay.
    pub fn restore_from(&self, snapshot: Snapshot) {
        self.with(|state, now| state.restore_from(snapshot, now));
    }

    /// Lets tasks live by themselves from now on.
    pub fn set_workload(&self, workload: Workload) {
        self.with(|state, _| state.workload = Some(workload));
    }

    /// Brings the living tasks and the restores to the clock's now.
    pub fn tick(&self) {
        self.with(State::tick);
    }
}

/// The handles on requests, logins and faults.
impl SddcManager {
    /// Switches a fault on.
    pub fn inject(&self, fault: Fault) {
        self.with(|state, _| state.faults.push(fault));
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.with(|state, _| state.faults.clear());
    }

    /// The last ten thousand requests, the oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.with(|state, _| state.records.iter().cloned().collect())
    }

    /// How often a call was made; for [`Endpoint::Any`], how often any was.
    pub fn request_count(&self, endpoint: Endpoint) -> u64 {
        self.with(|state, _| match endpoint {
            Endpoint::Any => state.counts.values().sum(),
            endpoint => state.counts.get(&endpoint).copied().unwrap_or_default(),
        })
    }

    /// How often each call was made.
    pub fn request_counts(&self) -> BTreeMap<Endpoint, u64> {
        self.with(|state, _| state.counts.clone())
    }

    /// Forgets all requests.
    pub fn clear_requests(&self) {
        self.with(|state, _| {
            state.records.clear();
            state.counts.clear();
        });
    }

    /// Changes who may log in, and opens a locked account; tokens stay good.
    pub fn set_credentials(&self, username: impl Into<String>, password: impl Into<String>) {
        let (username, password) = (username.into(), password.into());
        self.with(|state, _| {
            state.options.username = username;
            state.options.password = password;
            state.sessions.unlock();
        });
    }

    /// Ends all access tokens.
    pub fn expire_tokens(&self) {
        self.with(|state, _| state.sessions.expire());
    }

    /// What really happened so far.
    pub fn totals(&self) -> Totals {
        self.with(|state, _| state.totals.clone())
    }
}
