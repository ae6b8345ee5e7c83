//! A source that is as simple as can be, and what can happen at it.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::super::task;
use crate::task::{Node, NodeKind, Status, Task, TaskError};

/// What happens at the source. Places are those of tasks in the list.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// A task appears, running or ended.
    Birth(Option<Status>, bool),
    /// It stands so from now on; with an end that is known, if it is an outcome.
    Stand(usize, Status, bool),
    /// A retry that nobody sees: the same outcome, ended so much later.
    Repeat(usize, i64),
    /// It is shown as it was at the last backup, and the backup has what it was:
    /// twice in a row, a list that goes back and forth.
    Flap(usize),
    /// It leaves the list.
    Remove(usize),
    /// The list is as it was at the last backup; or a backup is made.
    Restore,
    Backup,
    /// The source's clock is set.
    Step(i64),
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let place = 0..6_usize;
    let status = || proptest::sample::select(&Status::ALL[..]);
    let known = || prop::bool::weighted(0.9);
    prop_oneof![
        4 => (prop::option::weighted(0.3, status()), known()).prop_map(|(status, known)| Act::Birth(status, known)),
        8 => (place.clone(), status(), known()).prop_map(|(at, status, known)| Act::Stand(at, status, known)),
        2 => (place.clone(), prop_oneof![Just(300), Just(999), Just(1000), Just(90_000)]).prop_map(|(at, later)| Act::Repeat(at, later)),
        3 => place.clone().prop_map(Act::Flap),
        2 => place.prop_map(Act::Remove),
        2 => Just(Act::Restore),
        2 => Just(Act::Backup),
        1 => prop_oneof![-4000..4000_i64, Just(400 * 86_400)].prop_map(Act::Step),
    ]
}

/// The tasks of a source, and its clock.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) tasks: Vec<Task>,
    backup: Vec<Task>,
    born: usize,
    pub(super) now: Timestamp,
}

impl World {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            tasks: Vec::new(),
            backup: Vec::new(),
            born: 0,
            now,
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    fn flap(&mut self, at: usize) {
        let Some(task) = self.tasks.get_mut(at) else {
            return;
        };
        if let Some(before) = self.backup.iter_mut().find(|each| each.id == task.id) {
            std::mem::swap(task, before);
        }
    }

    pub(super) fn act(&mut self, act: &Act) {
        self.now += SignedDuration::from_secs(3);
        let now = self.now;
        match act {
            Act::Birth(status, known) => {
                let mut task = born(self.born, now);
                self.born += 1;
                if let Some(status) = status {
                    stand(&mut task, *status, known.then_some(now));
                }
                self.tasks.push(task);
            }
            Act::Stand(at, status, known) => {
                if let Some(task) = self.tasks.get_mut(*at) {
                    stand(task, *status, known.then_some(now));
                }
            }
            Act::Repeat(at, later) => {
                let task = self.tasks.get_mut(*at);
                if let Some(ended) = task.and_then(|task| task.ended.as_mut()) {
                    *ended += SignedDuration::from_millis(*later);
                }
            }
            Act::Flap(at) => self.flap(*at),
            Act::Remove(at) if *at < self.tasks.len() => drop(self.tasks.remove(*at)),
            Act::Remove(_) => {}
            Act::Restore => self.tasks.clone_from(&self.backup),
            Act::Backup => self.backup.clone_from(&self.tasks),
            Act::Step(seconds) => self.now += SignedDuration::from_secs(*seconds),
        }
    }
}

fn born(number: usize, now: Timestamp) -> Task {
    Task {
        operation: ["A", "B"][number % 2].to_owned(),
        started: (number % 5 != 4).then_some(now),
        resources: Vec::new(),
        ..task(&format!("t{number}"), "IN_PROGRESS")
    }
}

/// Sets how a task stands, as a source would show it.
fn stand(task: &mut Task, status: Status, ended: Option<Timestamp>) {
    let failed = status == Status::Failed;
    task.status = status;
    status.as_str().clone_into(&mut task.word);
    let in_order = ended.filter(|ended| task.started.is_none_or(|started| *ended >= started));
    task.ended = in_order.filter(|_| status.is_outcome());
    task.errors = Vec::from_iter(failed.then(|| TaskError {
        code: Some(format!("CODE_{}", task.id.len())),
        ..TaskError::default()
    }));
    let node = |name: &str| Node {
        name: name.to_owned(),
        kind: NodeKind::SubTask,
        status,
        moved: None,
        errors: Vec::new(),
        children: Vec::new(),
    };
    task.subtasks = vec![node("first"), node("second")];
}
