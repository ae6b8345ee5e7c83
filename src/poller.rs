//! The loop that drives the line: it reads a source, applies the listing to the
//! ledger and publishes a snapshot. One for each source, and nobody else holds
//! the source or its ledger.

mod backoff;
mod estate;
mod keeper;
mod once;
mod orders;
mod reports;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use backoff::Pauses;
pub use estate::{Estate, Terms};
use keeper::Keeper;
pub use once::{OnceError, Overview};
pub use orders::Orders;

use crate::clock::Clock;
use crate::ledger::{KeptLedger, Now};
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

/// Why a poller does not wait any longer.
#[derive(Debug, Clone, Copy)]
enum Woken {
    InTime,
    ByReload,
    ToStop,
}

/// Reads one source for as long as it runs.
#[derive(Debug)]
pub struct Poller<S> {
    source: S,
    facts: SourceFacts,
    schedule: Schedule,
    keeper: Keeper,
    health: Health,
    clock: Clock,
    publish: watch::Sender<Arc<SourcePage>>,
    /// The missing task that was looked for last; the next one's turn comes after it.
    looked_for: Option<TaskKey>,
}

impl<S: Source> Poller<S> {
    /// A poller that has not polled yet, and where its snapshots appear.
    pub fn new(
        mut source: S,
        facts: SourceFacts,
        schedule: Schedule,
        mut ledger: KeptLedger,
        clock: Clock,
    ) -> (Self, watch::Receiver<Arc<SourcePage>>) {
        ledger.retire(|part| source.has_part(part));
        ledger.known_parts().for_each(|part| source.expect(part));
        let health = Health::default();
        let page = SourcePage::new(SourceView {
            facts: &facts,
            kept: &ledger,
            health: &health,
            traffic: source.traffic(),
            clock_skew: None,
        });
        let (publish, pages) = watch::channel(Arc::new(page));
        let mut keeper = Keeper::new(ledger, clock.clone());
        keeper.published(None);
        let poller = Self {
            source,
            facts,
            schedule,
            keeper,
            health,
            clock,
            publish,
            looked_for: None,
        };
        (poller, pages)
    }

    /// Polls until it is told to stop; reading is given up then, but no commit.
    /// The ledger is left open: what becomes of it is not ours to know.
    pub async fn run(mut self, mut orders: Orders) -> Estate {
        let mut pauses = Pauses::new(self.schedule.interval);
        let mut failing = None;
        loop {
            let began = Instant::now();
            orders.is_busy_until(began + self.schedule.timeout);
            orders.forget_reloads();
            let read = tokio::select! {
                biased;
                () = orders.stop.cancelled() => break,
                read = self.read_in_time() => read,
            };
            let result = self.take_in(read).await;
            self.report(result.as_ref().err(), &mut failing);
            let next = match &result {
                // A poll that took longer than the interval leaves the source some rest.
                Ok(()) => (began + pauses.after_success())
                    .max(Instant::now() + self.schedule.interval / 10),
                Err(error) => Instant::now() + pauses.after_failure(error),
            };
            orders.is_busy_until(next);
            match self.wait(next, &mut orders, failing.is_some()).await {
                Woken::InTime => {}
                Woken::ByReload => pauses = Pauses::new(self.schedule.interval),
                Woken::ToStop => break,
            }
        }
        self.leave().await;
        debug!(source = %self.facts.name, "the poller stopped");
        Estate {
            facts: self.facts,
            keeper: self.keeper,
            health: self.health,
            publish: self.publish,
        }
    }

    /// Logs in, reads a first page and leaves.
    pub async fn try_out(mut self) -> Result<(), SourceError> {
        let result = timeout(self.schedule.timeout, self.source.try_out()).await;
        self.leave().await;
        result.unwrap_or_else(|_elapsed| {
            let detail = format!("no answer in {:?}", self.schedule.timeout);
            Err(SourceError::new(Reason::Timeout, "login", detail))
        })
    }

    /// Polls once: reads, applies, commits, publishes. A failed poll changes no
    /// task.
    pub async fn poll(&mut self) -> Result<(), SourceError> {
        let read = self.read_in_time().await;
        self.take_in(read).await
    }

