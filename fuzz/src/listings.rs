//! Sequences of listings, in any order and at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use virt_task_exporter::ledger::{Amount, Child, KeptLedger, Limits, Now};
use virt_task_exporter::task::{
    Call, Extent, Listing, Node, NodeKind, Resource, Status, Task, TaskError, TaskKey,
};

use super::bytes::{Bytes, noon};

const PARTS: [&str; 2] = ["tasks", "restores"];
const EXTENTS: [Extent; 5] = [
    Extent::Whole,
    Extent::Whole,
    Extent::Unfinished,
    Extent::Newest,
    Extent::Part,
];

/// Tasks that the source is known to list: the part and the status of each.
type Listed = BTreeMap<TaskKey, (usize, Status)>;

/// A ledger under any listings: its counts never fall, they fit together, a
/// listing that comes twice changes nothing, and the counts by status are those of
/// the tasks that are listed.
pub fn listings(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let hold = bytes.one_of(&[0, 60]);
    let mut watched = Watched::new(Duration::from_secs(hold));
    let mut poll = Reading::default();
    while !bytes.is_empty() {
        match bytes.next() % 8 {
            0..=4 => poll.meet(&mut bytes),
            5 => poll.listing.gone(TaskKey::of(&id(bytes.next()))),
            6 => watched.scrape(bytes.next()),
            _ => watched.poll(std::mem::take(&mut poll), &mut bytes),
        }
    }
    watched.poll(poll, &mut bytes);
}

/// A listing as it is read, and the same as the reference has it.
#[derive(Debug, Default)]
struct Reading {
    listing: Listing,
    met: Listed,
}

impl Reading {
    fn meet(&mut self, bytes: &mut Bytes<'_>) {
        let part = usize::from(bytes.next() % 2);
        let call = bytes.one_of(&[Call::List, Call::ById]);
        let task = task(bytes);
        self.met.insert(task.key(), (part, task.status));
        self.listing.meet(PARTS[part], call, task);
    }
}

fn id(number: u8) -> String {
    format!("t{}", number % 16)
}

/// A time around noon, or none.
fn time(byte: u8) -> Option<Timestamp> {
    let minutes = i64::from(byte) - 200;
    (byte > 0).then(|| noon() + SignedDuration::from_mins(minutes))
}

fn task(bytes: &mut Bytes<'_>) -> Task {
    let status = bytes.one_of(&Status::ALL);
    let (id, kind) = (id(bytes.next()), bytes.next() % 4);
    let (started, ended) = (time(bytes.next()), time(bytes.next()));
    let failed = status == Status::Failed;
    let step = Node {
        name: format!("Step{kind}"),
        kind: NodeKind::SubTask,
        status,
        moved: None,
        errors: Vec::new(),
        children: Vec::new(),
    };
    Task {
        id,
        name: "Does something".to_owned(),
        operation: format!("OPERATION{kind}"),
        status,
        word: status.as_str().to_owned(),
        started,
        ended: ended.max(started).filter(|_| status.is_outcome()),
        moved: None,
        invalid_timestamps: false,
        resolved: failed && bytes.next() == 1,
        retryable: None,
        resources: vec![Resource {
            id: format!("r{kind}"),
            ..Resource::default()
        }],
        errors: vec![TaskError {
            code: failed.then(|| format!("CODE{kind}")),
            ..TaskError::default()
        }],
        subtasks: vec![step],
        progress: None,
    }
}

/// A ledger, and what was seen of it.
#[derive(Debug)]
struct Watched {
    kept: KeptLedger,
    hold: Duration,
    now: Now,
    instant: Instant,
    listed: Listed,
    counts: BTreeMap<Child, u64>,
    shown: BTreeMap<Child, u64>,
}

