//! What a source consists of, and since when each part is watched.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::names::{NameId, Names};
use super::storage::Rows;
use super::table::Table;

/// The parts of a source: what is read, and can fail, on its own.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    names: Names,
    baselines: Table<NameId, Baseline>,
}

/// How a part was read for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Baseline {
    /// When, on the source's clock.
    at: Timestamp,
    /// Whether it was read to its end, then or later.
    whole: bool,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            names: Names::new(usize::MAX),
            baselines: Table::default(),
        }
    }
}

impl Parts {
    /// The number of a part.
    pub(super) fn number(&mut self, part: &str) -> NameId {
        self.names.number(part)
    }

    /// The name of a part.
    pub(super) fn name(&self, part: NameId) -> &Arc<str> {
        self.names.value(part)
    }

    /// Whether there is a part of this number.
    pub(super) fn has(&self, part: NameId) -> bool {
        self.names.has(part)
    }

    /// Takes in that a part was read, to its end or not.
    pub(super) fn read(&mut self, part: NameId, whole: bool, there: Timestamp) {
        let before = self.baselines.get(&part).copied();
        let baseline = Baseline {
            at: before.map_or(there, |before| before.at),
            whole: whole || before.is_some_and(|before| before.whole),
        };
        self.baselines.put(part, baseline);
    }

    /// Whether a part was read before.
    pub(super) fn is_known(&self, part: NameId) -> bool {
        self.baselines.contains(&part)
    }

    /// The parts that were read before.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.baselines.iter().map(|(part, _)| &**self.name(*part))
    }

    /// Whether a task that is met for the first time, finished, is not history
    /// of its part. As long as that was never read to its end, only what ended
    /// since it was first read is known to be none.
    pub(super) fn is_news(&self, part: NameId, ended: Option<Timestamp>) -> bool {
        self.baselines.get(&part).is_some_and(|baseline| {
            baseline.whole || ended.is_some_and(|ended| ended > baseline.at)
        })
    }

    /// Takes the parts that do not stay as never read, and returns those that
    /// were.
    pub(super) fn start_over(&mut self, stays: impl Fn(&str) -> bool) -> BTreeSet<NameId> {
        let known = self.baselines.iter().map(|(part, _)| *part);
        let over: BTreeSet<_> = known.filter(|part| !stays(self.name(*part))).collect();
        for part in &over {
            self.baselines.remove(part);
        }
        over
    }

    /// What is to be kept; once it was read, [`Parts::index`] is due.
    pub(super) fn rows(&mut self) -> [&mut dyn Rows; 3] {
        let [values, folded] = self.names.rows();
        [values, folded, &mut self.baselines]
    }

    /// Makes the parts findable after they were read; false if they make no sense.
    pub(super) fn index(&mut self) -> bool {
        self.names.index() && self.baselines.iter().all(|(part, _)| self.names.has(*part))
    }
}
