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
mod contested;
mod entry;
mod failures;
#[cfg(test)]
mod faults;
mod kept;
mod missing;
mod names;
mod observed;
mod open;
mod parts;
mod ranking;
mod recall;
mod recency;
pub mod storage;
mod successes;
mod table;
mod tables;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use change::{Change, Event};
pub(crate) use contested::Shown;
use entry::{End, Entry, Verdict};
#[cfg(test)]
pub(crate) use faults::Faults;
pub use kept::{KeptLedger, Moved};
pub(crate) use missing::{Rank, Unmet, Wanted};
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
#[derive(Debug, Clone)]
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
    /// When all entries were walked through last, on the ledger's own clock.
    swept: u32,
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
            swept: 0,
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

    /// Takes in one task.
    fn meet(&mut self, key: TaskKey, met: Met, poll: &mut Poll) {
        let (summary, call) = (&met.summary, met.call);
        let operation = self.operations.number(&summary.operation);
        self.totals.know(operation);
        let part = self.parts.number(&met.part);
        let episode = if self.recalls(key) {
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
            .map(|task| OpenTask::new(*task, call, operation, poll.now.here));
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
