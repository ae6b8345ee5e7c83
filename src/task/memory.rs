//! What a source may ask of its tasks while it reads them.

use jiff::Timestamp;

use super::Task;

/// What earlier polls showed, for a source that reads its newest tasks alone.
pub trait Memory: Sync {
    /// Whether the task is one of those that the source was last known to list.
    fn lists(&self, task: &Task) -> bool;

    /// Whether the task stands as it did when it was met last, or was unfinished
    /// then.
    fn rests(&self, task: &Task) -> bool;

    /// How many unfinished tasks are known that began then or later.
    fn unfinished_since(&self, then: Timestamp) -> usize;
}
