//! What a poll changed, one value for each event that is counted.

use std::time::Duration;

use jiff::Timestamp;

use super::NameId;
use crate::task::Status;

/// One event of one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What the task does.
    pub operation: NameId,
    /// What happened.
    pub event: Event,
}

/// What happened to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It appeared.
    Started,
    /// It entered an outcome: one episode.
    Finished {
        /// The outcome.
        status: Status,
        /// When it ended, where that is known.
        ended: Option<Timestamp>,
        /// How long it took, where both ends are known.
        duration: Option<Duration>,
    },
    /// It entered `failed`; comes right after its [`Event::Finished`].
    Failed {
        /// The id of the task.
        task_id: String,
        /// The code of the error.
        error_code: NameId,
        /// The names on the way to the first place of failure; empty if none is known.
        place: Vec<String>,
    },
    /// A deepest failed node of a failed task; once an episode.
    SubtaskFailed {
        /// The name of the sub-task or stage.
        subtask: NameId,
    },
    /// It was unfinished, and the source no longer knows it.
    Vanished,
}