    /// Reads the source, in the time that a poll may take.
    async fn read_in_time(&mut self) -> Result<Listing, SourceError> {
        let began = Instant::now();
        let read = timeout(self.schedule.timeout, self.read());
        let result = match AssertUnwindSafe(read).catch_unwind().await {
            Ok(Ok(result)) => result,
            Ok(Err(_elapsed)) => {
                let detail = format!("the poll took longer than {:?}", self.schedule.timeout);
                Err(SourceError::new(Reason::Timeout, "poll", detail))
            }
            Err(panic) => Err(self.panicked("reading the source", panic_message(&*panic))),
        };
        self.health.polled(began.elapsed());
        result
    }

    fn panicked(&mut self, doing: &str, message: &str) -> SourceError {
        self.health.panics += 1;
        let detail = format!("{doing} panicked: {message}");
        SourceError::new(Reason::Protocol, "poll", detail)
    }

    /// Applies what was read, commits and publishes.
    async fn take_in(&mut self, read: Result<Listing, SourceError>) -> Result<(), SourceError> {
        let result = match read {
            Ok(listing) => self.apply(listing).await,
            Err(error) => self.commit().await.and(Err(error)),
        };
        if let Err(error) = &result {
            self.health.failed(self.clock.now(), error);
        }
        self.publish();
        result
    }

    /// Waits for the next poll, or until there is something else to do. What is
    /// due in the ledger meanwhile is done.
    async fn wait(&mut self, next: Instant, orders: &mut Orders, backs_off: bool) -> Woken {
        let stop = orders.stop.clone();
        loop {
            let due = self.keeper.kept().due(now()).map(Instant::from_std);
            tokio::select! {
                () = stop.cancelled() => return Woken::ToStop,
                () = orders.reload(), if backs_off => return Woken::ByReload,
                () = sleep_until(due.map_or(next, |due| due.min(next))) => {}
            }
            if Instant::now() >= next {
                return Woken::InTime;
            }
            if let Err(error) = self.commit().await {
                warn!(source = %self.facts.name, %error, "the ledger failed");
            }
            self.publish();
        }
    }

    /// Reads the listing, and by id what should have been in it.
    async fn read(&mut self) -> Result<Listing, SourceError> {
        let mut listing = self.source.read().await?;
        let mut missing = self.keeper.kept().ledger().missing(&listing);
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

    async fn apply(&mut self, listing: Listing) -> Result<(), SourceError> {
        let here = self.clock.now();
        let skew = self.source.clock_skew().unwrap_or_default();
        let there = here.saturating_add(skew).unwrap_or(here);
        let (complete, unreadable) = (listing.is_complete(), listing.unreadable());
        let (tasks, instant, scraped) = (listing.len(), now(), self.first_scrape());
        let applied = self.keeper.work(move |kept| {
            kept.scraped(scraped);
            let changes = kept.apply(listing, Now { here, there });
            kept.commit(instant, here);
            changes
        });
        let applied = applied.await;
        let changes = applied.map_err(|panic| self.panicked("applying the listing", &panic))?;
        self.health.succeeded(here, complete, &unreadable);
        let source = &self.facts.name;
        debug!(%source, tasks, complete, changes = changes.len(), "polled");
        for change in &changes {
            self.log_failure(change);
        }
        Ok(())
    }

    /// Commits what a full disk did not take, or what was held back.
    async fn commit(&mut self) -> Result<(), SourceError> {
        let (here, instant, scraped) = (self.clock.now(), now(), self.first_scrape());
        let committed = self.keeper.work(move |kept| {
            kept.scraped(scraped);
            kept.commit(instant, here);
        });
        let committed = committed.await;
        committed.map_err(|panic| self.panicked("committing the ledger", &panic))
    }

    /// Gives back what the source keeps for us, if it answers soon.
    async fn leave(&mut self) {
        const LONGEST: Duration = Duration::from_secs(5);
        if timeout(LONGEST, self.source.close()).await.is_err() {
            warn!(source = %self.facts.name, "the source did not take its session back in time");
        }
    }

    /// When the page that is served now was scraped first.
    fn first_scrape(&self) -> Option<std::time::Instant> {
        self.publish.borrow().first_scrape()
    }

    fn publish(&mut self) {
        let page = SourcePage::new(SourceView {
            facts: &self.facts,
            kept: self.keeper.kept(),
            health: &self.health,
            traffic: self.source.traffic(),
            clock_skew: self.source.clock_skew(),
        });
        // Whoever scrapes marks the page while it is lent, so nobody can do so later.
        let before = self.publish.send_replace(Arc::new(page)).first_scrape();
        self.keeper.published(before);
    }
}

/// The time on the clock that nobody can set, which a test can hold.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

/// What a panic says.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests;
