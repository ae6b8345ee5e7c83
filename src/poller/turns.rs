//! Whose turn it is to be read by id, where not all can be in one poll.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::contests::{Contests, Reading};
use super::plan::Mode;
use crate::ledger::{Ledger, Rank, Unmet, Wanted};
use crate::sources::{Found, Reason, SourceError};
use crate::task::{Call, Listing, Task, TaskKey};

/// How many tasks are read by id in one poll; the rest wait for the next.
const LOOKUPS: usize = 20;

/// How many of them are failures at the most: with two pages, that is a poll of
/// five requests however much has failed.
const FAILURES: usize = 3;

/// Failures that are likely to be retried or resolved next: the newest ones.
const NEWEST_FAILURES: usize = 20;

/// How many older failures are among those of one poll.
const OLDER_FAILURES: usize = 1;

/// How many of them are failures that the list shows with another end.
const CONTESTED: usize = 5;

/// How many of them have an unknown status at the least, if so many do.
const UNKNOWN: usize = 1;

/// Tasks that take turns with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wheel {
    Unfinished,
    /// What the source says of them is not understood: they may have ended.
    Unknown,
    NewestFailures,
    OlderFailures,
    Contested,
}

impl Wheel {
    fn is_missing(self) -> bool {
        matches!(self, Self::Unfinished | Self::Unknown)
    }

    /// The wheel that stands for those of its kind.
    pub(super) fn kind(self) -> Self {
        match self {
            Self::Unknown => Self::Unfinished,
            Self::OlderFailures => Self::NewestFailures,
            other => other,
        }
    }
}

/// Whose turn it is, where not all can be read by id in one poll.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The task of each wheel that had its turn last.
    last: BTreeMap<Wheel, Rank>,
    /// Until when the source asked not to be called so.
    rest_until: Option<Instant>,
    /// Until when the source asked not to be called at all.
    patience_until: Option<Instant>,
    /// Tasks that no call by id found although nobody knows them to be unlisted,
    /// and for which a full poll was made or is wanted.
    doubted: BTreeSet<TaskKey>,
    pub(super) contests: Contests,
}

/// One task to be read by its id.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) wheel: Wheel,
    rank: Rank,
    pub(super) part: Arc<str>,
    pub(super) id: String,
}

impl Turns {
    /// What is to be read by id: what a poll did not show, and failures of which it
    /// cannot be told yet what it showed, which are withheld until then.
    pub(super) fn agenda(
        &mut self,
        listing: &mut Listing,
        ledger: &Ledger,
        mode: Mode,
    ) -> Vec<Lookup> {
        let contested = self.contests.contested(listing, ledger);
        let withheld: Vec<_> = contested.iter().map(|wanted| wanted.rank.1).collect();
        let mut agenda = Vec::new();
        self.fill(&mut agenda, Wheel::Contested, &contested, CONTESTED);
        for key in withheld {
            listing.withhold(key);
        }
        let unmet = ledger.unmet(listing);
        self.fill_unmet(&mut agenda, &unmet, mode);
        agenda
    }

    fn fill_unmet(&self, agenda: &mut Vec<Lookup>, unmet: &Unmet<'_>, mode: Mode) {
        // A part that was read whole shows its failures, and another one's can wait.
        let failed = match mode {
            Mode::Full => &[][..],
            Mode::Steady => &unmet.failed,
        };
        let (newest, older) = failed.split_at(failed.len().min(NEWEST_FAILURES));
        let failures = failed.len().min(FAILURES);
        let old = older.len().min(OLDER_FAILURES);
        let most = LOOKUPS - failures;
        let unfinished = most - agenda.len() - unmet.unknown.len().min(UNKNOWN);
        self.fill(agenda, Wheel::Unfinished, &unmet.unfinished, unfinished);
        let room = most - agenda.len();
        self.fill(agenda, Wheel::Unknown, &unmet.unknown, room);
        self.fill(agenda, Wheel::NewestFailures, newest, failures - old);
        self.fill(agenda, Wheel::OlderFailures, older, old);
    }

