//! Reads a source: everything, or what is new; and by id what that lacks.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Poller;
use super::keeper::Broken;
use super::plan::Mode;
use crate::panics::caught_in;
use crate::sources::{Reason, Source, SourceError};
use crate::task::Listing;

/// A full poll that has begun.
#[derive(Debug)]
pub(super) struct FullPoll {
    began: Instant,
    pub(super) listing: Listing,
}

/// What a stretch of reading came to.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each poll, which is taken apart at once"
)]
pub(super) enum Stretch {
    /// The full poll gave way, and goes on later.
    GaveWay,
    /// A poll came to its end.
    Ended(Mode, Result<Listing, SourceError>),
}

impl<S: Source> Poller<S> {
    /// Reads the source, in the time that a poll of this mode may take. A full
    /// poll gives way at `until`; a steady one that shows itself impossible
    /// becomes a full one.
    pub(super) async fn read(&mut self, mode: Mode, until: Option<Instant>) -> Stretch {
        if mode == Mode::Steady {
            let limits = Limits::new(Instant::now(), self.schedule.timeout);
            let newest = caught(self.read_newest(limits)).await;
            let ended = newest.map_err(|failure| self.failed(failure));
            if let Some(read) = ended.transpose() {
                self.health.polled_steadily(limits.began.elapsed());
                return Stretch::Ended(mode, read);
            }
        }
        let full = self.full.take().unwrap_or_else(|| {
            self.wants_full = false;
            FullPoll {
                began: Instant::now(),
                listing: Listing::new(),
            }
        });
        let limits = Limits::new(full.began, self.schedule.full_timeout);
        let read = caught(self.read_all(full, until, limits)).await;
        let ended = read.map_err(|failure| self.failed(failure));
        let Some(read) = ended.transpose() else {
            return Stretch::GaveWay;
        };
        self.health.polled_in_full(limits.began.elapsed());
        Stretch::Ended(Mode::Full, read)
    }

    /// Reads on with a full poll; none if it gave way.
    async fn read_all(
        &mut self,
        mut full: FullPoll,
        until: Option<Instant>,
        limits: Limits,
    ) -> Result<Option<Listing>, SourceError> {
        let read = self.source.read_on(&mut full.listing, until);
        if !limits.keep(read).await? {
            self.full = Some(full);
            return Ok(None);
        }
        let mut listing = full.listing;
        listing.settle();
        self.look_up(Mode::Full, &mut listing, limits).await;
        Ok(Some(listing))
    }

    /// Reads the newest tasks and what else is open; none if that cannot be.
    async fn read_newest(&mut self, limits: Limits) -> Result<Option<Listing>, SourceError> {
        let memory = self.keeper.kept().ledger();
        let read = self.source.read_newest(memory);
        let Some(newest) = limits.keep(read).await? else {
            return Ok(None);
        };
        self.wants_full |= newest.wants_full;
        let mut listing = newest.listing;
        self.look_up(Mode::Steady, &mut listing, limits).await;
        Ok(Some(listing))
    }

    /// Why nothing was read.
    fn failed(&mut self, failure: Failure) -> SourceError {
        match failure {
            Failure::Source(error) => error,
            Failure::Panic(broken) => self.broken("reading the source", &broken),
        }
    }
}

/// Why nothing was read.
enum Failure {
    Source(SourceError),
    Panic(Broken),
}

/// How long a poll may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) began: Instant,
    most: Duration,
}

impl Limits {
    fn new(began: Instant, most: Duration) -> Self {
        Self { began, most }
    }

    pub(super) fn end(self) -> Instant {
        self.began + self.most
    }

    /// Reads for as long as the poll may take.
    async fn keep<T>(
        self,
        read: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        timeout_at(self.end(), read)
            .await
            .unwrap_or_else(|_elapsed| {
                let detail = format!("the poll took longer than {:?}", self.most);
                Err(SourceError::new(Reason::Timeout, "poll", detail))
            })
    }
}

/// Reads; a panic ends no more than the poll.
async fn caught<T>(read: impl Future<Output = Result<T, SourceError>>) -> Result<T, Failure> {
    match caught_in(read).await {
        Ok(result) => result.map_err(Failure::Source),
        Err(panic) => Err(Failure::Panic(Broken::panicked(&panic))),
    }
}
