//! Tasks that a poll did not show: which to look for, and which are gone.
//!
//! Only a part that was read to its end misses anything. Only then, and else
//! now and then, all entries are walked through: a steady poll costs what it
//! met.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Entry, Event, Ledger, NameId, OpenTask, Poll};
use crate::task::{Listing, TaskKey};

/// How often what was unlisted long ago is forgotten at least, in seconds.
const SWEEP_EVERY: u32 = 600;

/// A task to be read by its id: the part that listed it, and the id.
pub(crate) type Wanted = (Arc<str>, String);

impl Ledger {
    /// The unfinished tasks that should have been in the listing and are not,
    /// with the parts that listed them: to be read by id before `apply`.
    pub fn missing(&self, listing: &Listing) -> Vec<Wanted> {
        let unmet = self.unmet(listing);
        let unfinished = unmet.filter(|(_, open)| open.task.status.is_unfinished());
        unfinished
            .map(|(part, open)| (Arc::clone(part), open.task.id.clone()))
            .collect()
    }

    /// The open failures that the listing says nothing of, `most` of the newest:
    /// to be read by id, as they may be resolved or retried.
    pub fn unresolved(&self, listing: &Listing, most: usize) -> Vec<Wanted> {
        let unmet = self
            .unmet(listing)
            .filter(|(part, _)| !listing.is_whole(part));
        let failed = unmet.filter_map(|(part, open)| Some((open.failed_at()?, part, open)));
        let mut failed: Vec<_> = failed.collect();
        failed.sort_by_key(|(at, _, open)| (Reverse(*at), TaskKey::of(&open.task.id)));
        let newest = failed.into_iter().take(most);
        newest
            .map(|(_, part, open)| (Arc::clone(part), open.task.id.clone()))
            .collect()
    }

    /// The open tasks of the parts that were read, as far as they were not met.
    fn unmet(&self, listing: &Listing) -> impl Iterator<Item = (&Arc<str>, &OpenTask)> {
        let open = self.open.iter().filter(|(key, _)| !listing.has_met(**key));
        open.filter_map(|(key, open)| {
            let part = self.parts.name(self.entries.get(key)?.part);
            listing.has_unfinished(part).then_some((part, open))
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
