//! The nine states a task or sub-task can be in.

use serde::{Deserialize, Serialize};

/// The state of a task, a sub-task or a stage, in the words of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, not begun.
    Pending,
    /// Under way.
    Running,
    /// Under way, and waiting for something.
    Blocked,
    /// Ended well.
    Succeeded,
    /// Ended well, with something to look at.
    Warning,
    /// Ended badly; it may be retried under the same id.
    Failed,
    /// Ended by a person.
    Cancelled,
    /// Not done, because there was no need.
    Skipped,
    /// The source said nothing, or a word that is not known.
    Unknown,
}

impl Status {
    /// Every status, in the order of the label values in the documentation.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Running,
        Self::Blocked,
        Self::Succeeded,
        Self::Warning,
        Self::Failed,
        Self::Cancelled,
        Self::Skipped,
        Self::Unknown,
    ];

    /// The statuses in which a task has ended.
    pub const OUTCOMES: [Self; 5] = [
        Self::Succeeded,
        Self::Warning,
        Self::Failed,
        Self::Cancelled,
        Self::Skipped,
    ];

    /// The statuses in which a task has not ended, or is not known to have.
    pub const UNFINISHED: [Self; 4] = [Self::Pending, Self::Running, Self::Blocked, Self::Unknown];

    /// The label value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Succeeded => "succeeded",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the task has ended.
    pub const fn is_outcome(self) -> bool {
        !self.is_unfinished()
    }

    /// Whether the task has not ended, or is not known to have.
    pub const fn is_unfinished(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Running | Self::Blocked | Self::Unknown
        )
    }

    /// Whether the task ended well; a warning is a success.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Warning)
    }
}

/// A status word without what its writers differ in: case, blanks, `-` and `_`.
pub fn fold(word: &str) -> String {
    if word.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return word.to_ascii_lowercase();
    }
    word.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many there are in each status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts([u64; Status::ALL.len()]);

impl Counts {
    /// How many are in `status`.
    pub fn get(&self, status: Status) -> u64 {
        self.iter()
            .find_map(|(each, count)| (each == status).then_some(count))
            .unwrap_or_default()
    }

    /// Counts one more in `status`.
    pub fn add(&mut self, status: Status) {
        *self.slot(status) += 1;
    }

    /// Counts one less in `status`.
    pub fn take(&mut self, status: Status) {
        let slot = self.slot(status);
        *slot = slot.saturating_sub(1);
    }

    /// Adds other counts to these.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }

    /// Each status with its count, in the order of [`Status::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Status, u64)> + '_ {
        Status::ALL.into_iter().zip(self.0)
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn slot(&mut self, status: Status) -> &mut u64 {
        Status::ALL
            .into_iter()
            .zip(&mut self.0)
            .find_map(|(each, slot)| (each == status).then_some(slot))
            .expect("every status has a slot")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_forgets_case_blanks_and_joints() {
        for word in ["IN_PROGRESS", "In Progress", " in-progress\n", "InProgress"] {
            assert_eq!(fold(word), "inprogress");
        }
    }

    #[test]
    fn each_status_is_either_unfinished_or_an_outcome() {
        for status in Status::ALL {
            assert_ne!(
                Status::OUTCOMES.contains(&status),
                Status::UNFINISHED.contains(&status)
            );
            assert_eq!(Status::OUTCOMES.contains(&status), status.is_outcome());
        }
    }

    #[test]
    fn counts_add_and_take_and_never_fall_below_zero() {
        let mut counts = Counts::default();
        counts.add(Status::Failed);
        counts.add(Status::Failed);
        counts.take(Status::Failed);
        counts.take(Status::Running);
        assert_eq!(counts.get(Status::Failed), 1);
        assert_eq!(counts.get(Status::Running), 0);
        assert_eq!(counts.total(), 1);
    }
}
