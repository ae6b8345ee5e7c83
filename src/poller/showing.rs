//! The snapshots that a poller publishes.

use std::sync::Arc;

use tokio::sync::watch;

use super::Poller;
use super::keeper::Broken;
use crate::metrics::{SourcePage, SourceView};
use crate::panics::caught;
use crate::sources::{Health, Source, SourceError};

impl<S: Source> Poller<S> {
    /// Publishes what is known. Where that cannot be, what was published before
    /// stays, and says that the source is not up.
    pub(super) fn publish(&mut self) -> Result<(), SourceError> {
        if !self.keeper.is_sound() {
            // What is in memory was never committed.
            self.publish_failure();
            return Ok(());
        }
        let page = match caught(|| self.page()) {
            Ok(page) => page,
            Err(panic) => {
                let error = self.broken("publishing", &Broken::panicked(&panic));
                self.health.failed(self.clock.now(), &error);
                self.publish_failure();
                return Err(error);
            }
        };
        // Whoever scrapes marks the page while it is lent, so nobody can do so later.
        let before = self.publish.send_replace(Arc::new(page)).first_scrape();
        self.keeper.published(before).map_err(|broken| {
            let error = self.broken("publishing", &broken);
            self.health.failed(self.clock.now(), &error);
            self.publish_failure();
            error
        })
    }

    pub(super) fn page(&self) -> SourcePage {
        SourcePage::new(SourceView {
            facts: &self.facts,
            kept: self.keeper.kept(),
            health: &self.health,
            traffic: self.source.traffic(),
            clock_skew: self.source.clock_skew(),
        })
    }

    fn publish_failure(&self) {
        show_failing(&self.publish, &self.health);
    }

    /// Publishes where another poller of the source did, of which nothing was
    /// shown but how it failed.
    pub(crate) fn in_place_of(
        mut self,
        publish: watch::Sender<Arc<SourcePage>>,
        health: Health,
    ) -> Self {
        (self.publish, self.health) = (publish, health);
        let page = caught(|| self.page());
        // The ledger knows of a page that says the same of it.
        match page {
            Ok(page) => drop(self.publish.send_replace(Arc::new(page))),
            Err(_logged) => self.publish_failure(),
        }
        self
    }
}

/// Says on the page that is published that the source is not up.
pub(crate) fn show_failing(publish: &watch::Sender<Arc<SourcePage>>, health: &Health) {
    let page = Arc::clone(&publish.borrow());
    let mut failing = page.failing(health);
    drop(page);
    publish.send_modify(|page| {
        // To the ledger it is the page that it was made of.
        failing.is_scraped_as(page);
        *page = Arc::new(failing);
    });
}
