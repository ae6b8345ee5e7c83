//! Failures of which the two kinds of calls tell different ends: which one is asked.

use std::collections::BTreeSet;

use tracing::debug;

use crate::ledger::{Ledger, Wanted};
use crate::task::{Listing, Task, TaskKey};

/// What is found out of a source whose calls by id and lists do not agree.
#[derive(Debug, Default)]
pub(super) struct Contests {
    /// Failures that a call by id showed with a later end than the list did: a
    /// full poll is to bear that out.
    by_id: BTreeSet<TaskKey>,
    /// Whether the source was found to tell one end in two ways: then no later
    /// end by the other kind of call says anything.
    tells_apart: bool,
}

impl Contests {
    /// The failures that the list shows with a later end than a call by id told,
    /// newest first: another such call is to confirm it.
    pub(super) fn contested<'a>(&self, listing: &Listing, ledger: &'a Ledger) -> Vec<Wanted<'a>> {
        if self.tells_apart {
            return Vec::new();
        }
        ledger.contested(listing)
    }

    /// Takes in what a full poll showed of the failures that wait for it.
    pub(super) fn bear_out(&mut self, listing: &Listing, ledger: &Ledger) {
        for key in std::mem::take(&mut self.by_id) {
            self.tells_apart |= ledger.is_unmoved(key, listing);
        }
    }

    /// Takes in how a failure stands by its id that the list shows with a later
    /// end; whether that is to be met.
    pub(super) fn confirms(&mut self, task: &Task, ledger: &Ledger) -> bool {
        let stands = ledger.shows(task);
        self.tells_apart |= stands;
        if stands {
            debug!(
                task_id = task.id,
                "the list tells another end than a call by id"
            );
        }
        !stands
    }

    /// Whether a task by its id is to wait for a full poll.
    pub(super) fn waits(&mut self, task: &Task, ledger: &Ledger) -> bool {
        let waits = !self.tells_apart && ledger.contests(task);
        if waits {
            self.by_id.insert(task.key());
        }
        waits
    }
}
