//! The newest success of each operation on each set of resources: what resolves
//! a failure.

use jiff::Timestamp;

use super::storage::Rows;
use super::table::Table;

/// When the newest success of each scope started, on the source's clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Successes(Table<u64, Timestamp>);

impl Successes {
    /// Takes in that a task of this scope, which started then, ended well.
    pub(super) fn add(&mut self, scope: u64, started: Timestamp) {
        if self.0.get(&scope).is_none_or(|newest| started > *newest) {
            self.0.put(scope, started);
        }
    }

    /// Whether a task of this scope that started later than `started` ended well.
    pub(super) fn after(&self, scope: u64, started: Timestamp) -> bool {
        self.0.get(&scope).is_some_and(|newest| *newest > started)
    }

    /// Forgets what started before `oldest`, so that as many are kept as there
    /// were of late, and not as there ever were.
    pub(super) fn forget_before(&mut self, oldest: Timestamp) {
        let old = self.0.iter().filter(|(_, started)| **started < oldest);
        let old: Vec<_> = old.map(|(scope, _)| *scope).collect();
        for scope in old {
            self.0.remove(&scope);
        }
    }

    /// What is to be kept.
    pub(super) fn rows(&mut self) -> &mut dyn Rows {
        &mut self.0
    }
}
