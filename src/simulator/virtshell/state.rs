//! What a VirtShell server knows, and how it changes.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::call::VsRequest;
use super::history::past_tasks;
use super::life::Living;
use super::options::VirtShellOptions;
use super::task::VsTask;
use super::tasks::Tasks;
use super::totals::VsTotals;
use crate::simulator::fault::Fault;

/// The most requests remembered in full; older ones are only counted.
const MOST_RECORDS: usize = 10_000;

/// What a VirtShell server knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: VirtShellOptions,
    pub(super) faults: Vec<Fault>,
    pub(super) totals: VsTotals,
    pub(super) tasks: Tasks,
    pub(super) living: Option<Living>,
    pub(super) records: VecDeque<VsRequest>,
    /// How many requests there ever were.
    pub(super) calls: usize,
    pub(super) rng: fastrand::Rng,
}

impl State {
    pub(super) fn new(options: VirtShellOptions) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(options.seed),
            options,
            faults: Vec::new(),
            totals: VsTotals::default(),
            tasks: Tasks::default(),
            living: None,
            records: VecDeque::new(),
            calls: 0,
        }
    }

    /// Gives a task what it lacks and stores it.
    pub(super) fn give_birth(&mut self, mut task: VsTask, now: Timestamp) -> String {
        task.complete(now, &mut self.rng);
        let uuid = task.uuid.clone();
        self.totals.born(&task);
        self.tasks.put(task);
        uuid
    }

    /// Puts a task into a status; one that is not there stays away.
    pub(super) fn set_status(&mut self, uuid: &str, status: &str, log: &str, now: Timestamp) {
        if let Some(task) = self.tasks.get_mut(uuid) {
            let before = task.outcome();
            task.move_to(status, log, now);
            self.totals.moved(before, task);
        }
    }

    pub(super) fn fill_history(&mut self, count: usize, now: Timestamp) {
        for mut task in past_tasks(count, self.options.shape, now, &mut self.rng) {
            task.complete(now, &mut self.rng);
            self.tasks.put(task);
        }
    }

    /// Lets the living tasks go on to `now`.
    pub(super) fn tick(&mut self, now: Timestamp) {
        // They work on this state, so they cannot stay inside meanwhile.
        if let Some(mut living) = self.living.take() {
            living.run(self, now);
            self.living = Some(living);
        }
    }

    pub(super) fn remember(&mut self, record: VsRequest) {
        self.calls += 1;
        if self.records.len() == MOST_RECORDS {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }
}
