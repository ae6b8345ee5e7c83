//! The life in a VirtShell server: tasks are born, go on, end or stick.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::course::{self, Fate, Move};
use super::options::VsShape;
use super::state::State;
use super::workload::VsWorkload;
use crate::simulator::agenda::Agenda;
use crate::simulator::stamp::later;

/// Something that will happen.
#[derive(Clone, Debug)]
enum Event {
    Birth,
    Step(String),
}

/// A workload under way.
#[derive(Debug)]
pub(super) struct Living {
    workload: VsWorkload,
    rng: fastrand::Rng,
    started: bool,
    /// The tasks that move by themselves, by uuid.
    lives: BTreeMap<String, Life>,
    agenda: Agenda<Event>,
}

/// How a task goes on.
#[derive(Clone, Debug)]
struct Life {
    /// The usual length of a step, in milliseconds.
    step: i64,
    /// The status that it was left in.
    status: &'static str,
    moves: VecDeque<Move>,
}

impl Living {
    pub(super) fn new(workload: VsWorkload) -> Self {
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
                Event::Step(uuid) => self.step(state, uuid, at),
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

    fn plan_step(&mut self, uuid: String, step: i64, now: Timestamp) {
        let took = step * self.rng.i64(60..=140) / 100;
        self.agenda.plan(later(now, took.max(1)), Event::Step(uuid));
    }

    fn birth(&mut self, state: &mut State, now: Timestamp) {
        self.plan_birth(now);
        let shape = state.options.shape;
        let fate = self.fate();
        let kind = course::kind(shape, fate, &mut self.rng);
        let task = course::task(kind, &mut self.rng);
        let moves = self.moves(shape, kind, fate);
        let length = self
            .rng
            .i64(10..=40)
            .saturating_mul(millis(self.workload.pace));
        let steps = i64::try_from(moves.len()).unwrap_or(1).max(1);
        let step = length / steps;
        let uuid = state.give_birth(task, now);
        let life = Life {
            step,
            status: "pending",
            moves,
        };
        self.lives.insert(uuid.clone(), life);
        self.plan_step(uuid, step, now);
    }

    fn fate(&mut self) -> Fate {
        let fate = self.rng.f64();
        if fate < self.workload.failing {
            Fate::Fails
        } else if fate < self.workload.failing + self.workload.stuck {
            Fate::Sticks
        } else {
            Fate::Succeeds
        }
    }

    /// What a task has before it; a failed one may be run again.
    fn moves(&mut self, shape: VsShape, kind: &str, fate: Fate) -> VecDeque<Move> {
        let mut moves = course::moves(shape, kind, fate, &mut self.rng);
        if fate == Fate::Fails && self.rng.f64() < self.workload.rerun {
            moves.push_back(("pending", String::new()));
            moves.extend(course::moves(shape, kind, Fate::Succeeds, &mut self.rng));
        }
        moves
    }

    fn step(&mut self, state: &mut State, uuid: String, now: Timestamp) {
        let task = state.tasks.get(&uuid);
        let life = self.lives.get_mut(&uuid);
        let next = task.zip(life).and_then(|(task, life)| {
            let untouched = task.status == life.status;
            let (status, log) = life.moves.pop_front().filter(|_| untouched)?;
            life.status = status;
            Some((status, log, life.step, life.moves.is_empty()))
        });
        let Some((status, log, step, last)) = next else {
            // Somebody else has removed or moved it.
            self.lives.remove(&uuid);
            return;
        };
        state.set_status(&uuid, status, &log, now);
        if last {
            self.lives.remove(&uuid);
        } else {
            self.plan_step(uuid, step, now);
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
