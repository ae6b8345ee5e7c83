//! The loop that drives the line: it reads a source, applies the listing to the
//! ledger and publishes a snapshot. One for each source, and nobody else holds
//! the source or its ledger.

mod backoff;
mod contests;
mod estate;
mod keeper;
mod lookups;
mod once;
mod orders;
mod plan;
mod reading;
mod reports;
mod revival;
mod showing;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use estate::HandOver;
pub use estate::{Estate, Terms};
use keeper::{Broken, Keeper};
pub use once::{OnceError, Survey};
pub use orders::Orders;
pub use plan::Schedule;
use plan::{Mode, Plan};
use reading::{FullPoll, Stretch};
use reports::{Failing, Reached};
pub(crate) use revival::Revival;
pub(crate) use showing::show_failing;
use turns::Turns;

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
    /// What is still to be taken over from the poller before this one.
    hand_over: Option<HandOver>,
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
        ledger.published(None);
        let keeper = Keeper::new(ledger, clock.clone());
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
            hand_over: None,
        };
        (poller, pages)
    }

    /// Polls until it is told to stop, or cannot go on; reading is given up at
    /// a stop, but no commit.
    async fn poll_on_time(
        &mut self,
        orders: &mut Orders,
        failing: &mut Failing,
        revival: &mut Revival,
    ) -> Result<(), SourceError> {
        let mut plan = Plan::new(self.schedule, Instant::now());
        loop {
            self.settle().await?;
            let began = Instant::now();
            // A steady poll may become a full one.
            orders.is_busy_until(began + self.schedule.timeout + self.schedule.full_timeout);
            orders.forget_reloads();
            let ordered = self.source.keeps_order();
            let mode = plan.begin(began, ordered, self.wants_full);
            let until = ordered.then(|| plan.gives_way_at());
            let stretch = tokio::select! {
                biased;
                () = orders.stop.cancelled() => return Ok(()),
                stretch = Box::pin(self.read(mode, until)) => stretch,
            };
            let Stretch::Ended(mode, read) = stretch else {
                plan.gave_way();
                continue;
            };
            let result = self.take_in(mode, read).await;
            self.report(mode, result.as_ref().err(), failing);
            let next = plan.ended(mode, Instant::now(), result.as_ref().err());
            let next = self.turns.not_before(next);
            orders.is_busy_until(next);
            let patient = self.turns.is_patient(Instant::now());
            let backs_off = patient || failing.at_all() || plan.full_backs_off();
            let hurry = backs_off.then(|| plan.may_hurry_from(Instant::now()));
            #[cfg(test)]
            self.keeper.kept().faults.visit("polled");
            if result.is_ok() {
                revival.went_well();
            }
            match self.wait(next, orders, hurry).await {
                Woken::InTime => {}
                Woken::ByReload => {
                    self.turns.reloaded();
                    plan.reloaded(Instant::now());
                }
                Woken::ToStop => return Ok(()),
            }
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
        match Box::pin(self.read(mode, until)).await {
            Stretch::GaveWay => None,
            Stretch::Ended(mode, read) => Some(self.take_in(mode, read).await),
        }
    }

    /// Counts what broke down, as the error of a poll.
    fn broken(&mut self, doing: &str, broken: &Broken) -> SourceError {
        self.health.panics += broken.panics;
        let detail = format!("{doing} {}", broken.why);
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
        let published = self.publish();
        self.report_limits();
        published.and(result)
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
        let mut broken = !self.keeper.is_sound();
        loop {
            // What breaks down is not tried again before the next poll.
            let due = (!broken).then(|| self.keeper.kept().due(now())).flatten();
            let due = due.map(Instant::from_std);
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
            let committed = self.commit().await;
            if let Err(error) = &committed {
                self.health.failed(self.clock.now(), error);
            }
            if let Err(error) = self.publish().and(committed) {
                warn!(source = %self.facts.name, %error, "the ledger failed");
                broken = true;
            }
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
        let changes = applied.map_err(|broken| self.broken("applying the listing", &broken))?;
        self.health.succeeded(here);
        if let Some((complete, unreadable)) = whole {
            self.health.read_all(here, complete, &unreadable);
        }
        let source = &self.facts.name;
        debug!(%source, ?mode, tasks, changes = changes.len(), "polled");
        #[cfg(test)]
        self.keeper.kept().faults.visit("log");
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
        committed.map_err(|broken| self.broken("committing the ledger", &broken))
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
}

/// The time on the clock that nobody can set, which a test can hold.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[cfg(test)]
mod tests;
