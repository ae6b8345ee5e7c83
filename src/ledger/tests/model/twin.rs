//! Two exporters of one source: one reads everything at each poll, the other
//! polls steadily in between. What both have seen, both have counted.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{World, act};
use super::*;
use crate::task::{Extent, Memory as _};

/// The tasks of a page, and those that a steady poll reads by id.
const PAGE: usize = 2;
const LOOKUPS: usize = 2;

/// One thing that happens.
#[derive(Debug, Clone)]
enum TwinStep {
    Source(Act),
    Steady,
    Full,
    /// A full poll that gives way after so many pages, while this happens.
    Interrupted(usize, Vec<Act>),
}

fn twin_step() -> impl Strategy<Value = TwinStep> {
    // A source that forgets while it is read shows each poll another list.
    let stays = |act: &Act| !matches!(act, Act::Step(_) | Act::Remove(_) | Act::Restore);
    let meanwhile = prop::collection::vec(act().prop_filter("stays", stays), 0..4);
    let act = act().prop_filter("one clock", |act| !matches!(act, Act::Step(_)));
    prop_oneof![
        10 => act.prop_map(TwinStep::Source),
        6 => Just(TwinStep::Steady),
        2 => Just(TwinStep::Full),
        2 => (1..4_usize, meanwhile).prop_map(|(pages, acts)| TwinStep::Interrupted(pages, acts)),
    ]
}

/// What was met last, by id; none of what is gone.
type Shown = BTreeMap<String, Option<Task>>;

/// A ledger, and what it was shown of each task, one after the other.
struct Twin {
    ledger: Ledger,
    seen: BTreeMap<String, Vec<Option<Task>>>,
    turn: usize,
}

impl Twin {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(LIMITS),
            seen: BTreeMap::new(),
            turn: 0,
        }
    }

    fn apply(&mut self, listing: Listing, shown: Shown, now: Timestamp) {
        let now = Now {
            here: now,
            there: now,
        };
        self.ledger.apply(listing, now);
        for (id, task) in shown {
            let seen = self.seen.entry(id).or_default();
            if seen.last() != Some(&task) && (task.is_some() || !seen.is_empty()) {
                seen.push(task);
            }
        }
    }

    /// What left the list that was read to its end.
    fn unlisted(&self, shown: &Shown) -> Shown {
        let known = self.seen.keys().filter(|id| !shown.contains_key(*id));
        known.map(|id| (id.clone(), None)).collect()
    }

    fn look_up(&mut self, wanted: &[String], world: &World, read: (&mut Listing, &mut Shown)) {
        let (listing, shown) = read;
        self.turn += 1;
        let turns = wanted.iter().cycle().skip(self.turn);
        for id in turns.take(LOOKUPS.min(wanted.len())) {
            let found = world.find(id).cloned();
            match found.clone() {
                Some(task) => drop(listing.meet(PART, Call::ById, task)),
                None => listing.gone(TaskKey::of(id)),
            }
            shown.insert(id.clone(), found);
        }
    }

    fn full(&mut self, world: &World) {
        self.finish(world, Listing::new(), Shown::new());
    }

    /// Reads all that is listed now and ends a full poll.
    fn finish(&mut self, world: &World, mut listing: Listing, mut shown: Shown) {
        meet(&mut listing, &mut shown, world.tasks.iter());
        listing.settle();
        listing.read(PART, true);
        shown.extend(self.unlisted(&shown));
        for id in self.ledger.unmet(&listing).missing() {
            listing.gone(TaskKey::of(&id));
        }
        self.apply(listing, shown, world.now);
    }

    /// A steady poll, and what it showed.
    fn steady(&mut self, world: &World) -> (Listing, Shown) {
        let (mut listing, mut shown) = (Listing::new(), Shown::new());
        let newest = newest_first(world);
        for page in newest.chunks(PAGE) {
            let rests = page.iter().all(|task| self.ledger.rests(task));
            meet(&mut listing, &mut shown, page.iter().copied());
            if rests {
                break;
            }
        }
        listing.read(PART, Extent::Newest);
        let missing = self.ledger.unmet(&listing).missing();
        self.look_up(&missing, world, (&mut listing, &mut shown));
        let failures = self.ledger.unmet(&listing).failed;
        let failures = failures.iter().map(|failed| failed.id.to_owned());
        let failures: Vec<_> = failures.filter(|id| world.find(id).is_some()).collect();
        self.look_up(&failures, world, (&mut listing, &mut shown));
        self.apply(listing.clone(), shown.clone(), world.now);
        (listing, shown)
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let counts = self.ledger.totals().counts();
        let counts = counts.filter(|(_, count)| *count > 0);
        counts
            .map(|(child, count)| (name(&self.ledger, child), count))
            .collect()
    }

    /// The tasks by operation and status.
    fn sums(&self) -> Vec<(String, Counts)> {
        let operations = self.ledger.operations().iter();
        let sums = operations.map(|(name, id)| (name.to_string(), self.ledger.counts(id)));
        sums.filter(|(_, counts)| counts.total() > 0).collect()
    }

    /// All that is known of the tasks that are listed, but for times of ours.
    fn state(&self) -> Vec<String> {
        let listed = self.ledger.entries.iter();
        let listed = listed.filter(|(_, entry)| entry.is_listed());
        let entry = |(key, entry): (&TaskKey, &Entry)| {
            let operation = self.ledger.operations().value(entry.operation);
            let open = self.ledger.open.get(key).map(|open| &open.task);
            let (ended, outcome) = (entry.ended, (entry.status, entry.outcome));
            format!(
                "{operation} {key:?} {outcome:?} {ended:?} {} {open:?}",
                entry.closed
            )
        };
        listed.map(entry).collect()
    }

    /// Whether the same outcome was shown again with another end, which
    /// tells a retry only by the same kind of call. A status that cannot be read
    /// in between ends no episode.
    fn saw_a_retry_unseen(&self) -> bool {
        let is_read = |task: &&Option<Task>| {
            let status = task.as_ref().map(|task| task.status);
            status != Some(Status::Unknown)
        };
        let again = |pair: &[&Option<Task>]| {
            let pair = pair[0].as_ref().zip(pair[1].as_ref());
            pair.is_some_and(|(one, next)| one.status == next.status && one.ended != next.ended)
        };
        self.seen.values().any(|seen| {
            let read: Vec<_> = seen.iter().filter(is_read).collect();
            read.windows(2).any(again)
        })
    }
}

