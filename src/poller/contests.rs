//! Failures of which the two kinds of calls tell different ends: which one is asked.

use std::collections::BTreeMap;

use tokio::time::Instant;
use tracing::debug;

use crate::ledger::{Ledger, Shown, Wanted};
use crate::task::{Listing, Moment, Task, TaskKey};

/// After how many calls by its id without an answer a failure stands as the list
/// shows it.
const PATIENCE: u32 = 10;

/// What is found out of a source whose calls by id and lists do not agree.
#[derive(Debug, Default)]
pub(super) struct Contests {
    /// Failures that a call by id shows with a later end than the list did.
    doubts: BTreeMap<TaskKey, Doubt>,
    /// How many calls by id were not answered, of those that the list shows with a
    /// later end.
    unanswered: BTreeMap<TaskKey, u32>,
    /// Whether the source was found to tell one end in two ways: then no later
    /// end by the other kind of call says anything.
    pub(super) tells_apart: bool,
}

/// A failure that a call by id shows with a later end than the list did.
#[derive(Debug)]
struct Doubt {
    /// The end that the list told.
    listed: Moment,
    since: Instant,
    /// What a full poll showed that began since then.
    answer: Option<Shown>,
}

/// What is to be done with a task that was read by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is taken in.
    Counts,
    /// It waits for a full poll.
    Waits,
    /// It waits for a full poll, which is to be asked for.
    WantsFull,
}

impl Contests {
    /// The failures that the list shows with a later end than a call by id told,
    /// newest first: another such call is to confirm it.
    pub(super) fn contested<'a>(
        &mut self,
        listing: &'a Listing,
        ledger: &'a Ledger,
    ) -> Vec<Wanted<'a>> {
        if self.tells_apart {
            return Vec::new();
        }
        let mut contested = ledger.contested(listing);
        let unanswered = &mut self.unanswered;
        contested.retain(|wanted| match unanswered.get(&wanted.rank.1) {
            Some(PATIENCE..) => unanswered.remove(&wanted.rank.1).is_none(),
            _ => true,
        });
        contested
    }

    /// Takes in that a call by its id did not tell of such a failure.
    pub(super) fn not_answered(&mut self, key: TaskKey) {
        *self.unanswered.entry(key).or_default() += 1;
    }

    /// Takes in what a full poll, begun then, shows of the failures that wait for it.
    pub(super) fn read_in_full(&mut self, listing: &Listing, ledger: &Ledger, began: Instant) {
        self.unanswered.retain(|key, _| listing.has_met(*key));
        self.doubts.retain(|key, doubt| {
            let shown = ledger.shown(*key, doubt.listed, listing);
            if doubt.since <= began {
                doubt.answer = shown;
            }
            shown.is_some()
        });
    }

    /// Takes in how a failure stands by its id that the list shows with a later
    /// end; whether that is to be met.
    pub(super) fn confirms(&mut self, task: &Task, ledger: &Ledger) -> bool {
        self.unanswered.remove(&task.key());
        let stands = ledger.shows_end(task);
        if stands {
            self.tell_apart(task);
        }
        !stands
    }

    /// Takes in how a task stands by its id.
    pub(super) fn weigh(&mut self, task: &Task, ledger: &Ledger) -> Reading {
        let key = task.key();
        // A resolved failure is not shown as an open one, and counts when the list
        // shows it.
        if self.tells_apart || task.resolved || !ledger.contests(task) {
            self.doubts.remove(&key);
            return Reading::Counts;
        }
        let listed = ledger.ended(key);
        let doubt = self.doubts.get(&key).filter(|doubt| doubt.listed == listed);
        let Some(doubt) = doubt else {
            let doubt = Doubt {
                listed,
                since: Instant::now(),
                answer: None,
            };
            self.doubts.insert(key, doubt);
            return Reading::WantsFull;
        };
        match doubt.answer {
            None => return Reading::Waits,
            Some(Shown::Unmoved) => self.tell_apart(task),
            Some(Shown::Nothing) => {}
        }
        Reading::Counts
    }

    fn tell_apart(&mut self, task: &Task) {
        self.tells_apart = true;
        debug!(
            task_id = task.id,
            "the list tells another end than a call by id"
        );
    }
}
