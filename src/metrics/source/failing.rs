//! Pages of sources of which nothing new can be said.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::{SourceFacts, SourcePage};
use crate::metrics::limits::OverLimits;
use crate::metrics::{Metric, Samples};
use crate::overview::Overview;
use crate::sources::{Health, Reason};
use crate::task::{Counts, label};

impl SourcePage {
    /// The page of a source of which nothing is known.
    pub fn unknown(facts: &SourceFacts) -> Self {
        let mut samples = Samples::default();
        let name = label::clean(&facts.name);
        let info = [name.into(), facts.system.into(), facts.url.clone().into()];
        samples.add(Metric::SourceInfo, info, 1_u64);
        Self {
            name: facts.name.clone(),
            system: facts.system,
            samples: Arc::new(samples),
            over_limits: OverLimits::default(),
            lines: OnceLock::new(),
            fresh_until: None,
            tried: false,
            commit_failures: 0,
            commits_fail: false,
            ledger_size: None,
            first_scrape: OnceLock::new(),
            #[cfg(test)]
            faults: crate::ledger::Faults::default(),
            overview: Overview {
                url: facts.url.clone(),
                health: Health::default(),
                clock_skew: None,
                stale_after: facts.stale_after,
                tasks: Counts::default(),
                open: BTreeMap::new(),
                unfinished: Vec::new(),
                failures: Vec::new(),
            },
        }
    }

    /// The same page, of a source whose polls fail: what is said of its tasks
    /// stays as old as it is.
    #[must_use]
    pub fn failing(&self, health: &Health) -> Self {
        let mut samples = Samples::clone(&self.samples);
        let source = || label::clean(&self.name).into();
        samples.put(Metric::SourceUp, [source()], 0_u64);
        samples.put(Metric::PollerPanics, [source()], health.panics);
        samples.forget(Metric::PollFailures);
        for reason in Reason::ALL {
            let count = health.failures.get(&reason).copied().unwrap_or_default();
            let labels = [source(), reason.as_str().into()];
            samples.add(Metric::PollFailures, labels, count);
        }
        if health.last_success_at.is_none() {
            samples.forget(Metric::SourceLastSuccess);
        }
        samples.sort();
        let mut overview = self.overview.clone();
        overview.health = Health {
            up: Some(false),
            panics: health.panics,
            failures: health.failures.clone(),
            last_failure: health.last_failure.clone(),
            failing_since: health.failing_since,
            failed_in_a_row: health.failed_in_a_row,
            ..overview.health
        };
        Self {
            name: self.name.clone(),
            system: self.system,
            samples: Arc::new(samples),
            over_limits: self.over_limits.clone(),
            lines: OnceLock::new(),
            // One that moved to another system has had no success yet.
            fresh_until: health.last_success_at.and(self.fresh_until),
            tried: true,
            commit_failures: self.commit_failures,
            commits_fail: self.commits_fail,
            ledger_size: self.ledger_size,
            first_scrape: self.first_scrape.clone(),
            #[cfg(test)]
            faults: self.faults.clone(),
            overview,
        }
    }

    /// What is left of the samples when not even they can be written.
    pub(super) fn bare(&self) -> Samples {
        let mut samples = Samples::default();
        let source = || label::clean(&self.name).into();
        let info = [
            source(),
            self.system.into(),
            self.overview.url.clone().into(),
        ];
        samples.add(Metric::SourceInfo, info, 1_u64);
        samples.add(Metric::SourceUp, [source()], 0_u64);
        let panics = self.overview.health.panics + 1;
        samples.add(Metric::PollerPanics, [source()], panics);
        samples
    }

    /// Takes in that it was scraped when another page was that shows the same.
    pub fn is_scraped_as(&mut self, other: &Self) {
        self.first_scrape = other.first_scrape.clone();
    }
}
