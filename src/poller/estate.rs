//! What a poller leaves behind.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::keeper::{Broken, Keeper};
use super::reports::Reached;
use super::turns::Turns;
use super::{Poller, Schedule};
use crate::clock::Clock;
use crate::ledger::storage::Identity;
use crate::ledger::{Limits, Moved};
use crate::metrics::{SourceFacts, SourcePage};
use crate::sources::{Health, Source};

/// The ledger and the page of a source that nobody polls any more: to be
/// closed, or to be handed over to another poller of the source.
#[derive(Debug)]
pub struct Estate {
    pub(super) facts: SourceFacts,
    pub(super) keeper: Keeper,
    pub(super) health: Health,
    pub(super) publish: watch::Sender<Arc<SourcePage>>,
    pub(super) hand_over: Option<HandOver>,
}

/// What becomes of a ledger that another poller goes on with.
#[derive(Debug, Clone)]
pub(super) struct HandOver {
    identity: Identity,
    limits: Limits,
    moved: Moved,
}

/// What the configuration makes of a source.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What is said of it.
    pub facts: SourceFacts,
    /// When it is polled.
    pub schedule: Schedule,
    /// What its ledger keeps.
    pub limits: Limits,
    /// What its file is told from another's by.
    pub identity: Identity,
}

impl Estate {
    /// Commits for the last time. Nothing may be scraped any more, as only
    /// then it is known what was shown.
    pub async fn close(mut self, clock: &Clock) {
        let (here, scraped) = (clock.now(), self.publish.borrow().first_scrape());
        let closed = self.keeper.work(move |kept| {
            kept.scraped(scraped);
            kept.close(here);
        });
        if let Err(broken) = closed.await {
            let why = broken.why;
            warn!(source = %self.facts.name, why, "the ledger was not closed well");
        }
    }

    /// Where its page is published, and how its polls went.
    pub(crate) fn standing(&self) -> (watch::Sender<Arc<SourcePage>>, Health) {
        (self.publish.clone(), self.health.clone())
    }

    /// Takes in how its polls went since.
    pub(crate) fn stands_like(&mut self, health: Health) {
        self.health = health;
    }

    fn moved(&self, facts: &SourceFacts) -> Moved {
        let moved = if self.facts.system != facts.system {
            Moved::Replaced
        } else if self.facts.url != facts.url {
            Moved::Elsewhere
        } else {
            Moved::Not
        };
        // What the one before could not take over is not forgotten.
        let before = self.hand_over.as_ref();
        before.map_or(moved, |before| before.moved.max(moved))
    }
}

impl<S: Source> Poller<S> {
    /// A poller that goes on with what another one of the source left. Its
    /// snapshots appear where the other's did, so scrapes see no gap.
    ///
    /// If that panics, the poller tries it again before its first poll.
    pub fn succeed(source: S, terms: Terms, estate: Estate, clock: Clock) -> Self {
        let moved = estate.moved(&terms.facts);
        let same = moved == Moved::Not;
        let mut poller = Self {
            source,
            facts: terms.facts,
            schedule: terms.schedule,
            keeper: estate.keeper,
            health: if same {
                estate.health
            } else {
                Health {
                    panics: estate.health.panics,
                    ..Health::default()
                }
            },
            clock,
            publish: estate.publish,
            full: None,
            wants_full: false,
            turns: Turns::default(),
            reached: Reached::default(),
            hand_over: Some(HandOver {
                identity: terms.identity,
                limits: terms.limits,
                moved,
            }),
        };
        if let Err(broken) = poller.take_over() {
            let error = poller.broken("taking over the ledger", &broken);
            poller.fell_out(&error);
        } else {
            // It is logged and counted there.
            poller.publish().unwrap_or_default();
        }
        poller
    }

    /// Takes over the ledger of the poller before, if that is still to be done.
    pub(super) fn take_over(&mut self) -> Result<(), Broken> {
        let Some(HandOver {
            identity,
            limits,
            moved,
        }) = self.hand_over.clone()
        else {
            return Ok(());
        };
        let source = &mut self.source;
        self.keeper.update(|kept| {
            kept.hand_over(identity, limits, moved);
            kept.retire(|part| source.has_part(part));
            kept.known_parts().for_each(|part| source.expect(part));
        })?;
        self.hand_over = None;
        Ok(())
    }
}
