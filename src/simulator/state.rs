//! What an SDDC Manager knows, and how it changes.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::Value;

use super::call::{Endpoint, RequestRecord};
use super::fault::Fault;
use super::history::{past_tasks, uuid};
use super::options::SddcManagerOptions;
use super::recipes::RECIPES;
use super::sessions::Sessions;
use super::stamp::later;
use super::status::TaskStatus;
use super::sub_task::SubTask;
use super::task::SimTask;
use super::tasks::Tasks;
use super::totals::Totals;
use super::workload::{Lives, Workload};

/// The most requests remembered in full; older ones are only counted.
const MOST_RECORDS: usize = 10_000;

/// How long a step of a restore takes, in milliseconds.
const RESTORE_STEP: i64 = 5_000;

/// What an SDDC Manager knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: SddcManagerOptions,
    pub(super) sessions: Sessions,
    pub(super) faults: Vec<Fault>,
    pub(super) totals: Totals,
    pub(super) tasks: Tasks,
    pub(super) restores: Tasks,
    /// When the running restores take their next step, by id.
    restore_steps: BTreeMap<String, Timestamp>,
    pub(super) workload: Option<Workload>,
    pub(super) records: VecDeque<RequestRecord>,
    pub(super) counts: BTreeMap<Endpoint, u64>,
    pub(super) rng: fastrand::Rng,
}

/// The task list at one time, to go back to.
#[derive(Clone, Debug)]
pub struct Snapshot {
    tasks: Tasks,
    lives: Lives,
}

impl State {
    pub(super) fn new(options: SddcManagerOptions) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(options.seed),
            options,
            sessions: Sessions::default(),
            faults: Vec::new(),
            totals: Totals::default(),
            tasks: Tasks::default(),
            restores: Tasks::default(),
            restore_steps: BTreeMap::new(),
            workload: None,
            records: VecDeque::new(),
            counts: BTreeMap::new(),
        }
    }

    /// The task or restore of an id.
    pub(super) fn task(&self, id: &str) -> Option<SimTask> {
        self.tasks.task(id).or_else(|| self.restores.task(id))
    }

    /// Gives a task what it lacks and puts it into the list.
    pub(super) fn give_birth(&mut self, task: SimTask, now: Timestamp) -> String {
        let task = self.complete(task, now);
        let id = task.id.clone();
        self.totals.born(&task);
        self.tasks.put(task);
        id
    }

    /// Fills in the id and the time of creation.
    fn complete(&mut self, mut task: SimTask, now: Timestamp) -> SimTask {
        if task.id.is_empty() {
            task.id = uuid(self.rng.u128(..));
        }
        task.created.get_or_insert(now);
        task
    }

    /// Changes a task or restore; what is not there stays away.
    pub(super) fn change(
        &mut self,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut SimTask, Timestamp),
    ) {
        let Some(mut task) = self.task(id) else {
            return;
        };
        let before = task.status;
        change(&mut task, now);
        self.totals.moved(before, &task);
        if self.tasks.get(id).is_some() {
            self.tasks.put(task);
        } else {
            self.restores.put(task);
        }
    }

    /// Retries a failed task; false if it has not failed.
    pub(super) fn retry(&mut self, id: &str, now: Timestamp) -> bool {
        let failed = self
            .task(id)
            .is_some_and(|task| task.status == TaskStatus::Failed);
        if failed {
            self.run_again(id, now);
            if let Some(workload) = &mut self.workload {
                workload.resume(id, now);
            }
        }
        failed
    }

    /// Runs a failed task again, whoever asked for it.
    pub(super) fn run_again(&mut self, id: &str, now: Timestamp) {
        let keeps = self.options.stale_completion;
        self.change(id, now, |task, now| task.retry(now, keeps));
        if let Some(task) = self.task(id) {
            self.totals.retried(&task);
        }
    }

    /// Cancels a running task; false if it does not run.
    pub(super) fn cancel(&mut self, id: &str, now: Timestamp) -> bool {
        let runs = self
            .task(id)
            .is_some_and(|task| task.status == TaskStatus::InProgress);
        if runs {
            self.change(id, now, SimTask::cancel);
        }
        runs
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(row) = self.tasks.remove(id) {
            self.totals.removed(row.operation());
        }
    }

    /// Puts an element of any kind into the list.
    pub(super) fn put_raw(&mut self, text: &str) {
        let value: Option<Value> = serde_json::from_str(text).ok();
        let id = value.as_ref().and_then(|value| value.get("id")?.as_str());
        // A second element of one id is a fault that a list may have; the first stays readable.
        let id = id.filter(|id| self.tasks.get(id).is_none());
        self.tasks.put_raw(id.map(str::to_owned), text);
    }

    pub(super) fn fill_history(&mut self, count: usize, now: Timestamp) {
        for past in past_tasks(count, RECIPES, now, &mut self.rng) {
            self.tasks.put_past(past);
        }
    }

    pub(super) fn replace_all(&mut self, tasks: Vec<SimTask>, now: Timestamp) {
        self.tasks = Tasks::default();
        for task in tasks {
            let task = self.complete(task, now);
            self.tasks.put(task);
        }
    }

    /// Lets the workload and the restores go on.
    pub(super) fn tick(&mut self, now: Timestamp) {
        // It works on this state, so it cannot stay inside meanwhile.
        if let Some(mut workload) = self.workload.take() {
            workload.run(self, now);
            self.workload = Some(workload);
        }
        let due = |at: &Timestamp| *at <= now;
        while let Some((id, at)) = self
            .restore_steps
            .iter()
            .find(|(_, at)| due(at))
            .map(|(id, at)| (id.clone(), *at))
        {
            self.change(&id, at, SimTask::advance);
            let runs = self.task(&id).is_some_and(|task| !task.status.is_ended());
            if runs {
                self.restore_steps.insert(id, later(at, RESTORE_STEP));
            } else {
                self.restore_steps.remove(&id);
            }
        }
    }

    /// Starts a restore from a backup file.
    pub(super) fn start_restore(&mut self, file: &str, now: Timestamp) -> SimTask {
        let mut task = SimTask::new("SDDCMANAGER_RESTORE", format!("Restore from {file}"));
        for step in [
            "Validate",
            "Decrypt",
            "StopServices",
            "RestoreDatabase",
            "StartServices",
        ] {
            task = task.sub_task(SubTask::new(step, now));
        }
        let mut task = self.complete(task, now);
        task.begin(now);
        self.totals.born(&task);
        self.restores.put(task.clone());
        self.restore_steps
            .insert(task.id.clone(), later(now, RESTORE_STEP));
        task
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let lives = self.workload.as_ref().map(Workload::lives);
        Snapshot {
            tasks: self.tasks.clone(),
            lives: lives.unwrap_or_default(),
        }
    }

    pub(super) fn restore_from(&mut self, snapshot: Snapshot, now: Timestamp) {
        self.tasks = snapshot.tasks;
        if let Some(workload) = &mut self.workload {
            let running = self.tasks.rows().filter(|row| {
                row.status()
                    .is_some_and(|s| matches!(s, TaskStatus::Pending | TaskStatus::InProgress))
            });
            let ids: Vec<String> = running.filter_map(|row| Some(row.task()?.id)).collect();
            workload.restore(snapshot.lives, &ids, now);
        }
    }

    pub(super) fn remember(&mut self, record: RequestRecord) {
        *self.counts.entry(record.endpoint).or_default() += 1;
        if self.records.len() == MOST_RECORDS {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }
}
