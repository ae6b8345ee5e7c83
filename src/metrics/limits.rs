//! What the limits cut or leave out of what is shown of a source.

use std::collections::BTreeSet;

use super::Samples;
use crate::ledger::{Ledger, OpenRanking};
use crate::sources::Health;
use crate::task::label;

/// A limit that can be reached, and what is over it.
pub type OverLimit = (&'static str, u64);

/// Why a source's page is not all there is, each by its name.
#[derive(Debug, Clone, Default)]
pub struct OverLimits {
    /// Those that a metric of their own tells.
    told: [OverLimit; 4],
    /// Those that other metrics tell.
    elsewhere: [OverLimit; 4],
}

impl OverLimits {
    /// What is over the limits, with these samples on the page.
    pub(super) fn of(
        health: &Health,
        ledger: &Ledger,
        open: &OpenRanking<'_>,
        samples: &Samples,
    ) -> Self {
        let (tasks, failures) = open.left_out();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Self {
            told: [
                ("listing", u64::from(health.listing_cut)),
                ("label_length", count(longest(samples))),
                ("open_tasks", count(tasks)),
                ("open_failures", count(failures)),
            ],
            elsewhere: [
                ("operations", count(ledger.operations().folded())),
                ("subtask_names", count(ledger.subtask_names().folded())),
                ("error_codes", count(ledger.error_codes().folded())),
                ("elements", health.skipped),
            ],
        }
    }

    /// Those that [`Metric::OverLimit`](super::Metric::OverLimit) tells.
    pub(super) fn told(&self) -> impl Iterator<Item = OverLimit> {
        self.told.into_iter()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = OverLimit> {
        self.told.into_iter().chain(self.elsewhere)
    }
}

/// How many label values are as long as one may be: they were cut, as good as
/// certainly, where the next character had no room.
fn longest(samples: &Samples) -> usize {
    const LONGEST_CHARACTER: usize = 4;
    let values = samples.all().flat_map(|sample| &sample.labels);
    let values = values.filter(|value| value.len() + LONGEST_CHARACTER > label::LONGEST);
    values.collect::<BTreeSet<_>>().len()
}
