//! One poll, for a program that ends after it.

use std::collections::BTreeSet;

use thiserror::Error;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Poller;
use super::plan::Mode;
use super::reading::Stretch;
use crate::ledger::KeptLedger;
use crate::panics::caught_in;
use crate::sources::{Reason, Source, SourceError};
use crate::task::{Listing, Task, TaskKey};

/// Why a source was not polled.
#[derive(Debug, Error)]
pub enum OnceError {
    /// The program was asked to stop before the source had answered.
    #[error("stopped before the source was read")]
    Stopped,
    /// The source cannot be polled.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl OnceError {
    /// Why, in one word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Source(error) => error.reason(),
        }
    }
}

/// All tasks of one source, as one poll showed them.
#[derive(Debug)]
pub struct Survey {
    /// The tasks; settled ones without what is below them.
    pub tasks: Vec<Task>,
    /// Which of them are unfinished, or failed and unresolved.
    pub open: BTreeSet<TaskKey>,
    /// Whether everything was read.
    pub complete: bool,
}

impl<S: Source> Poller<S> {
    /// Polls once, unless `stop` is cancelled first, and leaves. The page that is
    /// published has the true values, held back or not.
    pub async fn poll_once(mut self, stop: &CancellationToken) -> Result<(), OnceError> {
        let polled = caught_in(Box::pin(self.poll_and_reveal(stop))).await;
        self.left_with("polling", polled).await
    }

    /// Reads every task once, unless `stop` is cancelled first, and leaves.
    pub async fn survey(mut self, stop: &CancellationToken) -> Result<Survey, OnceError> {
        let surveyed = caught_in(Box::pin(self.read_and_look_over(stop))).await;
        self.left_with("reading the source", surveyed).await
    }

    /// Logs in, reads a first page, unless `stop` is cancelled first, and leaves.
    pub async fn try_out(mut self, stop: &CancellationToken) -> Result<(), OnceError> {
        let longest = self.schedule.full_timeout;
        let trial = async {
            tokio::select! {
                biased;
                () = stop.cancelled() => Err(OnceError::Stopped),
                tried = timeout(longest, self.source.try_out()) => match tried {
                    Ok(tried) => tried.map_err(OnceError::from),
                    Err(_elapsed) => {
                        let detail = format!("no answer in {longest:?}");
                        Err(SourceError::new(Reason::Timeout, "login", detail).into())
                    }
                },
            }
        };
        let tried = caught_in(trial).await;
        self.left_with("trying the source", tried).await
    }

    async fn poll_and_reveal(&mut self, stop: &CancellationToken) -> Result<(), OnceError> {
        // What was committed before, if this poll cannot be.
        self.reveal()?;
        let result = match self.read_unless(stop).await {
            Ok(read) => self
                .take_in(Mode::Full, read)
                .await
                .map_err(OnceError::from),
            Err(stopped) => Err(stopped),
        };
        let revealed = self.reveal();
        let published = self.publish().map_err(OnceError::from);
        result.and(revealed).and(published)
    }

    fn reveal(&mut self) -> Result<(), OnceError> {
        let revealed = self.keeper.update(KeptLedger::reveal);
        revealed.map_err(|broken| self.broken("showing the ledger", &broken).into())
    }

    async fn read_and_look_over(&mut self, stop: &CancellationToken) -> Result<Survey, OnceError> {
        self.source.keep_settled();
        match self.read_unless(stop).await {
            Ok(Ok(listing)) => self.look_over(listing).await.map_err(OnceError::from),
            Ok(Err(error)) => Err(error.into()),
            Err(stopped) => Err(stopped),
        }
    }

    /// Leaves; a panic on the way is the source's failure.
    async fn left_with<T>(
        &mut self,
        doing: &str,
        done: Result<Result<T, OnceError>, String>,
    ) -> Result<T, OnceError> {
        let result = done.unwrap_or_else(|panic| Err(self.broke_down(doing, &panic).into()));
        self.depart().await;
        result
    }

    async fn read_unless(
        &mut self,
        stop: &CancellationToken,
    ) -> Result<Result<Listing, SourceError>, OnceError> {
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(OnceError::Stopped),
            read = self.read_whole() => Ok(read),
        }
    }

    async fn read_whole(&mut self) -> Result<Listing, SourceError> {
        loop {
            if let Stretch::Ended(_, read) = self.read(Mode::Full, None).await {
                return read;
            }
        }
    }

    /// The tasks of a listing; which failures a later success resolved is for the
    /// ledger to say.
    async fn look_over(&mut self, listing: Listing) -> Result<Survey, SourceError> {
        let complete = listing.is_complete();
        let tasks = listing.tasks().cloned().collect();
        self.apply(Mode::Full, listing).await?;
        let open = self.keeper.kept().ledger().open();
        Ok(Survey {
            tasks,
            open: open.map(|open| open.task.key()).collect(),
            complete,
        })
    }
}
