//! The last line: a poller that breaks down gets going again.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::{debug, error};

use super::backoff::Pauses;
use super::keeper::Broken;
use super::reports::Failing;
use super::turns::Turns;
use super::{Estate, Orders, Poller};
use crate::panics::{caught, caught_in};
use crate::sources::{Source, SourceError};

/// The pauses before what broke down gets going again: as after failed polls.
#[derive(Debug)]
pub(crate) struct Revival {
    pauses: Pauses,
}

impl Revival {
    /// For a source that is polled so often.
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            pauses: Pauses::new(interval),
        }
    }

    /// Takes in that all goes well again.
    pub(crate) fn went_well(&mut self) {
        self.pauses.reset();
    }

    /// Waits for the next attempt, which a reload brings forward; false if told
    /// to stop instead.
    pub(crate) async fn wait(&mut self, error: &SourceError, orders: &mut Orders) -> bool {
        let next = Instant::now() + self.pauses.after_failure(error);
        orders.is_busy_until(next);
        orders.forget_reloads();
        let stop = orders.stop.clone();
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            () = orders.reload() => self.pauses.reset(),
            () = sleep_until(next) => {}
        }
        true
    }
}

impl<S: Source> Poller<S> {
    /// Polls until it is told to stop; reading is given up then, but no commit.
    /// The ledger is left open: what becomes of it is not ours to know.
    ///
    /// A panic costs a pause: after it the poller goes on with its ledger as it
    /// was last committed.
    pub async fn run(mut self, mut orders: Orders) -> Estate {
        let mut failing = Failing::default();
        let mut revival = Revival::new(self.schedule.interval);
        loop {
            let polled = self.poll_on_time(&mut orders, &mut failing, &mut revival);
            let error = match caught_in(Box::pin(polled)).await {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error,
                Err(panic) => self.broke_down("polling", &panic),
            };
            // So that it is told when the source can be polled again.
            failing.fails(false, error.reason);
            if !revival.wait(&error, &mut orders).await {
                break;
            }
        }
        self.depart().await;
        debug!(source = %self.facts.name, "the poller stopped");
        Estate {
            facts: self.facts,
            keeper: self.keeper,
            health: self.health,
            publish: self.publish,
            hand_over: self.hand_over,
        }
    }

    /// Takes in a panic that nothing nearer took in, as the failure of a poll.
    pub(super) fn broke_down(&mut self, doing: &str, panic: &str) -> SourceError {
        let error = self.broken(doing, &Broken::panicked(panic));
        error!(source = %self.facts.name, error = %error.detail, "the poller broke down, and starts again");
        // What was half done is begun anew.
        self.full = None;
        self.wants_full = false;
        self.turns = Turns::default();
        self.fell_out(&error);
        error
    }

    /// Takes in that there is no poll, and says so.
    pub(super) fn fell_out(&mut self, error: &SourceError) {
        let told = caught(|| {
            self.health.failed(self.clock.now(), error);
            self.publish()
        });
        if let Err(panic) = told {
            error!(source = %self.facts.name, panic, "it cannot be shown that the poller broke down");
        }
    }

    /// Sets right what a panic left, before the next poll.
    pub(super) async fn settle(&mut self) -> Result<(), SourceError> {
        if self.keeper.is_sound() && self.hand_over.is_none() {
            return Ok(());
        }
        let settled = match self.keeper.work(|_| ()).await {
            Ok(()) => self.take_over(),
            Err(broken) => Err(broken),
        };
        settled.map_err(|broken| {
            let error = self.broken("taking over the ledger", &broken);
            self.fell_out(&error);
            error
        })
    }

    /// Leaves, whatever becomes of that.
    pub(super) async fn depart(&mut self) {
        if let Err(panic) = caught_in(self.leave()).await {
            let error = self.broken("leaving the source", &Broken::panicked(&panic));
            error!(source = %self.facts.name, error = %error.detail, "the source was not left well");
        }
    }
}
