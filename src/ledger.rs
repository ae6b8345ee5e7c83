//! What is remembered of a source's tasks, so that each outcome counts once.
//!
//! [`Ledger::apply`] takes the listing of one poll and says what changed. It is
//! pure: the time is an argument, and nothing is read or written elsewhere.
//!
//! What holds after every poll:
//! - the same listing at the same time changes nothing;
//! - an *episode* (one stay of a task in an outcome) is counted once;
//! - the counts by status sum to the tasks that the source lists.

mod change;
mod entry;
mod failures;
mod names;
mod open;
mod recency;
mod totals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use change::{Change, Event};
use entry::{Entry, Verdict};
pub use names::{NameId, Names, OTHER};
pub use open::OpenTask;
pub use recency::Recency;
pub use totals::{DURATION_BUCKETS, Totals};

use crate::task::{Counts, Listing, Met, Status, Summary, TaskKey};

/// How much a ledger keeps.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long an entry stays after the source stopped listing its task.
    pub retention: Duration,
    /// How old an open failure can be.
    pub failure_open_for: Duration,
    /// Operations with a label value of their own.
    pub operations: usize,
    /// Sub-task names with a label value of their own.
    pub subtask_names: usize,
    /// Error codes with a label value of their own.
    pub error_codes: usize,
}

/// The memory of one source.
#[derive(Debug)]
pub struct Ledger {
    limits: Limits,
    entries: BTreeMap<TaskKey, Entry>,
    open: BTreeMap<TaskKey, OpenTask>,
    parts: Names,
    /// The parts that were read to their end once: what is new in them appeared.
    known_parts: BTreeSet<NameId>,
    operations: Names,
    subtask_names: Names,
    error_codes: Names,
    counts: BTreeMap<NameId, Counts>,
    recency: BTreeMap<NameId, Recency>,
    totals: Totals,
}

/// What is true during one `apply`.
struct Poll {
    now: Timestamp,
    changes: Vec<Change>,
    /// Whether a failure became open.
    opened: bool,
    /// Scope and start of the successes that are new.
    successes: Vec<(u64, Timestamp)>,
}

impl Ledger {
    /// An empty ledger: the first listing of each part is a baseline.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            open: BTreeMap::new(),
            parts: Names::new(usize::MAX),
            known_parts: BTreeSet::new(),
            operations: Names::new(limits.operations),
            subtask_names: Names::new(limits.subtask_names),
            error_codes: Names::new(limits.error_codes),
            counts: BTreeMap::new(),
            recency: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    /// The unfinished tasks that should have been in the listing and are not,
    /// with the parts that listed them: to be read by id before `apply`.
    pub fn missing(&self, listing: &Listing) -> Vec<(Arc<str>, String)> {
        let tasks = self.open.iter().filter(|(key, _)| !listing.has_met(**key));
        tasks
            .filter(|(_, open)| open.task.status.is_unfinished())
            .filter_map(|(key, open)| {
                let part = self.parts.value(self.entries.get(key)?.part);
                let missing = listing.is_whole(part);
                missing.then(|| (Arc::clone(part), open.task.id.clone()))
            })
            .collect()
    }

    /// Takes in what a poll showed at `now` and says what changed, having
    /// counted it.
    ///
    /// A finished task in the first whole listing of its part, or one that
    /// ended longer ago than the retention when it is first met, is recorded
    /// and not counted.
    pub fn apply(&mut self, listing: Listing, now: Timestamp) -> Vec<Change> {
        let mut poll = Poll {
            now,
            changes: Vec::new(),
            opened: false,
            successes: Vec::new(),
        };
        let whole: BTreeSet<_> = listing
            .parts()
            .filter(|part| listing.is_whole(part))
            .map(|part| self.parts.number(part))
            .collect();
        self.drop_missing(&listing, &whole, &mut poll);
        for (key, met) in listing.into_met() {
            self.meet(key, met, &mut poll);
        }
        self.known_parts.extend(whole);
        self.close_failures(&poll);
        for change in &poll.changes {
            self.totals.record(change);
        }
        poll.changes
    }

    /// Unlists what is missing from the parts that were read to their end, and
    /// forgets what was unlisted long ago.
    fn drop_missing(&mut self, listing: &Listing, whole: &BTreeSet<NameId>, poll: &mut Poll) {
        let mut forgotten = Vec::new();
        for (key, entry) in &mut self.entries {
            if let Some(since) = entry.unlisted.get() {
                if is_older(since, poll.now, self.limits.retention) {
                    forgotten.push(*key);
                }
                continue;
            }
            if !whole.contains(&entry.part) || listing.has_met(*key) {
                continue;
            }
            if entry.status.is_unfinished() {
                // Reading it by id failed, or its turn has not come: it is not known to be gone.
                if !listing.is_gone(*key) {
                    continue;
                }
                if entry.outcome.is_none() {
                    poll.push(entry.operation, Event::Vanished);
                }
            }
            entry.unlisted = Some(poll.now).into();
            self.open.remove(key);
            let counts = self.counts.entry(entry.operation).or_default();
            counts.take(entry.status);
        }
        for key in forgotten {
            self.entries.remove(&key);
        }
    }

    /// Takes in one task.
    fn meet(&mut self, key: TaskKey, met: Met, poll: &mut Poll) {
        let (summary, call) = (&met.summary, met.call);
        let operation = self.operations.number(&summary.operation);
        let part = self.parts.number(&met.part);
        let episode = if let Some(entry) = self.entries.get_mut(&key) {
            if entry.is_listed() {
                let counts = self.counts.entry(entry.operation).or_default();
                counts.take(entry.status);
            }
            let verdict = entry.judge(summary, call);
            entry.update(summary, call, verdict);
            (entry.operation, entry.part) = (operation, part);
            (verdict == Verdict::Episode).then_some(true)
        } else {
            let entry = Entry::new(summary, call, operation, part);
            self.entries.insert(key, entry);
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
            .map(|task| OpenTask::new(*task, operation, poll.now));
        self.track(key, open, episode, poll);
    }

    /// Whether a task that is met for the first time counts: an unfinished one
    /// always, a finished one unless it is history.
    fn is_new(&self, task: &Summary, part: NameId, now: Timestamp) -> bool {
        if task.status.is_unfinished() {
            return true;
        }
        let ended = task.ended.get();
        let long_ago = ended.is_some_and(|ended| is_older(ended, now, self.limits.retention));
        self.known_parts.contains(&part) && !long_ago
    }

    /// Takes in that a task entered an outcome, `counted` or as history.
    fn finish(&mut self, task: &Summary, operation: NameId, counted: bool, poll: &mut Poll) {
        let (started, ended) = (task.started.get(), task.ended.get());
        let took = match (started, ended) {
            (Some(started), Some(ended)) => Duration::try_from(ended.duration_since(started)).ok(),
            _ => None,
        };
        if let Some(ended) = ended.or_else(|| counted.then_some(poll.now)) {
            let recency = self.recency.entry(operation).or_default();
            recency.ended(task.status, ended, took);
        }
        if let (true, Some(started)) = (task.status.is_success() && task.scope != 0, started) {
            poll.successes.push((task.scope, started));
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
        self.entries.is_empty()
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
mod tests;
