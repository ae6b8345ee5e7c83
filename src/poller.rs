//! The loop that drives the line: it reads a source, applies the listing to the
//! ledger and publishes a snapshot. One for each source, and nobody else holds
//! the source or its ledger.

mod backoff;
mod estate;
mod keeper;
mod lookups;
mod once;
mod orders;
mod plan;
mod reading;
mod reports;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

pub use estate::{Estate, Terms};
use keeper::Keeper;
use lookups::Turns;
pub use once::{OnceError, Survey};
pub use orders::Orders;
pub use plan::Schedule;
use plan::{Mode, Plan};
use reading::{FullPoll, Stretch};
use reports::{Failing, Reached};

use crate::clock::Clock;
use crate::ledger::{KeptLedger, Now};
use crate::metrics::{SourceFacts, SourcePage, SourceView};
use crate::sources::{Health, Reason, Source, SourceError};
use crate::task::Listing;

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
    /// The full poll that gave way to a steady one.
    full: Option<FullPoll>,
    /// Whether a steady poll showed more change than it can read.
    wants_full: bool,
    turns: Turns,
    reached: Reached,
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
            full: None,
            wants_full: false,
            turns: Turns::default(),
            reached: Reached::default(),
        };
        (poller, pages)
    }

    /// Polls until it is told to stop; reading is given up then, but no commit.
    /// The ledger is left open: what becomes of it is not ours to know.
    pub async fn run(mut self, mut orders: Orders) -> Estate {
        let mut plan = Plan::new(self.schedule, Instant::now());
        let mut failing = Failing::default();
        loop {
            let began = Instant::now();
            // A steady poll may become a full one.
            orders.is_busy_until(began + self.schedule.timeout + self.schedule.full_timeout);
            orders.forget_reloads();
            let ordered = self.source.keeps_order();
            let mode = plan.begin(began, ordered, self.wants_full);
            let until = ordered.then(|| plan.gives_way_at());
            let stretch = tokio::select! {
                biased;
                () = orders.stop.cancelled() => break,
                stretch = self.read(mode, until) => stretch,
            };
            let Stretch::Ended(mode, read) = stretch else {
                plan.gave_way();
                continue;
            };
            let result = self.take_in(mode, read).await;
            self.report(mode, result.as_ref().err(), &mut failing);
            let next = plan.ended(mode, Instant::now(), result.as_ref().err());
            let next = self.turns.not_before(next);
            orders.is_busy_until(next);
            let patient = self.turns.is_patient(Instant::now());
            let backs_off = patient || failing.at_all() || plan.full_backs_off();
            let hurry = backs_off.then(|| plan.may_hurry_from(Instant::now()));
            match self.wait(next, &mut orders, hurry).await {
                Woken::InTime => {}
                Woken::ByReload => {
                    self.turns.reloaded();
                    plan.reloaded(Instant::now());
                }
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

    /// Polls once, in full: reads, applies, commits, publishes. A failed poll
    /// changes no task.
    pub async fn poll(&mut self) -> Result<(), SourceError> {
        self.poll_as(Mode::Full, None).await.unwrap_or(Ok(()))
    }

    /// Polls once, steadily if the source can be polled so.
    pub async fn poll_steadily(&mut self) -> Result<(), SourceError> {
        let waits = self.wants_full && self.full.is_none();
        let mode = if self.source.keeps_order() && !waits {
            Mode::Steady
        } else {
            Mode::Full
        };
        self.poll_as(mode, None).await.unwrap_or(Ok(()))
    }

    /// Goes on with a full poll, or begins one; none if it gave way at `until`.
    pub async fn poll_on(&mut self, until: Instant) -> Option<Result<(), SourceError>> {
        self.poll_as(Mode::Full, Some(until)).await
    }

    async fn poll_as(
        &mut self,
        mode: Mode,
        until: Option<Instant>,
    ) -> Option<Result<(), SourceError>> {
        match self.read(mode, until).await {
            Stretch::GaveWay => None,
            Stretch::Ended(mode, read) => Some(self.take_in(mode, read).await),
        }
    }

    fn panicked(&mut self, doing: &str, message: &str) -> SourceError {
        self.health.panics += 1;
        let detail = format!("{doing} panicked: {message}");
        SourceError::new(Reason::Protocol, "poll", detail)
    }

    /// Applies what was read, commits and publishes.
    async fn take_in(
        &mut self,
        mode: Mode,
        read: Result<Listing, SourceError>,
    ) -> Result<(), SourceError> {
        let result = match read {
            Ok(listing) => self.apply(mode, listing).await,
            Err(error) => self.commit().await.and(Err(error)),
        };
        if let Err(error) = &result {
            self.health.failed(self.clock.now(), error);
        }
        self.publish();
        self.report_limits();
        result
    }

    /// Waits for the next poll, or until there is something else to do: a reload
    /// ends it at `hurry`. What is due in the ledger meanwhile is done.
    async fn wait(
        &mut self,
        mut next: Instant,
        orders: &mut Orders,
        hurry: Option<Instant>,
    ) -> Woken {
        let stop = orders.stop.clone();
        let mut woken = Woken::InTime;
        loop {
            let due = self.keeper.kept().due(now()).map(Instant::from_std);
            tokio::select! {
                () = stop.cancelled() => return Woken::ToStop,
                () = orders.reload(), if hurry.is_some_and(|hurry| hurry < next) => {
                    next = hurry.unwrap_or(next);
                    woken = Woken::ByReload;
                }
                () = sleep_until(due.map_or(next, |due| due.min(next))) => {}
            }
            if Instant::now() >= next {
                return woken;
            }
            if let Err(error) = self.commit().await {
                warn!(source = %self.facts.name, %error, "the ledger failed");
            }
            self.publish();
        }
    }

    async fn apply(&mut self, mode: Mode, listing: Listing) -> Result<(), SourceError> {
        if let Some(full) = &mut self.full {
            full.listing.overtaken_by(&listing);
        }
        let here = self.clock.now();
        let skew = self.source.clock_skew().unwrap_or_default();
        let there = here.saturating_add(skew).unwrap_or(here);
        let full = mode == Mode::Full;
        let whole = full.then(|| (listing.is_complete(), listing.unreadable()));
        let (tasks, instant, scraped) = (listing.len(), now(), self.first_scrape());
        let applied = self.keeper.work(move |kept| {
            kept.scraped(scraped);
            let changes = kept.apply(listing, Now { here, there });
            kept.commit(instant, here);
            changes
        });
        let applied = applied.await;
        let changes = applied.map_err(|panic| self.panicked("applying the listing", &panic))?;
        self.health.succeeded(here);
        if let Some((complete, unreadable)) = whole {
            self.health.read_all(here, complete, &unreadable);
        }
        let source = &self.facts.name;
        debug!(%source, ?mode, tasks, changes = changes.len(), "polled");
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
