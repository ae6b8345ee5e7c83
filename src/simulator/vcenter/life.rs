//! The life in a vCenter: tasks are born, run and end.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::error::VcError;
use super::recipes::{self, Recipe};
use super::state::State;
use super::status::VcStatus;
use super::workload::VcWorkload;
use crate::simulator::agenda::Agenda;
use crate::simulator::stamp::later;

/// In how many steps a task goes from its start to its end.
const STEPS: i64 = 10;

/// Something that will happen.
#[derive(Clone, Debug)]
enum Event {
    Birth,
    Step(String),
}

/// A workload under way.
#[derive(Debug)]
pub(super) struct Living {
    workload: VcWorkload,
    rng: fastrand::Rng,
    started: bool,
    /// The tasks that move by themselves, by id.
    lives: BTreeMap<String, Life>,
    agenda: Agenda<Event>,
}

/// How a task goes on.
#[derive(Clone, Debug)]
struct Life {
    /// The usual length of a step, in milliseconds.
    step: i64,
    steps_done: i64,
    /// After how many steps it waits, if it does.
    blocks_at: Option<i64>,
    /// After how many steps it ends badly, and how.
    fails_at: Option<(i64, VcError)>,
}

impl Living {
    pub(super) fn new(workload: VcWorkload) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(workload.seed),
            workload,
            started: false,
            lives: BTreeMap::new(),
            agenda: Agenda::default(),
        }
    }

    /// Lets everything happen that is due.
    pub(super) fn run(&mut self, state: &mut State, now: Timestamp) {
        if !self.started {
            self.started = true;
            self.plan_birth(later(now, -millis(self.workload.lead)));
        }
        while let Some((at, event)) = self.agenda.next_due(now) {
            match event {
                Event::Birth => self.birth(state, at),
                Event::Step(id) => self.step(state, id, at),
            }
        }
    }

    /// Plans the next birth; the gaps are those of independent events.
    fn plan_birth(&mut self, after: Timestamp) {
        if self.workload.rate > 0.0 {
            let gap = -(1.0 - self.rng.f64()).ln() / self.workload.rate * 60.0;
            let gap = Duration::try_from_secs_f64(gap).unwrap_or(Duration::MAX);
            self.agenda
                .plan(later(after, millis(gap).max(1)), Event::Birth);
        }
    }

    fn plan_step(&mut self, id: String, step: i64, now: Timestamp) {
        let took = step * self.rng.i64(60..=140) / 100;
        self.agenda.plan(later(now, took.max(1)), Event::Step(id));
    }

    fn birth(&mut self, state: &mut State, now: Timestamp) {
        self.plan_birth(now);
        let Some(recipe) = recipes::pick(&state.options, &mut self.rng) else {
            return;
        };
        let life = self.life(recipe);
        let step = life.step;
        let id = state.give_birth(recipe.build(&mut self.rng), now);
        self.lives.insert(id.clone(), life);
        self.plan_step(id, step, now);
    }

    /// What a task of a recipe has before it.
    fn life(&mut self, recipe: &Recipe) -> Life {
        let (least, most) = recipe.length;
        let units = i64::from(self.rng.u32(least.min(most)..=most));
        let fate = self.rng.f64();
        let error = if fate < self.workload.failing {
            Some(recipe.failure(&mut self.rng))
        } else {
            let canceled = fate < self.workload.failing + self.workload.canceled;
            (canceled && recipe.cancelable).then(VcError::canceled)
        };
        let blocks = self.rng.f64() < self.workload.blocked;
        Life {
            step: units.saturating_mul(millis(self.workload.pace)) / STEPS,
            steps_done: 0,
            blocks_at: blocks.then(|| self.rng.i64(1..STEPS)),
            fails_at: error.map(|error| (self.rng.i64(1..STEPS), error)),
        }
    }

    fn step(&mut self, state: &mut State, id: String, now: Timestamp) {
        let task = state.tasks.get(&id).filter(|task| !task.status.is_ended());
        let (Some(task), Some(life)) = (task, self.lives.get_mut(&id)) else {
            // Somebody else has removed or ended it.
            self.lives.remove(&id);
            return;
        };
        let (status, total) = (task.status, task.progress.1);
        if matches!(status, VcStatus::Pending | VcStatus::Blocked) {
            state.change(&id, |task| task.begin(now));
        } else if life.blocks_at == Some(life.steps_done) {
            life.blocks_at = None;
            state.change(&id, |task| task.block(now));
        } else {
            life.advance(state, &id, total, now);
        }
        let step = life.step;
        if state
            .tasks
            .get(&id)
            .is_some_and(|task| task.status.is_ended())
        {
            self.lives.remove(&id);
        } else {
            self.plan_step(id, step, now);
        }
    }
}

impl Life {
    /// Takes a running task one step on, perhaps to its end.
    fn advance(&mut self, state: &mut State, id: &str, total: i64, now: Timestamp) {
        self.steps_done += 1;
        let done = self.steps_done;
        match self.fails_at.take_if(|(at, _)| *at == done) {
            Some((_, error)) => state.change(id, |task| task.fail(error, now)),
            None if done >= STEPS => state.change(id, |task| task.succeed(now)),
            None => state.change(id, |task| task.reach(total * done / STEPS, now)),
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
