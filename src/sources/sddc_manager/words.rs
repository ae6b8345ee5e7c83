//! The SDDC Manager's words for a status.

use crate::task::{Status, fold};

/// The status that a word of a task, sub-task, stage or restore stands for.
///
/// Attested words: the API specifications 4.5 to 9.1 (tasks, sub-tasks, stages,
/// credential tasks), the older SDK's enumeration, restore status files, and
/// the task database (`PREVALIDATION_FAILED`). Words of other models, such as
/// validations or bring-up, are no status of a task and stay unknown.
pub(super) fn status(word: &str) -> Status {
    of_folded(&fold(word))
}

/// The status that a folded word stands for.
pub(super) fn of_folded(word: &str) -> Status {
    match word {
        "pending" | "scheduled" => Status::Pending,
        "inprogress" | "running" => Status::Running,
        "successful" | "succeeded" => Status::Succeeded,
        "completedwithwarning" => Status::Warning,
        "failed" | "prevalidationfailed" => Status::Failed,
        "cancelled" | "canceled" | "usercancelled" | "usercanceled" => Status::Cancelled,
        "skipped" | "notapplicable" => Status::Skipped,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_words_is_known_in_either_casing() {
        let rows = [
            // Tasks, VCF 4.5 to 9.1, and PowerCLI's enumeration.
            ("PENDING", Status::Pending),
            ("Pending", Status::Pending),
            ("IN_PROGRESS", Status::Running),
            ("In Progress", Status::Running),
            ("SUCCESSFUL", Status::Succeeded),
            ("Successful", Status::Succeeded),
            ("FAILED", Status::Failed),
            ("Failed", Status::Failed),
            ("CANCELLED", Status::Cancelled),
            ("Cancelled", Status::Cancelled),
            ("COMPLETED_WITH_WARNING", Status::Warning),
            ("Completed With Warning", Status::Warning),
            ("SKIPPED", Status::Skipped),
            ("Skipped", Status::Skipped),
            // Sub-tasks and stages.
            ("NOT_APPLICABLE", Status::Skipped),
            // The older SDK's enumeration, and restores.
            ("IN PROGRESS", Status::Running),
            ("UNKNOWN", Status::Unknown),
            ("SCHEDULED", Status::Pending),
            // Credential tasks.
            ("USER_CANCELLED", Status::Cancelled),
            ("INCONSISTENT", Status::Unknown),
            // The task database alone.
            ("PREVALIDATION_FAILED", Status::Failed),
            // Fleet and SDDC life cycle management 9.1.
            ("RUNNING", Status::Running),
            ("SUCCEEDED", Status::Succeeded),
            ("CANCELED", Status::Cancelled),
            // Bring-up, validations and bundles are no tasks.
            ("COMPLETED_WITH_SUCCESS", Status::Unknown),
            ("ROLLBACK_SUCCESS", Status::Unknown),
            ("COMPLETED_WITH_FAILURE", Status::Unknown),
            ("INITIALIZED", Status::Unknown),
            ("CANCELLATION_IN_PROGRESS", Status::Unknown),
            ("RECALLED", Status::Unknown),
            ("TIMED_OUT", Status::Unknown),
            // Nothing, and nonsense.
            ("", Status::Unknown),
            ("string", Status::Unknown),
        ];
        for (word, expected) in rows {
            assert_eq!(status(word), expected, "{word}");
            assert_eq!(status(&format!(" {word}\n")), expected, "{word} padded");
        }
    }
}
