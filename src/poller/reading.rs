//! Reads a source: everything, or what is new; and by id what that lacks.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::plan::Mode;
use super::{Poller, panic_message};
use crate::ledger::Wanted;
use crate::sources::{Reason, Source, SourceError};
use crate::task::{Call, Listing, TaskKey};

/// How many tasks are read by id in one poll; the rest wait for the next.
const LOOKUPS: usize = 20;

/// How many failures are watched by a steady poll, the newest ones.
const WATCHED_FAILURES: usize = 20;

/// How many of them are read by id in one poll: with two pages, that is a poll
/// of few requests however much has failed.
const FAILURE_LOOKUPS: usize = 2;

/// A full poll that has begun.
#[derive(Debug)]
pub(super) struct FullPoll {
    began: Instant,
    pub(super) listing: Listing,
}

/// What a stretch of reading came to.
#[derive(Debug)]
pub(super) enum Stretch {
    /// The full poll gave way, and goes on later.
    GaveWay,
    /// A poll came to its end.
    Ended(Mode, Result<Listing, SourceError>),
}

/// Whose turn it is, where not all can be read by id in one poll.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The missing task that was looked for last.
    missing: Option<TaskKey>,
    /// The failure that was looked for last.
    failure: Option<String>,
}

impl<S: Source> Poller<S> {
    /// Reads the source, in the time that a poll of this mode may take. A full
    /// poll gives way at `until`; a steady one that shows itself impossible
    /// becomes a full one.
    pub(super) async fn read(&mut self, mode: Mode, until: Option<Instant>) -> Stretch {
        if mode == Mode::Steady {
            let began = Instant::now();
            let newest = in_time((began, self.schedule.timeout), self.read_newest()).await;
            let ended = newest.map_err(|failure| self.failed(failure));
            if let Some(read) = ended.transpose() {
                self.health.polled_steadily(began.elapsed());
                return Stretch::Ended(mode, read);
            }
        }
        let full = self.full.take().unwrap_or_else(|| FullPoll {
            began: Instant::now(),
            listing: Listing::new(),
        });
        let began = full.began;
        let limits = (began, self.schedule.full_timeout);
        let read = in_time(limits, self.read_all(full, until)).await;
        let ended = read.map_err(|failure| self.failed(failure));
        let Some(read) = ended.transpose() else {
            return Stretch::GaveWay;
        };
        self.health.polled_in_full(began.elapsed());
        Stretch::Ended(Mode::Full, read)
    }

    /// Reads on with a full poll; none if it gave way.
    async fn read_all(
        &mut self,
        mut full: FullPoll,
        until: Option<Instant>,
    ) -> Result<Option<Listing>, SourceError> {
        if !self.source.read_on(&mut full.listing, until).await? {
            self.full = Some(full);
            return Ok(None);
        }
        let mut listing = full.listing;
        listing.settle();
        self.look_for_missing(&mut listing, LOOKUPS).await;
        Ok(Some(listing))
    }

    /// Reads the newest tasks and what else is open; none if that cannot be.
    async fn read_newest(&mut self) -> Result<Option<Listing>, SourceError> {
        let memory = self.keeper.kept().ledger();
        let Some(mut listing) = self.source.read_newest(memory).await? else {
            return Ok(None);
        };
        let failures = memory.unresolved(&listing, WATCHED_FAILURES);
        let lookups = LOOKUPS - failures.len().min(FAILURE_LOOKUPS);
        if self.look_for_missing(&mut listing, lookups).await {
            self.look_at_failures(&mut listing, failures).await;
        }
        Ok(Some(listing))
    }

    /// Reads the missing unfinished tasks by id, in turn; false if the source
    /// does not answer any more.
    async fn look_for_missing(&mut self, listing: &mut Listing, most: usize) -> bool {
        let mut missing = self.keeper.kept().ledger().missing(listing);
        // One that cannot be read does not keep those behind it waiting for ever.
        let last = self.turns.missing;
        let turn = missing.partition_point(|(_, id)| Some(TaskKey::of(id)) <= last);
        missing.rotate_left(turn);
        for wanted in missing.iter().take(most) {
            let key = TaskKey::of(&wanted.1);
            self.turns.missing = Some(key);
            match self.find(wanted, listing).await {
                Ok(true) => {}
                Ok(false) => listing.gone(key),
                Err(()) => return false,
            }
        }
        true
    }

    /// Reads the newest failures by id, in turn. One that is not found stays
    /// until a full poll tells more.
    async fn look_at_failures(&mut self, listing: &mut Listing, mut failures: Vec<Wanted>) {
        let last = self.turns.failure.take();
        let last = failures
            .iter()
            .position(|(_, id)| Some(id) == last.as_ref());
        failures.rotate_left(last.map_or(0, |last| last + 1));
        for wanted in failures.into_iter().take(FAILURE_LOOKUPS) {
            if self.find(&wanted, listing).await.is_err() {
                break;
            }
            self.turns.failure = Some(wanted.1);
        }
    }

    /// Reads a task by id into the listing, and says whether the source does
    /// not deny it; an error means that nothing more is worth a try.
    async fn find(&mut self, (part, id): &Wanted, listing: &mut Listing) -> Result<bool, ()> {
        match self.source.find(part, id).await {
            Ok(Some(task)) => {
                listing.meet(part, Call::ById, task);
                Ok(true)
            }
            Ok(None) => Ok(false),
            // What is not known to be gone stays, and is looked for again in its turn.
            Err(error) => {
                debug!(source = %self.facts.name, %error, "a task cannot be read by its id");
                if error.reason.is_of_one_call() {
                    Ok(true)
                } else {
                    Err(())
                }
            }
        }
    }

    /// Why nothing was read.
    fn failed(&mut self, failure: Failure) -> SourceError {
        match failure {
            Failure::Source(error) => error,
            Failure::Panic(message) => self.panicked("reading the source", &message),
        }
    }
}

/// Why nothing was read.
enum Failure {
    Source(SourceError),
    Panic(String),
}

/// Reads for as long as a poll that began then may take; a panic ends no more
/// than the poll.
async fn in_time<T>(
    (began, limit): (Instant, Duration),
    read: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, Failure> {
    let read = timeout_at(began + limit, AssertUnwindSafe(read).catch_unwind());
    match read.await {
        Ok(Ok(result)) => result.map_err(Failure::Source),
        Ok(Err(panic)) => Err(Failure::Panic(panic_message(&*panic).to_owned())),
        Err(_elapsed) => {
            let detail = format!("the poll took longer than {limit:?}");
            let error = SourceError::new(Reason::Timeout, "poll", detail);
            Err(Failure::Source(error))
        }
    }
}
