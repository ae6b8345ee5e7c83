//! What is read by id: open tasks that a listing does not show, each in its turn.
//!
//! A call that fails is of one task as long as that can be: it costs the task its
//! turn, not the poll what it has read. Time is shared so that one that hangs
//! leaves the others some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::debug;

use super::Poller;
use super::plan::Mode;
use crate::ledger::{Rank, Unmet, Wanted};
use crate::sources::{Found, Reason, Source, SourceError};
use crate::task::{Call, Listing, TaskKey};

/// How many tasks are read by id in one poll; the rest wait for the next.
const LOOKUPS: usize = 20;

/// How many of them are failures at the most: with two pages, that is a poll of
/// five requests however much has failed.
const FAILURES: usize = 3;

/// Failures that are likely to be retried or resolved next: the newest ones.
const NEWEST_FAILURES: usize = 20;

/// How many older failures are among those of one poll.
const OLDER_FAILURES: usize = 1;

/// How many of them have an unknown status at the least, if so many do.
const UNKNOWN: usize = 1;

/// How long one call may take, if that is not too much of what is left.
const LONGEST: Duration = Duration::from_secs(5);

/// How long one call may take, if so much is left.
const SHORTEST: Duration = Duration::from_secs(1);

/// Calls without an answer after which no more tasks of a kind are tried.
const MOST_UNANSWERED: usize = 2;

/// Tasks that take turns with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wheel {
    Unfinished,
    /// What the source says of them is not understood: they may have ended.
    Unknown,
    NewestFailures,
    OlderFailures,
}

impl Wheel {
    fn is_missing(self) -> bool {
        matches!(self, Self::Unfinished | Self::Unknown)
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
}

/// One task to be read by its id.
#[derive(Debug)]
struct Lookup {
    wheel: Wheel,
    rank: Rank,
    part: Arc<str>,
    id: String,
}

impl Turns {
    /// What is to be read by id of what a poll did not show.
    fn agenda(&self, unmet: &Unmet<'_>, mode: Mode) -> Vec<Lookup> {
        // A part that was read whole shows its failures, and another one's can wait.
        let failed = match mode {
            Mode::Full => &[][..],
            Mode::Steady => &unmet.failed,
        };
        let (newest, older) = failed.split_at(failed.len().min(NEWEST_FAILURES));
        let failures = failed.len().min(FAILURES);
        let old = older.len().min(OLDER_FAILURES);
        let mut agenda = Vec::new();
        let room = LOOKUPS - failures;
        let unfinished = room - unmet.unknown.len().min(UNKNOWN);
        self.fill(
            &mut agenda,
            Wheel::Unfinished,
            &unmet.unfinished,
            unfinished,
        );
        let room = room - agenda.len();
        self.fill(&mut agenda, Wheel::Unknown, &unmet.unknown, room);
        self.fill(&mut agenda, Wheel::NewestFailures, newest, failures - old);
        self.fill(&mut agenda, Wheel::OlderFailures, older, old);
        agenda
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
    /// wanted, as only that tells whether the task is gone.
    fn take_in(&mut self, listing: &mut Listing, lookup: &Lookup, found: Found) -> bool {
        let key = TaskKey::of(&lookup.id);
        let (is_gone, is_known) = match found {
            Found::Task(task) => {
                self.doubted.remove(&key);
                listing.meet(&lookup.part, Call::ById, *task);
                return false;
            }
            Found::Nothing => (listing.shows_unfinished(&lookup.part), true),
            Found::NotAskable => (listing.is_whole(&lookup.part), false),
        };
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

    /// Takes in why a task was not read.
    fn failed(&mut self, error: &SourceError) {
        let asked = error.retry_after.map(|pause| Instant::now() + pause);
        self.rest_until = asked.or(self.rest_until);
        if error.reason == Reason::RateLimited {
            self.patience_until = asked.or(self.patience_until);
        }
    }
}

impl<S: Source> Poller<S> {
    /// Reads by id what the listing lacks, as far as there is time until `deadline`.
    pub(super) async fn look_up(&mut self, mode: Mode, listing: &mut Listing, deadline: Instant) {
        if self
            .turns
            .rest_until
            .is_some_and(|until| Instant::now() < until)
        {
            return;
        }
        if mode == Mode::Full {
            let doubted = &mut self.turns.doubted;
            doubted.retain(|key| listing.has_met(*key));
        }
        let unmet = self.keeper.kept().ledger().unmet(listing);
        let agenda = self.turns.agenda(&unmet, mode);
        let mut unanswered = BTreeMap::<bool, usize>::new();
        for lookup in agenda {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // What hangs on one kind of tasks says little of the other.
            let unanswered = unanswered.entry(lookup.wheel.is_missing()).or_default();
            if *unanswered >= MOST_UNANSWERED {
                continue;
            }
            match self.find(&lookup, share(left)).await {
                Ok(found) => self.wants_full |= self.turns.take_in(listing, &lookup, found),
                Err(error) => {
                    debug!(source = %self.facts.name, %error, "a task cannot be read by its id");
                    if error.reason == Reason::RateLimited || error.retry_after.is_some() {
                        return;
                    }
                    *unanswered += usize::from(!error.reason.is_of_one_call());
                }
            }
        }
    }

    async fn find(&mut self, lookup: &Lookup, limit: Duration) -> Result<Found, SourceError> {
        // Before the call, so that one that is given up has had its turn too.
        self.turns.last.insert(lookup.wheel, lookup.rank);
        let found = timeout(limit, self.source.find(&lookup.part, &lookup.id)).await;
        let found = found.unwrap_or_else(|_elapsed| {
            let detail = format!("no answer in {limit:?}");
            Err(SourceError::new(Reason::Timeout, "task by id", detail))
        });
        found.inspect_err(|error| self.turns.failed(error))
    }
}

/// How long one call may take of the time that is left.
fn share(left: Duration) -> Duration {
    (left / 4).clamp(SHORTEST.min(left), LONGEST)
}