/// Meets tasks in a list.
fn meet<'a>(listing: &mut Listing, shown: &mut Shown, tasks: impl Iterator<Item = &'a Task>) {
    for task in tasks {
        listing.meet(PART, Call::List, task.clone());
        shown.insert(task.id.clone(), Some(task.clone()));
    }
}

/// The tasks as a list in order gives them.
fn newest_first(world: &World) -> Vec<&Task> {
    let mut tasks: Vec<_> = world.tasks.iter().collect();
    let number = |task: &Task| task.id.trim_start_matches('t').parse::<u32>().unwrap();
    tasks.sort_by_key(|task| std::cmp::Reverse(number(task)));
    tasks
}

/// Both exporters, and their source.
struct Twins {
    world: World,
    full: Twin,
    steady: Twin,
    strong: u64,
}

impl Twins {
    fn step(&mut self, step: &TwinStep) {
        self.world.now += SignedDuration::from_secs(30);
        match step {
            TwinStep::Source(act) => return self.world.act(act),
            TwinStep::Steady => {
                self.full.full(&self.world);
                self.steady.steady(&self.world);
            }
            TwinStep::Full => {
                self.full.full(&self.world);
                self.steady.full(&self.world);
                assert_eq!(self.steady.sums(), self.full.sums());
            }
            TwinStep::Interrupted(pages, acts) => self.interrupted(*pages, acts),
        }
        self.compare();
    }

    /// A full poll that gives way to a steady one.
    fn interrupted(&mut self, pages: usize, acts: &[Act]) {
        let (mut listing, mut shown) = (Listing::new(), Shown::new());
        let newest: Vec<_> = newest_first(&self.world).into_iter().cloned().collect();
        let read = newest.iter().take(pages * PAGE);
        meet(&mut listing, &mut shown, read);
        for act in acts {
            self.world.act(act);
        }
        self.full.full(&self.world);
        let (between, met) = self.steady.steady(&self.world);
        listing.overtaken_by(&between);
        shown.extend(met);
        let mut rest = self.world.clone();
        let read: BTreeSet<_> = newest.iter().take(pages * PAGE).map(|t| &t.id).collect();
        if rest.tasks.len() == newest.len() {
            rest.tasks.retain(|task| !read.contains(&task.id));
        }
        self.steady.finish(&rest, listing, shown);
    }

    fn compare(&mut self) {
        let retries = self.full.saw_a_retry_unseen();
        if retries || self.steady.seen != self.full.seen {
            return;
        }
        self.strong += 1;
        assert_eq!(self.steady.counts(), self.full.counts());
        assert_eq!(self.steady.state(), self.full.state());
        assert_eq!(self.steady.sums(), self.full.sums());
    }
}

#[test]
fn what_both_have_seen_both_have_counted() {
    let mut compared = 0;
    let history = prop::collection::vec(twin_step(), 1..40);
    for_histories(4, &history, |steps| {
        let mut twins = Twins {
            world: World::new(at(0)),
            full: Twin::new(),
            steady: Twin::new(),
            strong: 0,
        };
        twins.step(&TwinStep::Full);
        for step in &steps {
            twins.step(step);
        }
        twins.step(&TwinStep::Full);
        compared += twins.strong;
    });
    assert!(compared > u64::from(histories()), "hardly ever: {compared}");
}
