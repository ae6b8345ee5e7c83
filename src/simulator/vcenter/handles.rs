//! The handles by which a test or a demonstration moves what is served.

use super::Vcenter;
use super::call::VcRequest;
use super::error::VcError;
use super::life::Living;
use super::options::VcenterOptions;
use super::state::State;
use super::task::VcTask;
use super::totals::VcTotals;
use super::workload::VcWorkload;
use crate::simulator::fault::Fault;

/// The handles on tasks.
impl Vcenter {
    /// Adds a task, as born now unless it says otherwise, and returns its id.
    ///
    /// It takes the place of a task with the same id.
    pub fn add(&self, task: VcTask) -> String {
        self.with(|state, now| state.give_birth(task, now))
    }

    /// The task of an id.
    pub fn task(&self, id: &str) -> Option<VcTask> {
        self.with(|state, _| state.tasks.get(id).cloned())
    }

    /// All tasks, in the order of their ids.
    pub fn tasks(&self) -> Vec<VcTask> {
        self.with(|state, _| state.tasks.values().cloned().collect())
    }

    /// Starts a pending task, or lets a blocked one go on.
    pub fn begin(&self, id: &str) {
        self.with(|state, now| state.change(id, |task| task.begin(now)));
    }

    /// Lets a running task wait.
    pub fn block(&self, id: &str) {
        self.with(|state, now| state.change(id, |task| task.block(now)));
    }

    /// Brings a task so far; the tasks inside it follow.
    pub fn progress(&self, id: &str, completed: i64) {
        self.with(|state, now| state.change(id, |task| task.reach(completed, now)));
    }

    /// Ends a task well, with all inside it.
    pub fn succeed(&self, id: &str) {
        self.with(|state, now| state.change(id, |task| task.succeed(now)));
    }

    /// Fails a task where it is.
    pub fn fail(&self, id: &str, error: VcError) {
        self.with(|state, now| state.change(id, |task| task.fail(error, now)));
    }

    /// Cancels a task, which then has failed with `CANCELED`.
    pub fn cancel(&self, id: &str) {
        self.fail(id, VcError::canceled());
    }

    /// Changes a task in any way; an end of it is counted.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut VcTask)) {
        self.with(|state, _| state.change(id, change));
    }

    /// Lets its provider forget a task.
    pub fn remove(&self, id: &str) {
        self.with(|state, _| state.tasks.remove(id));
    }

    /// Adds ended tasks of the past, none older than its provider keeps it;
    /// they are not in the totals.
    pub fn history(&self, count: usize) {
        self.with(|state, now| state.fill_history(count, now));
    }

    /// Lets tasks live by themselves from now on; with `None`, all stand still.
    pub fn set_workload(&self, workload: Option<VcWorkload>) {
        self.with(|state, _| state.living = workload.map(Living::new));
    }

    /// Brings the living tasks to the clock's now, and drops the ended ones
    /// that were kept long enough.
    pub fn tick(&self) {
        self.with(State::tick);
    }

    /// What really happened so far.
    pub fn totals(&self) -> VcTotals {
        self.with(|state, _| state.totals.clone())
    }
}

/// The handles on sessions, requests and faults.
impl Vcenter {
    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.with(|state, now| {
            state.sweep(now);
            state.sessions.count()
        })
    }

    /// How many sessions there ever were.
    pub fn logins(&self) -> u64 {
        self.with(|state, _| state.sessions.logins)
    }

    /// Ends all sessions.
    pub fn expire_sessions(&self) {
        self.with(|state, _| state.sessions.clear());
    }

    /// Switches a fault on.
    pub fn inject(&self, fault: Fault) {
        self.with(|state, _| state.faults.push(fault));
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.with(|state, _| state.faults.clear());
    }

    /// The last ten thousand requests, the oldest first.
    pub fn requests(&self) -> Vec<VcRequest> {
        self.with(|state, _| state.records.iter().cloned().collect())
    }

    /// How many requests there ever were.
    pub fn request_count(&self) -> usize {
        self.with(|state, _| state.calls)
    }

    /// Changes the options; sessions and tasks stay.
    pub fn configure(&self, change: impl FnOnce(&mut VcenterOptions)) {
        self.with(|state, _| change(&mut state.options));
    }
}
