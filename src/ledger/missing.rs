//! Tasks that a poll did not show: which to look for, and which are gone.
//!
//! Only a part that was read to its end misses anything. Only then, and else
//! now and then, all entries are walked through: a steady poll costs what it
//! met.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Entry, Event, Ledger, NameId, OpenTask, Poll};
use crate::task::{Listing, Status, TaskKey};

/// How often what was unlisted long ago is forgotten at least, in seconds.
const SWEEP_EVERY: u32 = 600;

/// The place of a task among others of its kind: newest first.
pub(crate) type Rank = (Reverse<Timestamp>, TaskKey);

/// An open task that is to be read by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(crate) rank: Rank,
    /// The part that listed it.
    pub(crate) part: &'a Arc<str>,
    pub(crate) id: &'a str,
}

/// The open tasks that a poll did not show, each kind newest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unmet<'a> {
    /// Unfinished ones that should have been in the listing, or may be deeper.
    pub(crate) unfinished: Vec<Wanted<'a>>,
    /// The same of those whose status is not understood.
    pub(crate) unknown: Vec<Wanted<'a>>,
    /// Failures of which the listing says nothing: they may be resolved or retried.
    pub(crate) failed: Vec<Wanted<'a>>,
}

impl Ledger {
    /// The open tasks that the listing does not show, and should or could: to be
    /// read by id before `apply`.
    pub(crate) fn unmet(&self, listing: &Listing) -> Unmet<'_> {
        let mut unmet = Unmet::default();
        for (key, open) in self.open.iter().filter(|(key, _)| !listing.has_met(**key)) {
            let wanted = self.wanted(*key, open);
            let Some(wanted) = wanted.filter(|wanted| listing.has_unfinished(wanted.part)) else {
                continue;
            };
            let group = match open.task.status {
                Status::Failed if listing.is_whole(wanted.part) => continue,
                Status::Failed => &mut unmet.failed,
                Status::Unknown => &mut unmet.unknown,
                _ => &mut unmet.unfinished,
            };
            group.push(wanted);
        }
        for group in [&mut unmet.unfinished, &mut unmet.unknown, &mut unmet.failed] {
            group.sort_unstable_by_key(|wanted| wanted.rank);
        }
        unmet
    }

    /// What is needed to read an open task by its id.
    pub(super) fn wanted<'a>(&'a self, key: TaskKey, open: &'a OpenTask) -> Option<Wanted<'a>> {
        let entry = self.entries.get(&key)?;
        let at = open.failed_at().unwrap_or_else(|| open.since());
        Some(Wanted {
            rank: (Reverse(at), key),
            part: self.parts.name(entry.part),
            id: &open.task.id,
        })
    }

    /// Unlists what is missing from the parts that were read to their end, and
    /// what no call by its id finds.
    pub(super) fn drop_missing(
        &mut self,
        listing: &Listing,
        whole: &BTreeSet<NameId>,
        poll: &mut Poll,
    ) {
        let gone = listing.all_gone().filter(|key| !listing.has_met(*key));
        let mut dropped: BTreeSet<_> = gone.collect();
        if !whole.is_empty() || self.observed.seconds() - self.swept >= SWEEP_EVERY {
            // One that has not ended and that no call by its id told to be gone is not
            // known to be: that call failed, or its turn has not come.
            let ended = |entry: &Entry| entry.status.is_outcome() && whole.contains(&entry.part);
            let missing = self.entries.iter().filter(|(key, entry)| {
                entry.is_listed() && ended(entry) && !listing.has_met(**key)
            });
            dropped.extend(missing.map(|(key, _)| *key));
            self.sweep(poll);
        }
        for key in dropped {
            self.drop_task(key, poll);
        }
    }

    /// Forgets what was unlisted, and what succeeded, long ago.
    fn sweep(&mut self, poll: &Poll) {
        self.swept = self.observed.seconds();
        let expired = self.entries.iter();
        let expired = expired.filter(|(_, entry)| self.is_expired(entry));
        let expired: Vec<_> = expired.map(|(key, _)| *key).collect();
        for key in expired {
            self.forget(key);
        }
        self.forget_successes(poll.now.there);
    }

    /// Whether a task is remembered; one that was unlisted too long ago is not.
    pub(super) fn recalls(&mut self, key: TaskKey) -> bool {
        let expired = self.entries.get(&key).map(|entry| self.is_expired(entry));
        if expired == Some(true) {
            self.forget(key);
        }
        expired == Some(false)
    }

    fn is_expired(&self, entry: &Entry) -> bool {
        let unlisted = entry.unlisted_for(self.observed);
        unlisted.is_some_and(|seconds| Duration::from_secs(seconds.into()) > self.limits.retention)
    }

    fn forget(&mut self, key: TaskKey) {
        self.entries.remove(&key);
        self.earlier.remove(&key);
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

    /// Takes a task out of the state, and returns its entry if it was in it.
    fn unlist(&mut self, key: TaskKey) -> Option<Entry> {
        self.entries.get(&key).filter(|entry| entry.is_listed())?;
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
    pub(super) fn retire(&mut self, stays: impl Fn(&str) -> bool) {
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
}

#[cfg(test)]
impl Unmet<'_> {
    /// The ids of those that have not ended, as far as is known.
    pub(crate) fn missing(&self) -> Vec<String> {
        let missing = self.unfinished.iter().chain(&self.unknown);
        missing.map(|wanted| wanted.id.to_owned()).collect()
    }
}
