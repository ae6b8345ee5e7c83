//! What the ledger tells a source that reads its newest tasks alone.

use super::Ledger;
use crate::task::{Memory, Status, Task};

impl Memory for Ledger {
    fn lists(&self, task: &Task) -> bool {
        let entry = self.entries.get(&task.key());
        entry.is_some_and(super::Entry::is_listed)
    }

    fn rests(&self, task: &Task) -> bool {
        let key = task.key();
        let entry = self.entries.get(&key);
        // A status that cannot be read would else never let a page rest.
        let ended = task.status.is_outcome() || task.status == Status::Unknown;
        let same = ended && entry.is_some_and(|entry| entry.is_listed() && entry.shows(task));
        let open = task.status == Status::Failed && self.open.contains(&key);
        same && !(open && task.resolved)
    }
}
