//! What a poller leaves behind.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use super::keeper::Keeper;
use super::lookups::Turns;
use super::reports::Reached;
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
        if let Err(panic) = closed.await {
            warn!(source = %self.facts.name, panic, "the ledger was not closed well");
        }
    }

    fn moved(&self, facts: &SourceFacts) -> Moved {
        if self.facts.system != facts.system {
            Moved::Replaced
        } else if self.facts.url != facts.url {
            Moved::Elsewhere
        } else {
            Moved::Not
        }
    }
}

impl<S: Source> Poller<S> {
    /// A poller that goes on with what another one of the source left. Its
    /// snapshots appear where the other's did, so scrapes see no gap.
    pub fn succeed(mut source: S, terms: Terms, estate: Estate, clock: Clock) -> Self {
        let moved = estate.moved(&terms.facts);
        let Estate {
            mut keeper,
            health,
            publish,
            ..
        } = estate;
        keeper.update(|kept| {
            kept.hand_over(terms.identity, terms.limits, moved);
            kept.retire(|part| source.has_part(part));
            kept.known_parts().for_each(|part| source.expect(part));
        });
        let same = moved == Moved::Not;
        let mut poller = Self {
            source,
            facts: terms.facts,
            schedule: terms.schedule,
            keeper,
            health: if same { health } else { Health::default() },
            clock,
            publish,
            full: None,
            wants_full: false,
            turns: Turns::default(),
            reached: Reached::default(),
        };
        poller.publish();
        poller
    }
}
