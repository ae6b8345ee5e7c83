//! What is remembered of a source's tasks, so that each outcome counts once.
//!
//! [`Ledger::apply`] takes the listing of one poll and says what changed. It is
//! pure: the time is an argument, and nothing is read or written elsewhere.
//!
//! What holds after every poll:
//! - the same listing at the same time changes nothing;
//! - an *episode* (one stay of a task in an outcome) is counted once;
//! - the counts by status sum to the tasks that the source lists.

mod births;
mod change;
mod entry;
mod failures;
mod kept;
mod names;
mod observed;
mod open;
mod parts;
mod ranking;
mod recency;
pub mod storage;
mod successes;
mod table;
mod tables;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use change::{Change, Event};
use entry::{End, Entry, Verdict};
pub use kept::{KeptLedger, Moved};
pub use names::{NameId, Names, OTHER};
use observed::Observed;
pub use open::OpenTask;
use parts::Parts;
pub use ranking::OpenRanking;
pub use recency::Recency;
use successes::Successes;
use table::Table;
pub use totals::{Amount, Child, DURATION_BUCKETS, Totals};

use crate::task::{Counts, Listing, Met, Status, Summary, TaskKey};

/// How much a ledger keeps, and what it holds back.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long an entry stays after the source stopped listing its task.
    pub retention: Duration,
    /// How old an open failure can be.
    pub failure_open_for: Duration,
    /// How long a new counter is shown as it was born; zero turns it off.
    pub birth_hold: Duration,
    /// Operations with a label value of their own.
    pub operations: usize,
    /// Sub-task names with a label value of their own.
    pub subtask_names: usize,
    /// Error codes with a label value of their own.
    pub error_codes: usize,
}

/// The time of a poll.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// On this machine.
    pub here: Timestamp,
    /// At the source, which its tasks' times go by.
    pub there: Timestamp,
}

/// The memory of one source.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    entries: Table<TaskKey, Entry>,
    /// Of the tasks that had several episodes, the ends of the former ones.
    earlier: Table<TaskKey, Vec<End>>,
    open: Table<TaskKey, OpenTask>,
    parts: Parts,
    operations: Names,
    subtask_names: Names,
    error_codes: Names,
    recency: Table<NameId, Recency>,
    successes: Successes,
    totals: Totals,
    observed: Observed,
    /// The listed entries by operation and status.
    counts: BTreeMap<NameId, Counts>,
}

/// What is true during one `apply`.
struct Poll {
    now: Now,
    changes: Vec<Change>,
}

