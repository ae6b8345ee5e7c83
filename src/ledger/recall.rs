//! What the ledger tells a source that reads its newest tasks alone.

use jiff::Timestamp;

use super::{Entry, Ledger};
use crate::task::{Memory, Status, Task};

impl Memory for Ledger {
    fn lists(&self, task: &Task) -> bool {
        let entry = self.entries.get(&task.key());
        entry.is_some_and(Entry::is_listed)
    }

    fn rests(&self, task: &Task) -> bool {
        let key = task.key();
        let entry = self.entries.get(&key);
        // That one which had not ended has moved says nothing of those behind it.
        let stands = |entry: &Entry| entry.status.is_unfinished() || entry.shows(task);
        let same = entry.is_some_and(|entry| entry.is_listed() && stands(entry));
        let open = task.status == Status::Failed && self.open.contains(&key);
        same && !(open && task.resolved)
    }

    fn unfinished_since(&self, then: Timestamp) -> usize {
        // A status that cannot be read may stand for an end.
        let runs = |status: Status| status.is_unfinished() && status != Status::Unknown;
        let open = self.open.values();
        open.filter(|open| runs(open.task.status) && open.since() >= then)
            .count()
    }
}
