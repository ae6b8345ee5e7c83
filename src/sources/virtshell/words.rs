//! VirtShell's words for a status.

use std::collections::BTreeMap;

use crate::task::{Status, fold};

/// The words, those of the configuration before those that are built in.
#[derive(Debug)]
pub(super) struct Words(BTreeMap<String, Status>);

impl Words {
    /// With further words, folded.
    pub(super) fn new(further: BTreeMap<String, Status>) -> Self {
        Self(further)
    }

    /// The status that a word stands for.
    pub(super) fn status(&self, word: &str) -> Status {
        let word = fold(word);
        self.0
            .get(&word)
            .copied()
            .unwrap_or_else(|| built_in(&word))
    }
}

/// The documented words, and those that the server, its dispatcher and its
/// agents write. Of these only `error` is a failure: what fails inside an agent
/// stays in its last working status for ever.
fn built_in(folded: &str) -> Status {
    match folded {
        "pending" => Status::Pending,
        "sucess" | "success" | "successful" | "provisioned" | "storagecreated" => Status::Succeeded,
        "failed" | "error" => Status::Failed,
        "inprogress"
        | "dispatching"
        | "dispatched"
        | "received"
        | "settingup"
        | "creating"
        | "created"
        | "provisioning"
        | "registering"
        | "registered"
        | "assigningproperties"
        | "assignedproperties"
        | "creatingstorage" => Status::Running,
        _ => Status::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_documentation_and_of_the_server_is_known() {
        let words = Words::new(BTreeMap::new());
        for (status, spellings) in [
            (Status::Pending, &["pending", " Pending "][..]),
            (
                Status::Succeeded,
                &["sucess", "success", "provisioned", "storage_created"],
            ),
            (Status::Failed, &["failed", "error", "ERROR"]),
            (
                Status::Running,
                &[
                    "in progress",
                    "dispatching",
                    "dispatched",
                    "received",
                    "setting up",
                    "creating",
                    "created",
                    "provisioning",
                    "registering",
                    "registered",
                    "assigning_properties",
                    "assigned_properties",
                    "creating_storage",
                ],
            ),
            (Status::Unknown, &["", "archived", "done"]),
        ] {
            for word in spellings {
                assert_eq!(words.status(word), status, "{word}");
            }
        }
    }

    #[test]
    fn the_words_of_the_configuration_win() {
        let further = [
            ("archived", Status::Succeeded),
            ("created", Status::Warning),
        ];
        let further = further.map(|(word, status)| (word.to_owned(), status));
        let words = Words::new(further.into());
        assert_eq!(words.status("Archived"), Status::Succeeded);
        assert_eq!(words.status("created"), Status::Warning);
        assert_eq!(words.status("creating"), Status::Running);
    }
}
