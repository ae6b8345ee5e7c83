//! Failures of which the two kinds of calls tell different ends.
//!
//! Ends that were told by two kinds of calls are not compared: a source may tell
//! one end in two ways. But a retry that failed again between two polls shows by
//! its end alone, and the next poll may see it by the other kind of call. So the
//! kind that told the known end is asked before such a failure is taken in.

use std::cmp::Reverse;

use super::{Entry, Ledger, Wanted};
use crate::task::{Call, Listing, Moment, Status, Task, TaskKey};

/// What a full poll shows of a failure that a call by id tells with a later end
/// than the list did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The end that the list told before.
    Unmoved,
    /// Nothing that tells: its status is unknown, or the poll did not come so deep.
    Nothing,
}

impl Ledger {
    /// The failures whose end a call by id told, and that the list shows with a
    /// later one, newest first.
    pub(crate) fn contested<'a>(&'a self, listing: &'a Listing) -> Vec<Wanted<'a>> {
        let failed = listing.failed();
        let listed = failed.filter(|(_, met, _)| met.call == Call::List);
        let contested = listed.filter_map(|(key, met, task)| {
            let ended = met.summary.ended;
            let wanted = Wanted {
                rank: (Reverse(ended.get()?), key),
                part: &met.part,
                id: &task.id,
            };
            self.is_contested(key, ended, Call::List).then_some(wanted)
        });
        let mut contested: Vec<_> = contested.collect();
        contested.sort_unstable_by_key(|wanted| wanted.rank);
        contested
    }

    /// Whether a call by id shows a failure with a later end than the one that
    /// the list told.
    pub(crate) fn contests(&self, task: &Task) -> bool {
        task.status == Status::Failed
            && self.is_contested(task.key(), task.ended.into(), Call::ById)
    }

    /// What a full poll shows of a failure for which the list told this end before;
    /// `None` if there is no doubt any more: it moved, or is gone.
    pub(crate) fn shown(&self, key: TaskKey, before: Moment, listing: &Listing) -> Option<Shown> {
        let entry = self.entries.get(&key);
        let entry = entry.filter(|entry| entry.ended == before)?;
        match listing.met(key).map(|met| &met.summary) {
            None if !listing.is_complete() => Some(Shown::Nothing),
            Some(met) if met.status == Status::Unknown => Some(Shown::Nothing),
            Some(met) if entry.is_unmoved(met) => Some(Shown::Unmoved),
            _ => None,
        }
    }

    /// When the episode that the task is in ended, as far as is known.
    pub(crate) fn ended(&self, key: TaskKey) -> Moment {
        let entry = self.entries.get(&key);
        entry.map_or(Moment::NONE, |entry| entry.ended)
    }

    /// Whether the task stands as it did when it was met last, to its very end.
    pub(crate) fn shows_end(&self, task: &Task) -> bool {
        let entry = self.entries.get(&task.key());
        task.ended.is_some() && entry.is_some_and(|entry| entry.shows(task))
    }

    fn is_contested(&self, key: TaskKey, ended: Moment, call: Call) -> bool {
        let entry = self.entries.get(&key);
        let contested = entry.filter(|entry| entry.is_contested(Status::Failed, ended, call));
        let earlier = || self.earlier.get(&key).map_or(&[][..], Vec::as_slice);
        let went_back = |entry: &Entry| entry.is_earlier(Status::Failed, ended, earlier());
        contested.is_some_and(|entry| !went_back(entry))
    }
}