    /// Adds `most` of a group, those whose turn is next.
    fn fill(&self, agenda: &mut Vec<Lookup>, wheel: Wheel, group: &[Wanted<'_>], most: usize) {
        let last = self.last.get(&wheel).copied();
        let next = group.partition_point(|wanted| Some(wanted.rank) <= last);
        let turns = group.iter().cycle().skip(next).take(group.len().min(most));
        agenda.extend(turns.map(|wanted| Lookup {
            wheel,
            rank: wanted.rank,
            part: Arc::clone(wanted.part),
            id: wanted.id.to_owned(),
        }));
    }

    /// Takes in that a task is being read.
    pub(super) fn had(&mut self, lookup: &Lookup) {
        self.last.insert(lookup.wheel, lookup.rank);
    }

    /// Takes in that the source did not tell how a task stands.
    pub(super) fn not_told(&mut self, lookup: &Lookup) {
        if lookup.wheel == Wheel::Contested {
            self.contests.not_answered(TaskKey::of(&lookup.id));
        }
    }

    /// Takes in what a full poll, begun then, showed of the tasks for which one was
    /// wanted.
    pub(super) fn read_in_full(&mut self, listing: &Listing, ledger: &Ledger, began: Instant) {
        self.doubted.retain(|key| listing.has_met(*key));
        self.contests.read_in_full(listing, ledger, began);
    }

    /// Whether the source asked that no task be read by its id now.
    pub(super) fn rests(&self, now: Instant) -> bool {
        self.rest_until.is_some_and(|until| now < until)
    }

    /// When the next poll may be, if it is due at `due`.
    pub(super) fn not_before(&self, due: Instant) -> Instant {
        self.patience_until.map_or(due, |until| until.max(due))
    }

    /// Whether the source asked to be left alone, and is.
    pub(super) fn is_patient(&self, now: Instant) -> bool {
        let until = self.patience_until.max(self.rest_until);
        until.is_some_and(|until| until > now)
    }

    /// Forgets what the source asked for: somebody says that things have changed.
    pub(super) fn reloaded(&mut self) {
        (self.patience_until, self.rest_until) = (None, None);
    }

    /// Takes in what reading a task by its id came to; whether a full poll is
    /// wanted, as only that tells whether the task is gone, or failed again.
    pub(super) fn take_in(
        &mut self,
        listing: &mut Listing,
        lookup: &Lookup,
        found: Found,
        ledger: &Ledger,
    ) -> bool {
        let key = TaskKey::of(&lookup.id);
        let (is_gone, is_known) = match found {
            Found::Task(task) => {
                self.doubted.remove(&key);
                return self.meet(listing, lookup, *task, ledger);
            }
            Found::Nothing => (listing.shows_unfinished(&lookup.part), true),
            Found::NotAskable => (listing.is_whole(&lookup.part), false),
        };
        if lookup.wheel == Wheel::Contested {
            listing.release(key);
        }
        // A failure stays until a full poll tells more.
        if !lookup.wheel.is_missing() {
            return false;
        }
        if is_gone {
            listing.gone(key);
            self.doubted.remove(&key);
        }
        is_known && !is_gone && self.doubted.insert(key)
    }

    /// Takes in how a task stands by its id; whether a full poll is to bear it out.
    fn meet(
        &mut self,
        listing: &mut Listing,
        lookup: &Lookup,
        task: Task,
        ledger: &Ledger,
    ) -> bool {
        if lookup.wheel == Wheel::Contested {
            if !self.contests.confirms(&task, ledger) {
                listing.release(task.key());
                return false;
            }
        } else if !listing.is_whole(&lookup.part) {
            // No full poll tells more of what the whole list does not show.
            match self.contests.weigh(&task, ledger) {
                Reading::Counts => {}
                Reading::Waits => return false,
                Reading::WantsFull => return true,
            }
        }
        listing.meet(&lookup.part, Call::ById, task);
        false
    }

    /// Takes in why a task was not read.
    pub(super) fn failed(&mut self, error: &SourceError) {
        let asked = error.retry_after.map(|pause| Instant::now() + pause);
        self.rest_until = asked.or(self.rest_until);
        if error.reason == Reason::RateLimited {
            self.patience_until = asked.or(self.patience_until);
        }
    }
}
