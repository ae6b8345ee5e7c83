//! An exporter that goes through a history.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::disk::FakeDisk;
use super::reference::Reference;
use super::step::{Poll, Step, part};
use super::world::World;
use super::*;

/// A task that was shown: in which part, and by which call.
type Shown = (&'static str, Call, Task);

/// An exporter, its source and its disk.
pub(super) struct Model {
    hold: Duration,
    pub(super) disk: FakeDisk,
    world: World,
    here: Timestamp,
    pub(super) instant: Instant,
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
    pub(super) fn new(hold: Duration) -> Self {
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

    pub(super) fn step(&mut self, step: &Step) {
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
            Step::SetClock(seconds) => self.here += SignedDuration::from_secs(*seconds),
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
        self.reference.poll(&shown, &gone, &poll.parts(), now);
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
    fn listing(&mut self, poll: &Poll) -> (Listing, Vec<Shown>, Vec<String>) {
        let before = self.world.clone();
        for act in &poll.meanwhile {
            self.world.act(act);
        }
        let (mut listing, mut shown, parts) = (Listing::new(), Vec::new(), poll.parts());
        let tasks = before.tasks.iter().chain(&self.world.tasks);
        let ids: BTreeSet<_> = tasks.map(|task| task.id.as_str()).collect();
        let bit = |bits: u8, id: &str| bits >> (id.as_bytes()[id.len() - 1] % 8) & 1 == 1;
        for id in ids {
            let world = if bit(poll.before, id) {
                &before
            } else {
                &self.world
            };
            let task = world.find(id).filter(|_| !bit(poll.lost, id));
            let part = part(id);
            let answers = parts.iter().any(|(each, _)| *each == part);
            if let Some(task) = task.filter(|_| answers) {
                listing.meet(part, Call::List, task.clone());
                shown.push((part, Call::List, task.clone()));
            }
        }
        for (part, whole) in &parts {
            listing.read(part, *whole);
        }
        let mut gone = Vec::new();
        let mut missing = self.kept.ledger().unmet(&listing).missing();
        missing.sort_unstable();
        assert_eq!(missing, self.reference.missing(&shown, &parts));
        for id in missing {
            if bit(poll.unreadable, &id) {
                continue;
            }
            if let Some(task) = self.world.find(&id) {
                listing.meet(part(&id), Call::ById, task.clone());
                shown.push((part(&id), Call::ById, task.clone()));
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
