//! What an operator should know about a configuration that is right.

use super::error::Place;

/// Gathers the warnings of one file.
#[derive(Debug)]
pub(super) struct Warnings {
    exposed: bool,
    lines: Vec<String>,
}

impl Warnings {
    /// None yet, about a file that others than its owner can read if it is `exposed`.
    pub(super) const fn new(exposed: bool) -> Self {
        let lines = Vec::new();
        Self { exposed, lines }
    }

    /// Something is allowed, but not wise.
    pub(super) fn add(&mut self, place: &Place, text: &str) {
        self.lines.push(format!("{place}: {text}"));
    }

    /// A secret stands at `place`.
    pub(super) fn secret_at(&mut self, place: &Place) {
        if self.exposed {
            self.add(
                place,
                "this secret stands in a file that its group or others can read",
            );
        }
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
