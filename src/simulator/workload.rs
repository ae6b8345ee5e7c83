//! The life in a living SDDC Manager: tasks are born, run, fail and are retried.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::agenda::{Agenda, Event};
use super::recipe::{FailureRecipe, Recipe};
use super::recipes::RECIPES;
use super::stamp::later;
use super::state::State;
use super::status::TaskStatus;
use super::task::SimTask;

/// How many of a hundred failed tasks are retried by somebody.
const RETRIED: u32 = 60;

/// How many of a hundred retries meet the same failure again.
const FAILING_AGAIN: u32 = 25;

/// How many of a hundred steps of a cancellable task are cancelled.
const CANCELLED: u32 = 1;

/// How many of a hundred tasks wait before they start.
const QUEUED: u32 = 15;

/// Tasks that come to be and move on by themselves.
///
/// What happens depends on the seed and the time only, and not on how often
/// the clock is looked at.
#[derive(Debug)]
pub struct Workload {
    /// Births per second; 0 for none.
    rate: f64,
    recipes: Vec<Recipe>,
    /// The unit of the recipes' lengths, in milliseconds.
    pace: i64,
    /// How long ended tasks stay, in milliseconds.
    retention: Option<i64>,
    /// How long it has gone on when first looked at, in milliseconds.
    lead: i64,
    rng: fastrand::Rng,
    started: bool,
    lives: Lives,
    agenda: Agenda<Event>,
}

/// The tasks that move by themselves, by id.
pub(super) type Lives = BTreeMap<String, Life>;

/// How a task goes on.
#[derive(Clone, Debug)]
pub(super) struct Life {
    cancellable: bool,
    /// The usual length of a step, in milliseconds.
    step: i64,
    /// The failure that waits for it.
    failure: Option<FailureRecipe>,
    /// Events planned before the last retry bear a smaller number.
    turn: u32,
}

impl Workload {
    /// A workload with so many births per second over the table of recipes.
    ///
    /// A negative rate, or one that is no number, means none.
    pub fn new(rate: f64, seed: u64) -> Self {
        Self {
            rate,
            recipes: RECIPES.to_vec(),
            pace: 1_000,
            retention: None,
            lead: 120_000,
            rng: fastrand::Rng::with_seed(seed),
            started: false,
            lives: Lives::new(),
            agenda: Agenda::default(),
        }
    }

    /// With other recipes.
    #[must_use]
    pub fn recipes(mut self, recipes: impl Into<Vec<Recipe>>) -> Self {
        self.recipes = recipes.into();
        self
    }

    /// With another unit of the recipes' lengths; a second when not set.
    #[must_use]
    pub fn pace(mut self, unit: Duration) -> Self {
        self.pace = millis(unit);
        self
    }

    /// With ended tasks removed so long after their end; never when not set.
    #[must_use]
    pub fn retention(mut self, keep: Duration) -> Self {
        self.retention = Some(millis(keep));
        self
    }

    /// With so much time that it went on before it is first looked at; two
    /// minutes when not set, so that there are tasks in all states at once.
    #[must_use]
    pub fn lead(mut self, lead: Duration) -> Self {
        self.lead = millis(lead);
        self
    }

    /// Lets everything happen that is due.
    pub(super) fn run(&mut self, state: &mut State, now: Timestamp) {
        if !self.started {
            self.started = true;
            self.plan_birth(later(now, -self.lead));
        }
        while let Some((at, event)) = self.agenda.next_due(now) {
            match event {
                Event::Birth => self.birth(state, at),
                Event::Step { id, turn } => self.step(state, &id, turn, at),
                Event::Retry { id, turn } => self.retry(state, &id, turn, at),
                Event::Removal { id } => self.removal(state, &id, at),
            }
        }
    }

    /// Goes on with a task that somebody else retried.
    pub(super) fn resume(&mut self, id: &str, now: Timestamp) {
        let Some(life) = self.lives.get_mut(id) else {
            return;
        };
        life.failure = None;
        life.turn += 1;
        self.plan_step(id, now);
    }

    pub(super) fn lives(&self) -> Lives {
        self.lives.clone()
    }

    /// Goes back to other lives; `running` are the ids that go on.
    pub(super) fn restore(&mut self, lives: Lives, running: &[String], now: Timestamp) {
        self.agenda.forget_lives();
        self.lives = lives;
        for id in running {
            self.plan_step(id, now);
        }
    }

    /// Plans the next birth; the gaps are those of independent events.
    fn plan_birth(&mut self, after: Timestamp) {
        if self.rate > 0.0 {
            let gap = -(1.0 - self.rng.f64()).ln() / self.rate;
            let gap = Duration::try_from_secs_f64(gap).unwrap_or(Duration::MAX);
            self.agenda
                .plan(later(after, millis(gap).max(1)), Event::Birth);
        }
    }

