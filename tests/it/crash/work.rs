//! What an SDDC Manager does while its exporter comes and goes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{SddcManager, SimTask, SubTask, TaskError, TaskStatus, Totals};

use crate::support::Page;

/// Two ends of one task that nothing was seen between are told apart by a second.
const APART: Duration = Duration::from_millis(1_200);

const OPERATIONS: [&str; 4] = ["CRASH_A", "CRASH_B", "CRASH_C", "CRASH_D"];
const STEPS: [&str; 3] = ["First", "Second", "Third"];
const CODES: [&str; 3] = ["NO_ANSWER", "NO_SPACE", ""];

/// Random acts on the tasks of an SDDC Manager, none of whose outcomes can be
/// missed: a failed task is retried once its failure was seen on a page.
#[derive(Debug)]
pub(super) struct Work {
    sim: SddcManager,
    rng: fastrand::Rng,
    before: Totals,
    running: Vec<String>,
    failed: Vec<String>,
    /// The failed ones whose failure was seen.
    seen: BTreeSet<String>,
    /// When each task failed last.
    failed_at: BTreeMap<String, Instant>,
    /// Whether the exporter runs.
    pub(super) up: bool,
    /// Tasks that came and ended while it did not.
    pub(super) unwatched: u64,
    /// Retried tasks that failed again.
    pub(super) again: u64,
    /// Tasks that were retried, and ended, while it did not run.
    pub(super) retried_unwatched: u64,
}

impl Work {
    pub(super) fn new(sim: SddcManager, seed: u64) -> Self {
        Self {
            before: sim.totals(),
            sim,
            rng: fastrand::Rng::with_seed(seed),
            running: Vec::new(),
            failed: Vec::new(),
            seen: BTreeSet::new(),
            failed_at: BTreeMap::new(),
            up: false,
            unwatched: 0,
            again: 0,
            retried_unwatched: 0,
        }
    }

    /// What happened least often of what is to happen, and how often.
    pub(super) fn rarest(&self) -> (u64, &'static str) {
        let counts = [
            (self.unwatched, "came and ended while the exporter was down"),
            (self.again, "failed again after a retry"),
            (self.retried_unwatched, "were retried while it was down"),
        ];
        counts.into_iter().min().unwrap()
    }

    /// What happened so far.
    pub(super) fn totals(&self) -> Totals {
        self.sim.totals().since(&self.before)
    }

    /// Does one thing.
    pub(super) fn act(&mut self) {
        match self.rng.u32(..20) {
            0..5 => drop(self.begin()),
            5..7 => {
                let id = self.begin();
                self.unwatched += u64::from(!self.up);
                self.end(&id);
            }
            7..10 => {
                if let Some(id) = self.rng.choice(&self.running) {
                    // The last step ends the task well.
                    self.sim.advance(id);
                }
                self.settle();
            }
            10..15 => {
                if let Some(id) = self.rng.choice(&self.running).cloned() {
                    self.end(&id);
                }
            }
            15..18 => drop(self.retry()),
            _ => {
                if let Some(id) = self.retry() {
                    self.retried_unwatched += u64::from(!self.up);
                    self.end(&id);
                }
            }
        }
    }

    fn begin(&mut self) -> String {
        let now = Clock::system().now();
        let operation = OPERATIONS[self.rng.usize(..OPERATIONS.len())];
        let mut task = SimTask::new(operation, "Work").created(now);
        for name in STEPS {
            task = task.sub_task(SubTask::new(name, now));
        }
        let id = self.sim.add(task.running());
        self.running.push(id.clone());
        id
    }

    /// Ends a running task in any way that cannot be mistaken for an end before.
    fn end(&mut self, id: &str) {
        let failed_at = self.failed_at.get(id).copied();
        let soon = failed_at.is_some_and(|at| at.elapsed() < APART);
        match self.rng.u32(..10) {
            0..5 if !soon => {
                let code = CODES[self.rng.usize(..CODES.len())];
                self.again += u64::from(failed_at.is_some());
                self.sim.fail(id, TaskError::new(code, "It failed"));
                self.failed.push(id.to_owned());
                self.failed_at.insert(id.to_owned(), Instant::now());
            }
            5 => drop(self.sim.cancel(id)),
            6 => self.sim.set_status(id, TaskStatus::CompletedWithWarning),
            7 => self.sim.set_status(id, TaskStatus::Skipped),
            _ => self.sim.succeed(id),
        }
        self.settle();
    }

    fn retry(&mut self) -> Option<String> {
        let seen: Vec<_> = self.seen.iter().cloned().collect();
        let id = self.rng.choice(seen)?;
        assert!(self.sim.retry(&id), "{id} has not failed");
        self.seen.remove(&id);
        self.failed.retain(|failed| *failed != id);
        self.running.push(id.clone());
        Some(id)
    }

    /// Forgets the tasks that have ended.
    fn settle(&mut self) {
        let sim = &self.sim;
        self.running.retain(|id| {
            let task = sim.task(id).unwrap();
            !task.status.is_ended()
        });
    }

    /// Takes in what a page shows: the ends of failed tasks, each of which was
    /// committed before.
    pub(super) fn saw(&mut self, page: &Page) {
        let ends = page.family("virt_open_task_end_timestamp_seconds", &[]);
        let ends: BTreeMap<_, _> = ends
            .iter()
            .map(|sample| (sample.labels["task_id"].as_str(), sample.value))
            .collect();
        for id in &self.failed {
            let ended = self.sim.task(id).and_then(|task| task.completed);
            let shown = ends.get(id.as_str());
            // An earlier failure of the task has another end.
            if let (Some(ended), Some(shown)) = (ended, shown)
                && (ended.as_duration().as_secs_f64() - shown).abs() < 0.002
            {
                self.seen.insert(id.clone());
            }
        }
    }
}
