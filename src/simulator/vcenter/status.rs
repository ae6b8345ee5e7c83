//! The states of a task.

use serde::{Deserialize, Serialize};

/// The state of a task; there is none for canceled ones, which have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VcStatus {
    /// Waits for its turn.
    Pending,
    /// Runs.
    Running,
    /// Waits for something while it runs.
    Blocked,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
}

impl VcStatus {
    /// Whether nothing more happens.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    /// The API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Blocked => "BLOCKED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }
}
