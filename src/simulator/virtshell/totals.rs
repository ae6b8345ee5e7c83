//! What really happened, to compare an exporter's counters with.

use std::collections::BTreeMap;

use super::task::VsTask;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VsOutcome {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
}

impl VsOutcome {
    /// The outcome that a status stands for; none for one that is not the last.
    pub fn of(status: &str) -> Option<Self> {
        let letters = status.chars().filter(|c| !c.is_whitespace());
        let folded: String = letters.filter(|c| !matches!(c, '-' | '_')).collect();
        match folded.to_lowercase().as_str() {
            "sucess" | "success" | "provisioned" | "storagecreated" => Some(Self::Succeeded),
            "failed" | "error" => Some(Self::Failed),
            _ => None,
        }
    }

    /// The word of the exporter's labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Counts of what happened since the server was made, without its history.
///
/// An operation is a task's type, or `unknown` without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VsTotals {
    /// Tasks that came to be, by operation; a task run again is the same one.
    pub started: BTreeMap<String, u64>,
    /// Stays of tasks in an outcome, by operation and outcome.
    pub ended: BTreeMap<(String, VsOutcome), u64>,
}

impl VsTotals {
    /// How many stays in an outcome there were, over all operations.
    pub fn ended(&self, outcome: VsOutcome) -> u64 {
        let matching = self.ended.iter().filter(|((_, o), _)| *o == outcome);
        matching.map(|(_, count)| count).sum()
    }

    /// Counts a task that came to be, perhaps ended.
    pub(super) fn born(&mut self, task: &VsTask) {
        *self.started.entry(task.operation()).or_default() += 1;
        self.moved(None, task);
    }

    /// Counts the end of a task that had another outcome, or none, before.
    pub(super) fn moved(&mut self, before: Option<VsOutcome>, task: &VsTask) {
        if let Some(outcome) = task.outcome()
            && before != Some(outcome)
        {
            let key = (task.operation(), outcome);
            *self.ended.entry(key).or_default() += 1;
        }
    }
}
