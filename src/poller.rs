//! The loop that drives the line: it reads a source, applies the listing to the
//! ledger and publishes a snapshot. One for each source, and nobody else holds
//! the source or its ledger.

mod backoff;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use backoff::Pauses;

use crate::clock::Clock;
use crate::ledger::{Change, Event, Ledger};
use crate::metrics::{SourceFacts, SourcePage, SourceView};
use crate::sources::{Health, Reason, Source, SourceError};
use crate::task::{Call, Listing, TaskKey};

/// How many missing tasks are read by id in one poll; the rest wait for the next.
const LOOKUPS: usize = 20;

/// When a source is polled.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// From the start of one poll to the start of the next, before jitter.
    pub interval: Duration,
    /// How long a poll may take.
    pub timeout: Duration,
}

/// Reads one source for as long as it runs.
#[derive(Debug)]
pub struct Poller<S> {
    source: S,
    facts: SourceFacts,
    schedule: Schedule,
    ledger: Ledger,
    health: Health,
    clock: Clock,
    publish: watch::Sender<Arc<SourcePage>>,
    /// The missing task that was looked for last; the next one's turn comes after it.
    looked_for: Option<TaskKey>,
}

impl<S: Source> Poller<S> {
    /// A poller that has not polled yet, and where its snapshots appear.
    pub fn new(
        source: S,
        facts: SourceFacts,
        schedule: Schedule,
        ledger: Ledger,
        clock: Clock,
    ) -> (Self, watch::Receiver<Arc<SourcePage>>) {
        let health = Health::default();
        let page = SourcePage::new(SourceView {
            facts: &facts,
            ledger: &ledger,
            health: &health,
            traffic: source.traffic(),
            clock_skew: None,
        });
        let (publish, pages) = watch::channel(Arc::new(page));
        let poller = Self {
            source,
            facts,
            schedule,
            ledger,
            health,
            clock,
            publish,
            looked_for: None,
        };
        (poller, pages)
    }

    /// Polls until `stop` is cancelled; a poll under way is given up then.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut pauses = Pauses::new(self.schedule.interval);
        let mut failing = None;
        loop {
            let began = Instant::now();
            let result = tokio::select! {
                () = stop.cancelled() => break,
                result = self.poll() => result,
            };
            self.report(result.as_ref().err(), &mut failing);
            let next = match &result {
                // A poll that took longer than the interval leaves the source some rest.
                Ok(()) => (began + pauses.after_success())
                    .max(Instant::now() + self.schedule.interval / 10),
                Err(error) => Instant::now() + pauses.after_failure(error),
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep_until(next) => {}
            }
        }
        debug!(source = %self.facts.name, "the poller stopped");
    }

    /// Polls once: reads, applies, publishes. A failed poll changes no task.
    pub async fn poll(&mut self) -> Result<(), SourceError> {
        let began = Instant::now();
        let read = timeout(self.schedule.timeout, self.read());
        let result = match AssertUnwindSafe(read).catch_unwind().await {
            Ok(Ok(result)) => result,
            Ok(Err(_elapsed)) => {
                let detail = format!("the poll took longer than {:?}", self.schedule.timeout);
                Err(SourceError::new(Reason::Timeout, "poll", detail))
            }
            Err(panic) => {
                self.health.panics += 1;
                let detail = format!("reading the source panicked: {}", message(&*panic));
                Err(SourceError::new(Reason::Protocol, "poll", detail))
            }
        };
        self.health.polled(began.elapsed());
        let result = result.map(|listing| self.apply(listing));
        if let Err(error) = &result {
            self.health.failed(error);
        }
        self.publish();
        result
    }

    /// Reads the listing, and by id what should have been in it.
    async fn read(&mut self) -> Result<Listing, SourceError> {
        let mut listing = self.source.read().await?;
        let mut missing = self.ledger.missing(&listing);
        // One that cannot be read does not keep those behind it waiting for ever.
        let turn = missing.partition_point(|(_, id)| Some(TaskKey::of(id)) <= self.looked_for);
        missing.rotate_left(turn);
        for (part, id) in missing.iter().take(LOOKUPS) {
            self.looked_for = Some(TaskKey::of(id));
            match self.source.find(part, id).await {
                Ok(Some(task)) => {
                    listing.meet(part, Call::ById, task);
                }
                Ok(None) => listing.gone(TaskKey::of(id)),
                // What is not known to be gone stays, and is looked for again in its turn.
                Err(error) => {
                    debug!(source = %self.facts.name, %error, "a missing task cannot be read");
                    if !error.reason.is_of_one_call() {
                        break;
                    }
                }
            }
        }
        Ok(listing)
    }

    fn apply(&mut self, listing: Listing) {
        let now = self.clock.now();
        let (complete, unreadable) = (listing.is_complete(), listing.unreadable());
        let tasks = listing.len();
        let changes = self.ledger.apply(listing, now);
        self.health.succeeded(now, complete, &unreadable);
        let source = &self.facts.name;
        debug!(%source, tasks, complete, changes = changes.len(), "polled");
        for change in &changes {
            self.log_failure(change);
        }
    }

    /// One line for each counted failure, so that log-based tools can alert too.
    fn log_failure(&self, change: &Change) {
        let Event::Failed {
            task_id,
            error_code,
            place,
        } = &change.event
        else {
            return;
        };
        info!(
            source = %self.facts.name,
            operation = %self.ledger.operations().value(change.operation),
            task_id = %task_id,
            failed_subtask = %place.join(" / "),
            error_code = %self.ledger.error_codes().value(*error_code),
            "a task failed"
        );
    }

    /// Logs when a source starts to fail, and with another reason, and when it recovers.
    fn report(&self, error: Option<&SourceError>, failing: &mut Option<Reason>) {
        let source = &self.facts.name;
        match (error, *failing) {
            (Some(error), before) if before != Some(error.reason) => {
                warn!(
                    %source,
                    call = error.endpoint,
                    reason = error.reason(),
                    error = %error.detail,
                    "the source cannot be polled"
                );
            }
            (Some(error), _) => debug!(%source, %error, reason = error.reason(), "still failing"),
            (None, Some(reason)) => {
                info!(%source, reason = reason.as_str(), "the source can be polled again");
            }
            (None, None) => {}
        }
        *failing = error.map(|error| error.reason);
    }

    fn publish(&self) {
        let page = SourcePage::new(SourceView {
            facts: &self.facts,
            ledger: &self.ledger,
            health: &self.health,
            traffic: self.source.traffic(),
            clock_skew: self.source.clock_skew(),
        });
        self.publish.send_replace(Arc::new(page));
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
