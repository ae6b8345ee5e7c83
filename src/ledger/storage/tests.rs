//! What becomes of files that are not as we left them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{Folder, Identity};
use crate::ledger::{KeptLedger, Limits, Now};
use crate::task::{Call, Listing, Node, NodeKind, Resource, Status, Task, TaskError};

mod damage;
mod foreign;
mod memory;
mod panics;

const LIMITS: Limits = Limits {
    retention: Duration::from_secs(30 * 86_400),
    failure_open_for: Duration::from_secs(30 * 86_400),
    birth_hold: Duration::ZERO,
    operations: 3,
    subtask_names: 5,
    error_codes: 5,
};

/// Where redb's header has its flags: the lowest is the slot of the last commit, another
/// one says that it was made in two phases (redb's docs/design.md, 4.5).
const FLAGS: usize = 9;
const TWO_PHASES: u8 = 1 << 2;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing here depends on how long it takes"
)]
fn instant() -> Instant {
    Instant::now()
}

fn identity() -> Identity {
    Identity {
        source: "a".to_owned(),
        system: "sddc_manager".to_owned(),
        url: "https://a.example".to_owned(),
    }
}

/// The folder of the ledgers, and the source whose ledger is looked at.
struct Place {
    scratch: tempfile::TempDir,
    identity: Identity,
}

impl Place {
    fn new() -> Self {
        Self {
            scratch: tempfile::tempdir().unwrap(),
            identity: identity(),
        }
    }

    fn path(&self) -> &Path {
        self.scratch.path()
    }

    fn file(&self) -> PathBuf {
        self.path().join("a.redb")
    }

    fn open(&self) -> KeptLedger {
        let folder = Folder::lock(self.path()).unwrap();
        KeptLedger::open(&folder, self.identity.clone(), LIMITS, now()).unwrap()
    }

    /// The files beside the ledger, without the lock.
    fn others(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut others: Vec<_> = paths
            .filter(|path| !path.ends_with(".lock") && *path != self.file())
            .collect();
        others.sort();
        others
    }
}

fn task(number: i64, status: Status) -> Task {
    let started = now() - SignedDuration::from_secs(number);
    let failed = status == Status::Failed;
    let node = Node {
        name: format!("step {}", number % 7),
        kind: NodeKind::SubTask,
        status,
        moved: None,
        errors: Vec::new(),
        children: Vec::new(),
    };
    Task {
        id: format!("t{number}"),
        name: format!("Task {number}"),
        operation: format!("OPERATION_{}", number % 4),
        status,
        word: status.as_str().to_owned(),
        started: Some(started),
        ended: status
            .is_outcome()
            .then(|| started + SignedDuration::from_secs(number % 50)),
        moved: None,
        invalid_timestamps: false,
        resolved: false,
        retryable: None,
        resources: vec![Resource {
            id: format!("host-{number}"),
            kind: "HOST".to_owned(),
            name: String::new(),
        }],
        errors: Vec::from_iter(failed.then(|| TaskError {
            code: Some(format!("CODE_{}", number % 6)),
            ..TaskError::default()
        })),
        subtasks: vec![node],
        progress: Some(0.1),
    }
}

/// Polls a list of tasks of every status, of which `round` more have ended.
fn poll(kept: &mut KeptLedger, round: i64) {
    let mut listing = Listing::new();
    for number in 0..60 {
        let ends = number % 3 != 0 && number / 3 < round;
        let outcome = Status::OUTCOMES[usize::try_from(number % 5).unwrap()];
        let status = if ends { outcome } else { Status::Running };
        listing.meet("tasks", Call::List, task(number, status));
    }
    listing.read("tasks", true);
    let here = now() + SignedDuration::from_secs(round);
    let there = here;
    kept.apply(listing, Now { here, there });
    kept.commit(instant(), here);
    assert_eq!(kept.commit_failures(), 0);
}

/// All that a ledger knows, as a text.
fn content(mut kept: KeptLedger) -> String {
    kept.ledger_mut().dump()
}
