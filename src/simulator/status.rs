//! The words for a task's state.

/// The state of a task, a sub-task or a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskStatus {
    /// Waits for its turn.
    Pending,
    /// Runs.
    InProgress,
    /// Ended well.
    Successful,
    /// Ended badly; can be retried.
    Failed,
    /// Stopped by a user.
    Cancelled,
    /// Ended, with something to look at.
    CompletedWithWarning,
    /// Ended without having run.
    Skipped,
    /// A sub-task that had nothing to do.
    NotApplicable,
    /// Any other word, served as it is.
    Other(&'static str),
}

/// How a task's own status is spelt; its sub-tasks are always upper case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCase {
    /// `IN_PROGRESS`.
    #[default]
    Upper,
    /// `In Progress`.
    Title,
    /// `IN PROGRESS`.
    UpperBlank,
}

impl TaskStatus {
    /// Whether nothing more happens unless somebody retries.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Other(_))
    }

    /// The upper-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::CompletedWithWarning => "COMPLETED_WITH_WARNING",
            Self::Skipped => "SKIPPED",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::Other(word) => word,
        }
    }

    /// The word in one spelling; [`TaskStatus::Other`] is never changed.
    pub fn spelt(self, case: StatusCase) -> &'static str {
        match (case, self) {
            (StatusCase::Title, Self::Pending) => "Pending",
            (StatusCase::Title, Self::InProgress) => "In Progress",
            (StatusCase::Title, Self::Successful) => "Successful",
            (StatusCase::Title, Self::Failed) => "Failed",
            (StatusCase::Title, Self::Cancelled) => "Cancelled",
            (StatusCase::Title, Self::CompletedWithWarning) => "Completed With Warning",
            (StatusCase::Title, Self::Skipped) => "Skipped",
            (StatusCase::Title, Self::NotApplicable) => "Not Applicable",
            (StatusCase::UpperBlank, Self::InProgress) => "IN PROGRESS",
            (StatusCase::UpperBlank, Self::CompletedWithWarning) => "COMPLETED WITH WARNING",
            (_, status) => status.as_str(),
        }
    }

    /// Whether `word`, in any spelling, means this status.
    pub(super) fn is_called(self, word: &str) -> bool {
        fold(self.as_str()) == fold(word)
    }
}

/// One spelling for all of them.
fn fold(word: &str) -> String {
    word.trim()
        .chars()
        .map(|letter| match letter {
            ' ' | '-' => '_',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_the_same() {
        for case in [StatusCase::Upper, StatusCase::Title, StatusCase::UpperBlank] {
            let word = TaskStatus::InProgress.spelt(case);
            assert!(TaskStatus::InProgress.is_called(word), "{word}");
        }
        assert!(!TaskStatus::Failed.is_called("Successful"));
        assert_eq!(
            TaskStatus::Other("Boiling").spelt(StatusCase::Upper),
            "Boiling"
        );
    }
}
