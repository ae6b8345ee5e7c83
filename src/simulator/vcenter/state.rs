//! What a vCenter knows, and how it changes.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::call::VcRequest;
use super::history::past_tasks;
use super::life::Living;
use super::options::VcenterOptions;
use super::sessions::Sessions;
use super::task::VcTask;
use super::totals::VcTotals;
use crate::simulator::fault::Fault;

/// The most requests remembered in full; older ones are only counted.
const MOST_RECORDS: usize = 10_000;

/// What a vCenter knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) options: VcenterOptions,
    pub(super) sessions: Sessions,
    pub(super) faults: Vec<Fault>,
    pub(super) totals: VcTotals,
    pub(super) tasks: BTreeMap<String, VcTask>,
    pub(super) living: Option<Living>,
    pub(super) records: VecDeque<VcRequest>,
    /// How many requests there ever were.
    pub(super) calls: usize,
    /// How many list calls there ever were.
    pub(super) lists: usize,
    pub(super) rng: fastrand::Rng,
}

impl State {
    pub(super) fn new(options: VcenterOptions) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(options.seed),
            options,
            sessions: Sessions::default(),
            faults: Vec::new(),
            totals: VcTotals::default(),
            tasks: BTreeMap::new(),
            living: None,
            records: VecDeque::new(),
            calls: 0,
            lists: 0,
        }
    }

    /// Does something at the vCenter's own time when it is `now` outside.
    pub(super) fn at<R>(
        &mut self,
        now: Timestamp,
        action: impl FnOnce(&mut Self, Timestamp) -> R,
    ) -> R {
        let own = now.checked_add(self.options.skew).unwrap_or(now);
        action(self, own)
    }

    /// The service of a task, known or not.
    pub(super) fn service_of<'a>(&'a self, id: &'a str) -> &'a str {
        let in_id = || id.split_once(':').map_or("", |(_, service)| service);
        let known = self.tasks.get(id);
        known.map_or_else(in_id, |task| task.service.as_str())
    }

    /// Gives a task what it lacks and puts it where it is found.
    pub(super) fn give_birth(&mut self, mut task: VcTask, now: Timestamp) -> String {
        task.complete(now, &mut self.rng);
        let id = task.id.clone();
        self.totals.born(&task);
        self.tasks.insert(id.clone(), task);
        id
    }

    /// Changes a task; one that is not there stays away.
    pub(super) fn change(&mut self, id: &str, change: impl FnOnce(&mut VcTask)) {
        if let Some(task) = self.tasks.get_mut(id) {
            let before = task.status;
            change(task);
            self.totals.moved(before, task);
        }
    }

    pub(super) fn fill_history(&mut self, count: usize, now: Timestamp) {
        for mut task in past_tasks(count, &self.options, now, &mut self.rng) {
            task.complete(now, &mut self.rng);
            self.tasks.insert(task.id.clone(), task);
        }
    }

    /// Lets the living tasks go on to `now`.
    pub(super) fn tick(&mut self, now: Timestamp) {
        // They work on this state, so they cannot stay inside meanwhile.
        if let Some(mut living) = self.living.take() {
            living.run(self, now);
            self.living = Some(living);
        }
        self.sweep(now);
    }

    /// Drops the ended tasks that were kept long enough, and idle sessions.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let options = &self.options;
        self.tasks.retain(|_, task| {
            let kept = options.retention_of(&task.service);
            let kept = kept.and_then(|kept| SignedDuration::try_from(kept).ok());
            let end = task.ended.filter(|_| task.status.is_ended());
            !matches!((kept, end), (Some(kept), Some(end)) if now.duration_since(end) >= kept)
        });
        self.sessions.sweep(options.session_life, now);
    }

    pub(super) fn remember(&mut self, record: VcRequest) {
        self.calls += 1;
        if self.records.len() == MOST_RECORDS {
            self.records.pop_front();
        }
        self.records.push_back(record);
    }
}
