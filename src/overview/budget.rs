//! How much text of a task is kept for people.

use crate::task::{Resource, TaskError};

/// The longest text, in bytes.
const TEXT: usize = 8 * 1024;

/// All text of one task, in bytes.
const TASK: usize = 64 * 1024;

/// The most resources of one task.
const RESOURCES: usize = 100;

/// What is left of the room for one task's text.
#[derive(Debug)]
pub(super) struct Budget {
    room: usize,
    left_out: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            room: TASK,
            left_out: 0,
        }
    }

    /// How many errors, places of errors and resources found no room.
    pub(super) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether something further is taken; if not, it counts as left out.
    pub(super) fn takes(&mut self) -> bool {
        let takes = self.room > 0;
        self.left_out += usize::from(!takes);
        takes
    }

    /// The text, cut on a character boundary where it is too long.
    pub(super) fn text(&mut self, text: &str) -> String {
        let longest = self.room.min(TEXT);
        let mut ends = (0..=longest.min(text.len())).rev();
        let cut = ends.find(|end| text.is_char_boundary(*end));
        let (kept, rest) = text.split_at(cut.unwrap_or_default());
        // An empty text takes room too, as its place in a list does.
        self.room = self.room.saturating_sub(kept.len().max(1));
        if rest.is_empty() {
            kept.to_owned()
        } else {
            format!("{kept}…")
        }
    }

    fn some(&mut self, text: Option<&String>) -> Option<String> {
        text.map(|text| self.text(text))
    }

    /// The errors with all their causes.
    pub(super) fn errors(&mut self, errors: &[TaskError]) -> Vec<TaskError> {
        let mut kept = Vec::new();
        for error in errors {
            if self.takes() {
                kept.push(self.error(error));
            }
        }
        kept
    }

    fn error(&mut self, error: &TaskError) -> TaskError {
        TaskError {
            code: self.some(error.code.as_ref()),
            message: Some(self.text(error.message.as_deref().unwrap_or_default()))
                .filter(|message| !message.is_empty()),
            remediation: self.some(error.remediation.as_ref()),
            kind: self.some(error.kind.as_ref()),
            reference: self.some(error.reference.as_ref()),
            causes: self.errors(&error.causes),
        }
    }

    /// The first of what a task acts on.
    pub(super) fn resources(&mut self, resources: &[Resource]) -> Vec<Resource> {
        self.left_out += resources.len().saturating_sub(RESOURCES);
        let mut kept = Vec::new();
        for resource in resources.iter().take(RESOURCES) {
            if self.takes() {
                kept.push(Resource {
                    id: self.text(&resource.id),
                    kind: self.text(&resource.kind),
                    name: self.text(&resource.name),
                });
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let text = Budget::new().text(&"é".repeat(TEXT));
        assert_eq!(text.len(), TEXT + '…'.len_utf8());
        assert_eq!(Budget::new().text("short"), "short");
    }

    #[test]
    fn a_task_has_an_end_whatever_it_says() {
        let endless = vec![TaskError::of_message("x".repeat(1000)); 1000];
        let nested = TaskError {
            causes: endless,
            ..TaskError::default()
        };
        let mut budget = Budget::new();
        let kept = budget.errors(&[nested]);
        assert_eq!(kept[0].causes.len(), TASK / 1000 + 1);
        assert_eq!(kept[0].causes.len() + budget.left_out(), 1000);
        let mut budget = Budget::new();
        budget.errors(&vec![TaskError::default(); 100_000]);
        assert!(budget.left_out() > 0, "empty errors are endless");
        let mut budget = Budget::new();
        assert_eq!(budget.resources(&vec![Resource::default(); 150]).len(), 100);
        assert_eq!(budget.left_out(), 50);
    }
}
