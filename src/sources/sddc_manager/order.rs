//! Whether the list runs from the newest task to the oldest.
//!
//! No version documents what `orderBy` takes, and some ignore it: only what was
//! read can tell.

use jiff::Timestamp;

/// What the times of creation in a list say of its order, in the order of reading.
#[derive(Debug, Default)]
pub(super) struct Order {
    newest: Option<Timestamp>,
    oldest: Option<Timestamp>,
    timed: u64,
    timeless: u64,
    broken: bool,
}

impl Order {
    /// Takes in a task that was not met before in this reading.
    pub(super) fn take(&mut self, created: Option<Timestamp>) {
        let Some(created) = created else {
            self.timeless += 1;
            return;
        };
        self.timed += 1;
        self.broken |= self.oldest.is_some_and(|oldest| created > oldest);
        self.newest = self.newest.or(Some(created));
        self.oldest = Some(created);
    }

    /// Takes in what follows.
    pub(super) fn append(&mut self, next: &Self) {
        self.timeless += next.timeless;
        self.timed += next.timed;
        self.broken |= next.broken || (self.oldest.is_some() && next.newest > self.oldest);
        self.newest = self.newest.or(next.newest);
        self.oldest = next.oldest.or(self.oldest);
    }

    /// When the oldest task so far was created.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// Whether a task was met that is newer than one before it.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the list was shown to run from the newest to the oldest.
    pub(super) fn is_kept(&self) -> bool {
        // Where most have no time, nothing was shown.
        !self.broken && self.timed >= self.timeless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seconds: &[Option<i64>]) -> Order {
        let mut order = Order::default();
        for second in seconds {
            order.take(second.map(|second| Timestamp::from_second(second).unwrap()));
        }
        order
    }

    #[test]
    fn a_list_that_only_descends_is_kept_in_order() {
        assert!(order(&[Some(9), Some(9), None, Some(3)]).is_kept());
        assert!(order(&[]).is_kept());
    }

    #[test]
    fn one_newer_task_further_down_breaks_the_order() {
        let order = order(&[Some(9), Some(3), Some(4)]);
        assert!(order.is_broken() && !order.is_kept());
    }

    #[test]
    fn parts_of_a_list_are_in_order_if_one_follows_the_other() {
        let kept = |parts: [&[Option<i64>]; 3]| {
            let mut whole = Order::default();
            for part in parts {
                whole.append(&order(part));
            }
            whole.is_kept()
        };
        assert!(kept([&[Some(9), Some(7)], &[], &[Some(7), Some(1)]]));
        assert!(!kept([&[Some(9), Some(7)], &[None], &[Some(8), Some(1)]]));
        assert!(!kept([&[Some(9)], &[Some(3), Some(4)], &[Some(1)]]));
    }

    #[test]
    fn a_list_without_times_shows_no_order() {
        let order = order(&[Some(9), None, None]);
        assert!(!order.is_broken() && !order.is_kept());
    }
}
