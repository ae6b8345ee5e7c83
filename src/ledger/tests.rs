use super::*;
use crate::task::{Call, Node, NodeKind, Resource, Task, TaskError, fold};

mod baseline;
mod births;
mod episodes;
mod failures;
mod listing;
mod model;

const PART: &str = "tasks";
const LIMITS: Limits = Limits {
    retention: Duration::from_secs(30 * 86_400),
    failure_open_for: Duration::from_secs(30 * 86_400),
    birth_hold: Duration::ZERO,
    operations: 200,
    subtask_names: 500,
    error_codes: 100,
};

/// So many seconds after noon of a day.
fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(second)
}

/// A task of the operation `OP`, in the SDDC Manager's words.
fn task(id: &str, word: &str) -> Task {
    let status = match word {
        "IN_PROGRESS" => Status::Running,
        "SUCCESSFUL" => Status::Succeeded,
        "FAILED" => Status::Failed,
        "CANCELLED" => Status::Cancelled,
        _ => Status::Unknown,
    };
    Task {
        name: format!("Task {id}"),
        status,
        word: fold(word),
        started: Some(at(0)),
        resources: vec![Resource {
            id: "host-1".to_owned(),
            kind: "HOST".to_owned(),
            name: String::new(),
        }],
        ..Task::running(id, "OP")
    }
}

fn ended(id: &str, word: &str, end: i64) -> Task {
    Task {
        ended: Some(at(end)),
        ..task(id, word)
    }
}

fn failed_in(id: &str, subtasks: &[&str]) -> Task {
    let node = |name: &&str| Node {
        name: (*name).to_owned(),
        kind: NodeKind::SubTask,
        status: Status::Failed,
        moved: None,
        errors: Vec::new(),
        children: Vec::new(),
    };
    Task {
        subtasks: subtasks.iter().map(node).collect(),
        errors: vec![TaskError {
            code: Some("CODE".to_owned()),
            ..TaskError::default()
        }],
        ..task(id, "FAILED")
    }
}

/// A ledger and the source that it follows.
struct Story {
    ledger: Ledger,
    second: i64,
}

impl Story {
    /// After a baseline of these tasks.
    fn after(baseline: Vec<Task>) -> Self {
        let mut story = Self {
            ledger: Ledger::new(LIMITS),
            second: 0,
        };
        story.poll(baseline);
        story
    }

    /// A complete listing of these tasks, a minute after the last.
    fn poll(&mut self, tasks: Vec<Task>) -> Vec<Event> {
        self.apply(listing(tasks, true))
    }

    fn apply(&mut self, listing: Listing) -> Vec<Event> {
        self.second += 60;
        let now = at(self.second);
        let now = Now {
            here: now,
            there: now,
        };
        let changes = self.ledger.apply(listing, now);
        self.check_sums();
        changes.into_iter().map(|change| change.event).collect()
    }

    fn check_sums(&self) {
        let listed = self.ledger.entries.values();
        let listed = listed.filter(|entry| entry.is_listed()).count();
        let counted = self.ledger.operations().iter();
        let counted: u64 = counted
            .map(|(_, operation)| self.ledger.counts(operation).total())
            .sum();
        assert_eq!(u64::try_from(listed).unwrap(), counted);
    }

    fn sum(&self, counts: impl Fn(Child) -> bool) -> u64 {
        let all = self.ledger.totals().counts();
        all.filter(|(child, _)| counts(*child))
            .map(|(_, count)| count)
            .sum()
    }

    fn finished(&self, status: Status) -> u64 {
        self.sum(|child| matches!(child, Child::Finished(_, each) if each == status))
    }

    fn failures(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Failures(..)))
    }

    fn subtask_failures(&self) -> u64 {
        self.sum(|child| matches!(child, Child::SubtaskFailures(..)))
    }

    fn started(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Started(_)))
    }

    fn vanished(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Vanished(_)))
    }

    fn open(&self) -> Vec<&str> {
        let open = self.ledger.open();
        let mut ids: Vec<_> = open.map(|open| open.task.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }
}

fn listing(tasks: Vec<Task>, whole: bool) -> Listing {
    let mut listing = Listing::new();
    for task in tasks {
        listing.meet(PART, Call::List, task);
    }
    listing.read(PART, whole);
    listing
}