impl Ledger {
    /// An empty ledger: the first listing of each part is a baseline.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: Table::default(),
            earlier: Table::default(),
            open: Table::default(),
            parts: Parts::default(),
            operations: Names::new(limits.operations),
            subtask_names: Names::new(limits.subtask_names),
            error_codes: Names::new(limits.error_codes),
            recency: Table::default(),
            successes: Successes::default(),
            totals: Totals::new(limits.birth_hold),
            observed: Observed::default(),
            counts: BTreeMap::new(),
        }
    }

    /// Keeps within other limits from now on; values that have a label keep it.
    fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.operations.set_limit(limits.operations);
        self.subtask_names.set_limit(limits.subtask_names);
        self.error_codes.set_limit(limits.error_codes);
        self.totals.set_hold(limits.birth_hold);
    }

    /// The unfinished tasks that should have been in the listing and are not,
    /// with the parts that listed them: to be read by id before `apply`.
    pub fn missing(&self, listing: &Listing) -> Vec<(Arc<str>, String)> {
        let tasks = self.open.iter().filter(|(key, _)| !listing.has_met(**key));
        tasks
            .filter(|(_, open)| open.task.status.is_unfinished())
            .filter_map(|(key, open)| {
                let part = self.parts.name(self.entries.get(key)?.part);
                let missing = listing.has_unfinished(part);
                missing.then(|| (Arc::clone(part), open.task.id.clone()))
            })
            .collect()
    }

    /// Takes in what a poll showed at `now` and says what changed, having
    /// counted it.
    ///
    /// A finished task that was there before its part was first read, or that
    /// ended longer ago than the retention when it is first met, is recorded
    /// and not counted.
    pub fn apply(&mut self, listing: Listing, now: Now) -> Vec<Change> {
        self.observed.poll(now.here);
        let mut poll = Poll {
            now,
            changes: Vec::new(),
        };
        let read: Vec<_> = listing
            .parts()
            .map(|part| (self.parts.number(part), listing.is_whole(part)))
            .collect();
        let whole = read.iter().filter(|(_, whole)| *whole);
        let whole: BTreeSet<_> = whole.map(|(part, _)| *part).collect();
        self.drop_missing(&listing, &whole, &mut poll);
        for (key, met) in listing.into_met() {
            self.meet(key, met, &mut poll);
        }
        for (part, whole) in read {
            self.parts.read(part, whole, now.there);
        }
        self.close_failures(now.there);
        for change in &poll.changes {
            self.totals.record(change);
        }
        poll.changes
    }

    /// Unlists what is missing from the parts that were read to their end, and
    /// forgets what was unlisted long ago.
    fn drop_missing(&mut self, listing: &Listing, whole: &BTreeSet<NameId>, poll: &mut Poll) {
        let (mut forgotten, mut dropped) = (Vec::new(), Vec::new());
        for (key, entry) in self.entries.iter() {
            if let Some(seconds) = entry.unlisted_for(self.observed) {
                if Duration::from_secs(seconds.into()) > self.limits.retention {
                    forgotten.push(*key);
                }
            } else if !listing.has_met(*key) {
                // One that has not ended and that no call by its id told to be gone is not
                // known to be: that call failed, or its turn has not come.
                let ended = entry.status.is_outcome() && whole.contains(&entry.part);
                if ended || listing.is_gone(*key) {
                    dropped.push(*key);
                }
            }
        }
        for key in forgotten {
            self.entries.remove(&key);
            self.earlier.remove(&key);
        }
        for key in dropped {
            self.drop_task(key, poll);
        }
    }

    /// Takes in that the source does not have a task any more.
    fn drop_task(&mut self, key: TaskKey, poll: &mut Poll) {
        let Some(mut entry) = self.unlist(key) else {
            return;
        };
        let ended = entry.status.is_outcome() || entry.outcome.is_some();
        // What is missing when a part is read for the first time is of another source.
        if !ended && !entry.vanished && self.parts.is_known(entry.part) {
            poll.push(entry.operation, Event::Vanished);
            entry.vanished = true;
            self.entries.put(key, entry);
        }
    }

    /// Takes a task out of the state, and returns its entry.
    fn unlist(&mut self, key: TaskKey) -> Option<Entry> {
        self.open.remove(&key);
        let observed = self.observed;
        let entry = self.entries.change(&key, |entry| {
            entry.unlist(observed);
            *entry
        })?;
        let counts = self.counts.entry(entry.operation).or_default();
        counts.take(entry.status);
        Some(entry)
    }

    /// Takes out of the state what belongs to parts that do not stay.
    fn retire(&mut self, stays: impl Fn(&str) -> bool) {
        let parts = self.parts.start_over(stays);
        if parts.is_empty() {
            return;
        }
        let listed = self.entries.iter();
        let gone = listed.filter(|(_, entry)| entry.is_listed() && parts.contains(&entry.part));
        let gone: Vec<_> = gone.map(|(key, _)| *key).collect();
        for key in gone {
            self.unlist(key);
        }
    }

    /// Takes in one task.
    fn meet(&mut self, key: TaskKey, met: Met, poll: &mut Poll) {
        let (summary, call) = (&met.summary, met.call);
        let operation = self.operations.number(&summary.operation);
        self.totals.know(operation);
        let part = self.parts.number(&met.part);
        let episode = if self.entries.contains(&key) {
            let entered = self.meet_again(key, &met, operation, part);
            entered.then_some(true)
        } else {
            let entry = Entry::new(summary, call, operation, part);
            self.entries.put(key, entry);
            let counted = self.is_new(summary, part, poll.now);
            if counted {
                poll.push(operation, Event::Started);
            }
            summary.status.is_outcome().then_some(counted)
        };
        let counts = self.counts.entry(operation).or_default();
        counts.add(summary.status);
        if let Some(counted) = episode {
            self.finish(summary, operation, counted, poll);
            if let (true, Some(task)) = (counted && summary.status == Status::Failed, &met.task) {
                self.fail(task, operation, poll);
            }
        }
        let open = met
            .task
            .map(|task| OpenTask::new(*task, operation, poll.now.here));
        self.track(key, open, episode, poll);
    }

    /// Takes in a task that is known, and returns whether it entered an outcome.
    fn meet_again(&mut self, key: TaskKey, met: &Met, operation: NameId, part: NameId) -> bool {
        let earlier = self.earlier.get(&key).map_or(&[][..], Vec::as_slice);
        let counts = &mut self.counts;
        let ends = self.entries.change(&key, |entry| {
            if entry.is_listed() {
                let counts = counts.entry(entry.operation).or_default();
                counts.take(entry.status);
            }
            let before = entry.end();
            let verdict = entry.judge(&met.summary, met.call, earlier);
            entry.update(&met.summary, met.call, verdict);
            (entry.operation, entry.part) = (operation, part);
            let left = before.filter(|_| verdict == Verdict::Episode || entry.end() != before);
            (verdict == Verdict::Episode, left)
        });
        let (entered, left) = ends.unwrap_or_default();
        if let Some(end) = left {
            self.leave(key, end);
        }
        entered
    }

    /// Remembers an episode that is over.
    fn leave(&mut self, key: TaskKey, end: End) {
        /// A task that is retried for ever shall not fill the memory.
        const REMEMBERED: usize = 32;
        let mut earlier = self.earlier.get(&key).cloned().unwrap_or_default();
        if !earlier.contains(&end) {
            earlier.push(end);
            if earlier.len() > REMEMBERED {
                earlier.remove(0);
            }
            self.earlier.put(key, earlier);
        }
    }

    /// Whether a task that is met for the first time counts: an unfinished one
    /// always, a finished one unless it is history.
    fn is_new(&self, task: &Summary, part: NameId, now: Now) -> bool {
        if task.status.is_unfinished() {
            return true;
        }
        let ended = task.ended.get();
        let long_ago = ended.is_some_and(|end| is_older(end, now.there, self.limits.retention));
        !long_ago && self.parts.is_news(part, ended)
    }

    /// Takes in that a task entered an outcome, `counted` or as history.
    fn finish(&mut self, task: &Summary, operation: NameId, counted: bool, poll: &mut Poll) {
        let (started, ended) = (task.started.get(), task.ended.get());
        let took = match (started, ended) {
            (Some(started), Some(ended)) => Duration::try_from(ended.duration_since(started)).ok(),
            _ => None,
        };
        if let Some(ended) = ended.or_else(|| counted.then_some(poll.now.there)) {
            let mut recency = self.recency.get(&operation).cloned().unwrap_or_default();
            recency.ended(task.status, ended, took);
            self.recency.put(operation, recency);
        }
        if let (true, Some(started)) = (task.status.is_success() && task.scope != 0, started) {
            self.successes.add(task.scope, started);
        }
        if counted {
            let finished = Event::Finished {
                status: task.status,
                ended,
                duration: took,
            };
            poll.push(operation, finished);
        }
    }
}