    fn plan_step(&mut self, id: &str, now: Timestamp) {
        if let Some(life) = self.lives.get(id) {
            let took = life.step * self.rng.i64(60..=140) / 100;
            let event = Event::Step {
                id: id.to_owned(),
                turn: life.turn,
            };
            self.agenda.plan(later(now, took.max(1)), event);
        }
    }

    fn plan_removal(&mut self, id: &str, now: Timestamp) {
        if let Some(keep) = self.retention {
            let event = Event::Removal { id: id.to_owned() };
            self.agenda.plan(later(now, keep), event);
        }
    }

    fn chance(&mut self, of_a_hundred: u32) -> bool {
        self.rng.u32(..100) < of_a_hundred
    }

    fn birth(&mut self, state: &mut State, now: Timestamp) {
        self.plan_birth(now);
        let Some(recipe) = self.pick() else {
            return;
        };
        let mut task = recipe.build(&mut self.rng).planned(now);
        let (least, most) = recipe.length;
        let units = i64::from(self.rng.u32(least.min(most)..=most));
        let steps = i64::try_from(task.steps()).unwrap_or(i64::MAX);
        let fails = self.chance(recipe.failing);
        let life = Life {
            cancellable: recipe.cancellable,
            step: units.saturating_mul(self.pace) / steps.max(1),
            failure: self.rng.choice(recipe.failures).copied().filter(|_| fails),
            turn: 0,
        };
        if !self.chance(QUEUED) {
            task.begin(now);
        }
        let id = state.give_birth(task, now);
        self.lives.insert(id.clone(), life);
        self.plan_step(&id, now);
    }

    /// One of the recipes, by their weights.
    fn pick(&mut self) -> Option<Recipe> {
        let weights = self.recipes.iter().map(|recipe| recipe.weight).sum::<u32>();
        let mut drawn = self.rng.u32(..weights.max(1));
        self.recipes.iter().copied().find(|recipe| {
            let found = drawn < recipe.weight;
            drawn = drawn.saturating_sub(recipe.weight);
            found
        })
    }

    fn step(&mut self, state: &mut State, id: &str, turn: u32, now: Timestamp) {
        let Some(life) = self.lives.get(id).filter(|life| life.turn == turn).cloned() else {
            return;
        };
        let Some(mut task) = state.task(id) else {
            self.lives.remove(id);
            return;
        };
        match task.status {
            TaskStatus::Pending => state.change(id, now, SimTask::begin),
            TaskStatus::InProgress => {
                let failure = life
                    .failure
                    .filter(|failure| task.running_step().as_deref() == Some(failure.step));
                match failure {
                    Some(failure) => {
                        let error = failure.error(&task);
                        state.change(id, now, |task, now| task.fail(error, now));
                    }
                    None if life.cancellable && self.chance(CANCELLED) => {
                        state.change(id, now, SimTask::cancel);
                    }
                    None => state.change(id, now, SimTask::advance),
                }
            }
            _ => {}
        }
        self.after_step(state, id, turn, now);
    }

    /// Plans what follows from the state a task is in after a step.
    fn after_step(&mut self, state: &State, id: &str, turn: u32, now: Timestamp) {
        let status = state.task(id).map(|task| task.status);
        match status {
            Some(TaskStatus::Pending | TaskStatus::InProgress) => self.plan_step(id, now),
            Some(TaskStatus::Failed) => {
                self.plan_removal(id, now);
                if self.chance(RETRIED) {
                    let wait = self.pace * self.rng.i64(5..=30);
                    let id = id.to_owned();
                    self.agenda
                        .plan(later(now, wait), Event::Retry { id, turn });
                }
            }
            _ => {
                self.plan_removal(id, now);
                self.lives.remove(id);
            }
        }
    }

    fn retry(&mut self, state: &mut State, id: &str, turn: u32, now: Timestamp) {
        let failed = state
            .task(id)
            .is_some_and(|task| task.status == TaskStatus::Failed);
        let again = self.chance(FAILING_AGAIN);
        let Some(life) = self.lives.get_mut(id).filter(|life| life.turn == turn) else {
            return;
        };
        if failed {
            life.turn += 1;
            if !again {
                life.failure = None;
            }
            state.run_again(id, now);
            self.plan_step(id, now);
        }
    }

    /// Removes a task, unless it was retried since.
    fn removal(&mut self, state: &mut State, id: &str, now: Timestamp) {
        let keep = self.retention.unwrap_or_default();
        let old = state.task(id).is_some_and(|task| {
            task.status.is_ended() && task.completed.is_some_and(|end| end <= later(now, -keep))
        });
        if old {
            state.remove(id);
            self.lives.remove(id);
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
