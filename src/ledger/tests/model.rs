//! Random histories against the real ledger in a real file, and a reference
//! that counts what the source showed.

mod disk;
mod reference;
mod world;

use std::collections::BTreeMap;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::ledger::storage::{Identity, Storage};
use disk::FakeDisk;
use reference::Reference;
use world::{Act, World, act};

/// What happens, at the source, to the exporter or to its machine.
#[derive(Debug, Clone)]
enum Step {
    Source(Act),
    Poll(Poll),
    /// A poll that fails.
    Outage,
    Scrape,
    Pass(u64),
    /// This machine's clock is set.
    ClockStep(i64),
    DiskFull(bool),
    /// A change of the disk fails, after so many.
    DiskFault(u64),
    /// A stop and a start.
    Restart,
    /// `kill -9` or a power failure, after so many changes of the disk in a poll.
    Crash(Option<(u64, Poll)>, u64),
}

/// How a poll goes.
#[derive(Debug, Clone)]
struct Poll {
    whole: bool,
    /// What happens while the pages are read.
    meanwhile: Vec<Act>,
    /// By bits, the tasks that are shown as they were before that, those that
    /// are lost between two pages, and those that cannot be read by id.
    before: u8,
    lost: u8,
    unreadable: u8,
}

fn poll() -> impl Strategy<Value = Poll> {
    let drift = prop_oneof![
        3 => Just((vec![], 0, 0, 0)),
        1 => (prop::collection::vec(act(), 0..4), any::<u8>(), any::<u8>(), any::<u8>()),
    ];
    (prop::bool::weighted(0.8), drift).prop_map(|(whole, (meanwhile, before, lost, unreadable))| {
        Poll {
            whole,
            meanwhile,
            before,
            lost: lost & before.rotate_left(3),
            unreadable: unreadable & lost,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let crash = prop::option::of((0..40_u64, poll()));
    prop_oneof![
        10 => act().prop_map(Step::Source),
        8 => poll().prop_map(Step::Poll),
        1 => Just(Step::Outage),
        4 => Just(Step::Scrape),
        2 => (1..90_u64).prop_map(Step::Pass),
        1 => prop_oneof![-4000..4000_i64, Just(-50 * 365 * 86_400), Just(400 * 86_400)].prop_map(Step::ClockStep),
        1 => prop::bool::weighted(0.3).prop_map(Step::DiskFull),
        1 => (0..60_u64).prop_map(Step::DiskFault),
        1 => Just(Step::Restart),
        2 => (crash, any::<u64>()).prop_map(|(poll, seed)| Step::Crash(poll, seed)),
    ]
}

/// An exporter, its source and its disk.
struct Model {
    hold: Duration,
    disk: FakeDisk,
    world: World,
    here: Timestamp,
    instant: Instant,
    kept: KeptLedger,
    reference: Reference,
    /// What may be in the file: all rows of the ledger, and what was counted then.
    durable: Vec<(String, Reference)>,
    page: BTreeMap<String, u64>,
    scraped: Option<Instant>,
    /// What scrapes saw last; and since this start, first and when.
    seen: BTreeMap<String, u64>,
    first_seen: BTreeMap<String, (u64, Instant)>,
    /// Whether the next page after a start shows what scrapes saw last: not after
    /// a crash, which may come between a commit and the next scrape.
    exact: bool,
}

impl Model {
    #[expect(
        clippy::disallowed_methods,
        reason = "only differences to it are looked at"
    )]
    fn new(hold: Duration) -> Self {
        let disk = FakeDisk::default();
        let mut model = Self {
            hold,
            kept: load(&disk, hold),
            disk,
            world: World::new(at(0)),
            here: at(7),
            instant: Instant::now(),
            reference: Reference::default(),
            durable: Vec::new(),
            page: BTreeMap::new(),
            scraped: None,
            seen: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            exact: true,
        };
        let dump = model.kept.ledger_mut().dump();
        model.durable.push((dump, Reference::default()));
        model
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Source(act) => self.world.act(act),
            Step::Poll(poll) => self.poll(poll),
            Step::Outage => self.commit(),
            Step::Scrape => self.scrape(),
            Step::Pass(seconds) => {
                let passed = SignedDuration::try_from(Duration::from_secs(*seconds)).unwrap();
                self.world.now += passed;
                self.here += passed;
                self.instant += Duration::from_secs(*seconds);
            }
            Step::ClockStep(seconds) => self.here += SignedDuration::from_secs(*seconds),
            Step::DiskFull(full) => self.disk.set_full(*full),
            Step::DiskFault(changes) => self.disk.fail_after(*changes),
            Step::Restart => {
                self.kept.scraped(self.scraped);
                let failures = self.kept.commit_failures();
                self.kept.close(self.here);
                let well = self.kept.commit_failures() == failures;
                self.exact &= well;
                self.attempted(well);
                self.start();
            }
            Step::Crash(poll, seed) => {
                if let Some((changes, poll)) = poll {
                    self.disk.crash_after(*changes);
                    self.poll(poll);
                }
                self.disk.reboot(*seed);
                self.exact = false;
                self.start();
            }
        }
    }

    /// A new process on the same disk knows one of the states that were committed.
    fn start(&mut self) {
        // With a hold that does not end, what is read is what stands in the file.
        let dump = load(&self.disk, Duration::MAX).ledger_mut().dump();
        self.kept = load(&self.disk, self.hold);
        assert_eq!(self.disk.aside(), 0, "no file was damaged");
        let known = self.durable.iter().find(|(durable, _)| *durable == dump);
        let (_, reference) = known.expect("what is read was committed").clone();
        self.reference = reference.clone();
        self.durable = vec![(dump, reference)];
        self.scraped = None;
        self.first_seen.clear();
        self.publish();
    }

    fn poll(&mut self, poll: &Poll) {
        let (listing, shown, gone) = self.listing(poll);
        let now = Now {
            here: self.here,
            there: self.world.now,
        };
        self.kept.scraped(self.scraped);
        self.kept.apply(listing, now);
        let parts = [(PART, poll.whole)];
        self.reference.poll(&shown, &gone, &parts, now);
        if poll.meanwhile.is_empty() && poll.unreadable == 0 {
            let (again, _, gone) = self.listing(poll);
            if gone.is_empty() {
                assert_eq!(self.kept.apply(again, now), [], "nothing happened");
            }
        }
        self.commit();
        self.check();
    }

    /// What a poll shows, for the ledger and for the reference.
    fn listing(&mut self, poll: &Poll) -> (Listing, Vec<(&'static str, Call, Task)>, Vec<String>) {
        let before = self.world.clone();
        for act in &poll.meanwhile {
            self.world.act(act);
        }
        let mut listing = Listing::new();
        let mut shown = Vec::new();
        let mut ids: Vec<_> = before.tasks.iter().chain(&self.world.tasks).collect();
        ids.sort_by(|a, b| a.id.cmp(&b.id));
        ids.dedup_by(|a, b| a.id == b.id);
        let bit = |bits: u8, id: &str| bits >> (id.as_bytes()[id.len() - 1] % 8) & 1 == 1;
        for task in ids {
            let world = if bit(poll.before, &task.id) {
                &before
            } else {
                &self.world
            };
            let task = world
                .find(&task.id)
                .filter(|task| !bit(poll.lost, &task.id));
            if let Some(task) = task {
                listing.meet(PART, Call::List, task.clone());
                shown.push((PART, Call::List, task.clone()));
            }
        }
        listing.read(PART, poll.whole);
        let mut gone = Vec::new();
        let missing = self.kept.ledger().missing(&listing);
        let mut missing: Vec<_> = missing.into_iter().map(|(_, id)| id).collect();
        missing.sort_unstable();
        assert_eq!(missing, self.reference.missing(&shown, poll.whole));
        for id in missing {
            if bit(poll.unreadable, &id) {
                continue;
            }
            if let Some(task) = self.world.find(&id) {
                listing.meet(PART, Call::ById, task.clone());
                shown.push((PART, Call::ById, task.clone()));
            } else {
                listing.gone(TaskKey::of(&id));
                gone.push(id);
            }
        }
        (listing, shown, gone)
    }

    fn commit(&mut self) {
        let failures = self.kept.commit_failures();
        self.kept.scraped(self.scraped);
        self.kept.commit(self.instant, self.here);
        self.attempted(self.kept.commit_failures() == failures);
        self.publish();
    }

    /// Takes in that a commit went well, or may have reached the disk all the same.
    fn attempted(&mut self, well: bool) {
        if well {
            self.durable.clear();
        }
        let dump = self.kept.ledger_mut().dump();
        self.durable.push((dump, self.reference.clone()));
    }

    fn publish(&mut self) {
        let ledger = self.kept.ledger();
        let shown = ledger.totals().shown();
        self.page = shown
            .map(|(child, amount)| (name(ledger, child), amount.count()))
            .collect();
        let before = self.scraped.take();
        self.kept.published(before);
    }

    /// No scraper sees a value fall, or one rise too early.
    fn scrape(&mut self) {
        self.scraped.get_or_insert(self.instant);
        for (name, before) in &self.seen {
            let now = self.page.get(name);
            assert!(now >= Some(before), "{name} fell from {before} to {now:?}");
        }
        for (name, value) in &self.page {
            let truth = self.reference.counts.get(name).copied().unwrap_or_default();
            assert!(*value <= truth, "{name} is {value} of {truth}");
            if !self.hold.is_zero() {
                let seen = self.seen.get(name).copied();
                assert!(seen.is_some() || *value == 0, "{name} was born at {value}");
                let hidden = self.exact && !self.first_seen.contains_key(name);
                assert!(!hidden || *value == seen.unwrap_or_default(), "{name}");
                let first = self.first_seen.get(name);
                let early = first.filter(|(first, at)| {
                    value > first && self.instant.duration_since(*at) < self.hold
                });
                assert_eq!(early, None, "{name} rose to {value} too early");
            }
            let first = (*value, self.instant);
            self.first_seen.entry(name.clone()).or_insert(first);
        }
        self.seen.extend(self.page.clone());
        self.exact = true;
    }

    /// The counters are those of the reference, and the sums are right.
    fn check(&mut self) {
        let ledger = self.kept.ledger();
        let counts = ledger.totals().counts().filter(|(_, count)| *count > 0);
        let counts: BTreeMap<_, _> = counts
            .map(|(child, count)| (name(ledger, child), count))
            .collect();
        assert_eq!(counts, self.reference.counts);
        let listed = ledger.entries.values().filter(|entry| entry.is_listed());
        let operations = ledger.operations().iter();
        let sums = operations.map(|(_, operation)| ledger.counts(operation).total());
        assert_eq!(u64::try_from(listed.count()).unwrap(), sums.sum::<u64>());
        if self.hold.is_zero() && self.durable.len() == 1 {
            for (child, amount) in ledger.totals().shown() {
                assert_eq!(Some(amount), ledger.totals().value(child));
            }
        }
    }
}

fn load(disk: &FakeDisk, hold: Duration) -> KeptLedger {
    let identity = Identity {
        source: "a".to_owned(),
        system: "sddc_manager".to_owned(),
        url: "https://a.example".to_owned(),
    };
    let limits = Limits {
        birth_hold: hold,
        ..LIMITS
    };
    let storage = Storage::on(Box::new(disk.clone()), identity);
    KeptLedger::load(storage, limits, at(0)).unwrap()
}

/// A name for a child that outlives the numbers of its labels.
fn name(ledger: &Ledger, child: Child) -> String {
    let operation = ledger.operations().value(child.operation());
    match child {
        Child::Started(_) => format!("started {operation}"),
        Child::Vanished(_) => format!("vanished {operation}"),
        Child::Finished(_, status) => format!("finished {operation} {}", status.as_str()),
        Child::Durations(_, status) => format!("durations {operation} {}", status.as_str()),
        Child::Failures(_, code) => {
            format!("failures {operation} {}", ledger.error_codes().value(code))
        }
        Child::SubtaskFailures(_, name) => {
            format!(
                "subtasks {operation} {}",
                ledger.subtask_names().value(name)
            )
        }
    }
}

/// How many histories there are in all; more by a variable of the environment.
fn histories() -> u32 {
    let asked = std::env::var("VTE_MODEL_HISTORIES").ok();
    asked.map_or(10_000, |count| {
        count.parse().expect("a number of histories")
    })
}

/// Runs a share of the histories. A failing one is shown as small as it gets.
fn run(share: u32, hold: Duration) {
    let config = ProptestConfig {
        cases: histories() / share,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    let history = prop::collection::vec(step(), 1..50);
    let result = runner.run(&history, |steps| {
        let mut model = Model::new(hold);
        for step in &steps {
            model.step(step);
        }
        // In the end everything is known and shown.
        model.disk.set_full(false);
        for _ in 0..2 {
            model.instant += hold;
            model.step(&Step::Scrape);
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn counts_are_those_of_the_reference_without_a_hold() {
    run(2, Duration::ZERO);
}

#[test]
fn counts_are_those_of_the_reference_and_shown_when_they_are_due() {
    run(2, Duration::from_secs(60));
}
