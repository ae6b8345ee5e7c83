//! Failures of which the two kinds of calls tell different ends.
//!
//! Ends that were told by two kinds of calls are not compared: a source may tell
//! one end in two ways. But a retry that failed again between two polls shows by
//! its end alone, and the next poll may see it by the other kind of call. So the
//! kind that told the known end is asked before such a failure is taken in.

use super::{Entry, Ledger, Wanted};
use crate::task::{Call, Listing, Moment, Status, Task, TaskKey};

impl Ledger {
    /// The failures whose end a call by id told, and that the listing shows with a
    /// later one, newest first.
    pub(crate) fn contested(&self, listing: &Listing) -> Vec<Wanted<'_>> {
        let contested = self.open.iter().filter(|(key, _)| {
            let met = listing.met(**key);
            met.is_some_and(|met| {
                let (status, ended) = (met.summary.status, met.summary.ended);
                self.is_contested(**key, status, ended, met.call)
            })
        });
        let wanted = contested.filter_map(|(key, open)| self.wanted(*key, open));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_unstable_by_key(|wanted| wanted.rank);
        wanted
    }

    /// Whether a call by id shows a failure with a later end than the one that
    /// the list told.
    pub(crate) fn contests(&self, task: &Task) -> bool {
        self.is_contested(task.key(), task.status, task.ended.into(), Call::ById)
    }

    /// Whether a full poll shows a contested failure no other than it was.
    pub(crate) fn is_unmoved(&self, key: TaskKey, listing: &Listing) -> bool {
        let entry = self.entries.get(&key);
        match (listing.met(key), entry) {
            (Some(met), Some(entry)) => entry.is_unmoved(met.summary.status, met.summary.ended),
            // What is deeper than the poll came can never be told.
            _ => !listing.is_complete(),
        }
    }

    /// Whether the task stands exactly as it did when it was met last.
    pub(crate) fn shows(&self, task: &Task) -> bool {
        let entry = self.entries.get(&task.key());
        entry.is_some_and(|entry| entry.shows(task))
    }

    fn is_contested(&self, key: TaskKey, status: Status, ended: Moment, call: Call) -> bool {
        let earlier = self.earlier.get(&key).map_or(&[][..], Vec::as_slice);
        let is_contested =
            |entry: &Entry| status == Status::Failed && entry.is_contested(status, ended, call);
        let went_back = |entry: &Entry| entry.is_earlier(status, ended, earlier);
        let entry = self.entries.get(&key);
        entry.is_some_and(|entry| is_contested(entry) && !went_back(entry))
    }
}
