//! The handles by which a test or a demonstration moves what is served.

use super::VirtShell;
use super::call::VsRequest;
use super::life::Living;
use super::options::VirtShellOptions;
use super::state::State;
use super::task::VsTask;
use super::totals::VsTotals;
use super::workload::VsWorkload;
use crate::simulator::fault::Fault;

/// The handles on tasks.
impl VirtShell {
    /// Adds a task, as born now unless it says otherwise, and returns its uuid.
    ///
    /// It takes the place of a task with the same uuid.
    pub fn add(&self, task: VsTask) -> String {
        self.with(|state, now| state.give_birth(task, now))
    }

    /// The task of a uuid.
    pub fn task(&self, uuid: &str) -> Option<VsTask> {
        self.with(|state, _| state.tasks.get(uuid).cloned())
    }

    /// All tasks, in the order in which they came.
    pub fn tasks(&self) -> Vec<VsTask> {
        self.with(|state, _| state.tasks.iter().cloned().collect())
    }

    /// Puts a task into a status, any word; history and times follow, and an
    /// end is counted.
    pub fn set_status(&self, uuid: &str, status: &str, log: &str) {
        self.with(|state, now| state.set_status(uuid, status, log, now));
    }

    /// Deletes a task.
    pub fn remove(&self, uuid: &str) {
        self.with(|state, _| state.tasks.remove(uuid));
    }

    /// Deletes all tasks.
    pub fn clear(&self) {
        self.with(|state, _| state.tasks.clear());
    }

    /// Adds ended tasks of the past, the oldest first; they are not in the totals.
    pub fn history(&self, count: usize) {
        self.with(|state, now| state.fill_history(count, now));
    }

    /// Lets tasks live by themselves from now on; with `None`, all stand still.
    pub fn set_workload(&self, workload: Option<VsWorkload>) {
        self.with(|state, _| state.living = workload.map(Living::new));
    }

    /// Brings the living tasks to the clock's now.
    pub fn tick(&self) {
        self.with(State::tick);
    }

    /// What really happened so far.
    pub fn totals(&self) -> VsTotals {
        self.with(|state, _| state.totals.clone())
    }
}

/// The handles on requests, faults and options.
impl VirtShell {
    /// Switches a fault on.
    pub fn inject(&self, fault: Fault) {
        self.with(|state, _| state.faults.push(fault));
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.with(|state, _| state.faults.clear());
    }

    /// The last ten thousand requests, the oldest first.
    pub fn requests(&self) -> Vec<VsRequest> {
        self.with(|state, _| state.records.iter().cloned().collect())
    }

    /// How many requests there ever were.
    pub fn request_count(&self) -> usize {
        self.with(|state, _| state.calls)
    }

    /// Changes the options; tasks stay.
    pub fn configure(&self, change: impl FnOnce(&mut VirtShellOptions)) {
        self.with(|state, _| change(&mut state.options));
    }
}