/// What the metrics and pages show.
impl Ledger {
    /// How many tasks are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// The operations that were met.
    pub fn operations(&self) -> &Names {
        &self.operations
    }

    /// The names of failed sub-tasks.
    pub fn subtask_names(&self) -> &Names {
        &self.subtask_names
    }

    /// The error codes that were met.
    pub fn error_codes(&self) -> &Names {
        &self.error_codes
    }

    /// The tasks of this operation that the source lists, by status.
    pub fn counts(&self, operation: NameId) -> Counts {
        self.counts.get(&operation).cloned().unwrap_or_default()
    }

    /// The newest ends and durations of this operation.
    pub fn recency(&self, operation: NameId) -> Option<&Recency> {
        self.recency.get(&operation)
    }

    /// The open tasks, in the order of their keys.
    pub fn open(&self) -> impl Iterator<Item = &OpenTask> {
        self.open.values()
    }

    /// The values of the event metrics.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}

impl Poll {
    fn push(&mut self, operation: NameId, event: Event) {
        self.changes.push(Change { operation, event });
    }
}

fn is_older(time: Timestamp, now: Timestamp, age: Duration) -> bool {
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    now.duration_since(time) > age
}

#[cfg(test)]
impl Ledger {
    /// All that it knows, as a text.
    pub(crate) fn dump(&mut self) -> String {
        let mut text = String::new();
        for (name, rows) in self.tables() {
            use std::fmt::Write as _;
            let mut write = |key: &[u8], value: Option<&[u8]>| {
                writeln!(text, "{name} {key:x?} {value:x?}").unwrap();
                Ok(())
            };
            rows.write_all(&mut write).unwrap();
        }
        text
    }
}

#[cfg(test)]
mod tests;