impl Watched {
    fn new(hold: Duration) -> Self {
        let kept = KeptLedger::in_memory(Limits {
            retention: Duration::from_secs(7_200),
            failure_open_for: Duration::from_secs(10_800),
            birth_hold: hold,
            operations: 3,
            subtask_names: 3,
            error_codes: 3,
        });
        Self {
            kept,
            hold,
            now: Now {
                here: noon(),
                there: noon(),
            },
            instant: Instant::now(),
            listed: Listed::new(),
            counts: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    /// Somebody looks at the page, some seconds after the last commit.
    fn scrape(&mut self, seconds: u8) {
        let at = self.instant.into_std();
        self.kept.scraped(Some(at));
        self.instant += Duration::from_secs(seconds.into());
        self.kept.commit(self.instant.into_std(), self.now.here);
        self.kept.published(Some(at));
        self.look();
    }

    /// A poll ends; the clocks may have jumped.
    fn poll(&mut self, mut reading: Reading, bytes: &mut Bytes<'_>) {
        let mut whole = [false; PARTS.len()];
        for (part, whole) in PARTS.iter().zip(&mut whole) {
            let extent = bytes.one_of(&EXTENTS);
            *whole = extent == Extent::Whole;
            reading.listing.read(part, extent);
        }
        let step = |byte: u8| SignedDuration::from_mins(i64::from(byte) - 64);
        self.now.here += step(bytes.next());
        self.now.there += step(bytes.next());
        self.follow(&reading, whole);
        self.kept.apply(reading.listing.clone(), self.now);
        self.look();
        let again = self.kept.apply(reading.listing, self.now);
        assert!(again.is_empty(), "the same listing again: {again:?}");
        self.kept.commit(self.instant.into_std(), self.now.here);
        self.look();
    }

    /// What the source is known to list after the poll.
    fn follow(&mut self, reading: &Reading, whole: [bool; PARTS.len()]) {
        self.listed.retain(|key, (part, status)| {
            let missing = whole[*part] && status.is_outcome();
            !missing && !reading.listing.is_gone(*key)
        });
        self.listed.extend(&reading.met);
    }

    fn look(&mut self) {
        let ledger = self.kept.ledger();
        let counts: BTreeMap<_, _> = ledger.totals().counts().collect();
        rises(&self.counts, &counts);
        let shown = ledger.totals().shown();
        let shown: BTreeMap<_, _> = shown
            .map(|(child, amount)| (child, count(amount)))
            .collect();
        rises(&self.shown, &shown);
        for (child, shown) in &shown {
            assert!(
                shown <= &counts[child],
                "{child:?} shows {shown} of {}",
                counts[child]
            );
        }
        fits(&counts);
        (self.counts, self.shown) = (counts, shown);
        self.states();
    }

    /// The counts by status are those of the listed tasks.
    fn states(&self) {
        let ledger = self.kept.ledger();
        let operations = self.counts.keys().map(|child| child.operation());
        let operations: BTreeSet<_> = operations.collect();
        for status in Status::ALL {
            let counted: u64 = (operations.iter())
                .map(|operation| ledger.counts(*operation).get(status))
                .sum();
            let listed = self.listed.values().filter(|(_, listed)| *listed == status);
            let listed = listed.count();
            assert_eq!(
                usize::try_from(counted),
                Ok(listed),
                "{status:?} with {:?}",
                self.hold
            );
        }
    }
}

fn count(amount: &Amount) -> u64 {
    match amount {
        Amount::Count(count) => *count,
        Amount::Durations(histogram) => histogram.count(),
    }
}

/// No count falls or goes.
fn rises(before: &BTreeMap<Child, u64>, after: &BTreeMap<Child, u64>) {
    for (child, count) in before {
        let now = after.get(child);
        assert!(
            now >= Some(count),
            "{child:?} falls from {count} to {now:?}"
        );
    }
}

/// Each failure has one code, and each duration an outcome.
fn fits(counts: &BTreeMap<Child, u64>) {
    let mut failures = BTreeMap::new();
    for (child, count) in counts {
        match *child {
            Child::Failures(operation, _) => *failures.entry(operation).or_default() += count,
            Child::Durations(operation, status) => {
                let finished = counts[&Child::Finished(operation, status)];
                assert!(
                    *count <= finished,
                    "{count} durations of {finished} outcomes"
                );
            }
            _ => {}
        }
    }
    for (child, count) in counts {
        if let Child::Finished(operation, Status::Failed) = *child {
            let failed: u64 = failures.get(&operation).copied().unwrap_or_default();
            assert_eq!(failed, *count, "failures by code, and outcomes");
        }
    }
}
