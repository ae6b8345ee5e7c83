//! Which open tasks are shown one by one.

use std::cmp::Reverse;

use super::{Ledger, OpenTask};

/// The oldest unfinished tasks and the newest open failures, within limits.
#[derive(Debug)]
pub struct OpenRanking<'a> {
    unfinished: Vec<&'a OpenTask>,
    failures: Vec<&'a OpenTask>,
    left_out: (usize, usize),
}

impl<'a> OpenRanking<'a> {
    /// At most `max_unfinished` tasks and `max_failures` failures of a ledger.
    pub fn new(ledger: &'a Ledger, max_unfinished: usize, max_failures: usize) -> Self {
        let (mut failures, mut unfinished): (Vec<_>, Vec<_>) =
            ledger.open().partition(|open| open.failed_at().is_some());
        unfinished.sort_by(|a, b| (a.since(), &a.task.id).cmp(&(b.since(), &b.task.id)));
        let newest = |open: &OpenTask| Reverse(open.failed_at());
        failures.sort_by(|a, b| (newest(a), &a.task.id).cmp(&(newest(b), &b.task.id)));
        let left_out = (
            unfinished.len().saturating_sub(max_unfinished),
            failures.len().saturating_sub(max_failures),
        );
        unfinished.truncate(max_unfinished);
        failures.truncate(max_failures);
        Self {
            unfinished,
            failures,
            left_out,
        }
    }

    /// How many unfinished tasks and failures the limits leave out.
    pub fn left_out(&self) -> (usize, usize) {
        self.left_out
    }

    /// The unfinished ones, oldest first.
    pub fn unfinished(&self) -> impl Iterator<Item = &'a OpenTask> {
        self.unfinished.iter().copied()
    }

    /// The open failures, newest first.
    pub fn failures(&self) -> impl Iterator<Item = &'a OpenTask> {
        self.failures.iter().copied()
    }
}
