//! The systems whose tasks are read: one file for each, one contract for all.

mod bounded;
mod credentials;
mod element;
mod error;
mod health;
mod loose;
pub mod rest;
pub mod sddc_manager;
pub mod vcenter;
pub mod virtshell;

use std::future::Future;

use jiff::SignedDuration;
use tokio::time::Instant;

pub use error::{Reason, SourceError};
pub use health::{FailedPoll, Health, POLL_BUCKETS};
use rest::Traffic;

use crate::task::{Listing, Memory, Task};

/// What reading a task by its id came to.
#[derive(Debug, Clone)]
pub enum Found {
    /// The system knows it.
    Task(Box<Task>),
    /// The system does not know it.
    Nothing,
    /// Its id is none that can be asked for.
    NotAskable,
}

impl From<Option<Task>> for Found {
    fn from(task: Option<Task>) -> Self {
        task.map_or(Self::Nothing, |task| Self::Task(Box::new(task)))
    }
}

/// What reading the newest tasks alone came to.
#[derive(Debug)]
pub struct Newest {
    /// What was read.
    pub listing: Listing,
    /// Whether there is more to be seen than that: the next poll shall be a full one.
    pub wants_full: bool,
}

/// A system whose tasks can be read.
pub trait Source: Send {
    /// Reads every task that the system lists. A part that cannot be read to
    /// its end is said so in the listing; an error means that nothing was read.
    fn read(&mut self) -> impl Future<Output = Result<Listing, SourceError>> + Send;

    /// From now on listings are for a reader of all tasks: [`Listing::keeping`]
    /// settled ones.
    fn keep_settled(&mut self);

    /// Reads as [`Source::read`] does, and gives way at `until` where it can:
    /// then it returns false, and the next call goes on with the same listing.
    /// A system that is read at once has nothing to do here.
    fn read_on(
        &mut self,
        listing: &mut Listing,
        _until: Option<Instant>,
    ) -> impl Future<Output = Result<bool, SourceError>> + Send {
        async {
            *listing = self.read().await?;
            Ok(true)
        }
    }

    /// Whether [`Source::read_newest`] can be tried: a full poll has shown that
    /// the system lists its newest tasks first.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Reads the newest tasks, up to where only such follow as are known and
    /// rest; `None` if the system turns out not to list them so.
    fn read_newest(
        &mut self,
        _memory: &impl Memory,
    ) -> impl Future<Output = Result<Option<Newest>, SourceError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Logs in and reads as little as shows that reading works.
    fn try_out(&mut self) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Reads one task of `part` by its id.
    fn find(
        &mut self,
        part: &str,
        id: &str,
    ) -> impl Future<Output = Result<Found, SourceError>> + Send;

    /// Whether the system is still read in this part; one that left the
    /// configuration lists nothing any more.
    fn has_part(&self, part: &str) -> bool;

    /// Takes in that a part was read before, by this process or another, so that
    /// it is missed if it does not answer.
    fn expect(&mut self, _part: &str) {}

    /// Gives back what the system keeps for this exporter, such as a session.
    fn close(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What was sent and received since the start.
    fn traffic(&self) -> &Traffic;

    /// How far the system's clock is ahead of ours, once an answer told.
    fn clock_skew(&self) -> Option<SignedDuration>;
}
