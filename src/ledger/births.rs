//! Which children are held back, and what of them was seen.
//!
//! Prometheus' `increase()` sees a counter move only between two scrapes. A
//! child that is new to it, or that moved while the exporter was down, is
//! therefore shown as it was until every scraper has seen it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::totals::{Amount, Child};

/// What is known of the children that are held back, in this process.
#[derive(Debug, Clone)]
pub(super) struct Births {
    hold: Duration,
    held: BTreeMap<Child, Birth>,
    /// What the page that is served now shows differently from the one before it.
    moved: BTreeMap<Child, Amount>,
    /// What was last scraped of the children that moved since.
    unseen: BTreeMap<Child, Amount>,
}

/// How far a child has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Birth {
    /// On no page yet.
    New,
    /// On the page that is served.
    Shown,
    /// First scraped then.
    Scraped(Instant),
}

impl Births {
    pub(super) fn new(hold: Duration) -> Self {
        Self {
            hold,
            held: BTreeMap::new(),
            moved: BTreeMap::new(),
            unseen: BTreeMap::new(),
        }
    }

    /// Whether nothing is held back.
    pub(super) fn is_off(&self) -> bool {
        self.hold.is_zero()
    }

    /// Holds back for `hold` from now on; without one, nothing any more.
    pub(super) fn set_hold(&mut self, hold: Duration) {
        self.hold = hold;
        if self.is_off() {
            self.held.clear();
        }
    }

    /// Holds a child back that the next page shows for the first time.
    pub(super) fn born(&mut self, child: Child) {
        if !self.is_off() {
            self.held.insert(child, Birth::New);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.hold);
    }

    /// Whether a child is held back.
    pub(super) fn holds(&self, child: Child) -> bool {
        self.held.contains_key(&child)
    }

    /// Takes in that the page that is served now was scraped first at `at`.
    pub(super) fn scraped(&mut self, at: Instant) {
        self.see(at);
        self.unseen.clear();
    }

    /// Takes in that another page is served, instead of one that was scraped
    /// first at `before`, if ever.
    pub(super) fn published(&mut self, before: Option<Instant>) {
        if let Some(at) = before {
            self.see(at);
            self.unseen.clear();
        }
        for (child, amount) in std::mem::take(&mut self.moved) {
            self.unseen.entry(child).or_insert(amount);
        }
        for birth in self.held.values_mut() {
            if *birth == Birth::New {
                *birth = Birth::Shown;
            }
        }
    }

    fn see(&mut self, at: Instant) {
        for birth in self.held.values_mut() {
            if *birth == Birth::Shown {
                *birth = Birth::Scraped(at);
            }
        }
    }

    /// Takes in that the next page shows a child differently from `before`.
    pub(super) fn moved(&mut self, child: Child, before: Amount) {
        self.moved.entry(child).or_insert(before);
    }

    /// The children that are no longer held back.
    pub(super) fn release(&mut self, now: Instant) -> Vec<Child> {
        let due = |birth: &Birth| matches!(birth, Birth::Scraped(at) if now.saturating_duration_since(*at) >= self.hold);
        let released: Vec<_> = self
            .held
            .iter()
            .filter(|(_, birth)| due(birth))
            .map(|(child, _)| *child)
            .collect();
        for child in &released {
            self.held.remove(child);
        }
        released
    }

    /// When the first child is due; one that was not scraped yet may be so soon.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let due = self.held.values().map(|birth| match birth {
            Birth::New | Birth::Shown => now + self.hold,
            Birth::Scraped(at) => *at + self.hold,
        });
        due.min()
    }

    /// What was last scraped of the children that moved since.
    pub(super) fn take_unseen(&mut self) -> BTreeMap<Child, Amount> {
        std::mem::take(&mut self.unseen)
    }
}
