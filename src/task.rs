//! One vocabulary for the tasks of every system: no I/O, no metrics.

mod digest;
pub mod label;
mod listing;
mod memory;
mod node;
mod operation;
mod status;
mod time;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use digest::{Digest, TaskKey};
pub use listing::{Call, Extent, Listing, Met, Skipped, Summary, Unreadable};
pub use memory::Memory;
pub use node::{FailedNode, Node, NodeKind};
pub use operation::{OperationRule, Operations};
pub use status::{Counts, Status, fold};
pub use time::{Moment, TimeFrame, Times, parse_time};

/// The operation of a task that does not say what it does.
pub const UNKNOWN_OPERATION: &str = "unknown";

/// A task as a source shows it, in the words of this exporter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The source's id; opaque, and not always fit for a URL (see [`is_plain_id`]).
    pub id: String,
    /// The name a person reads.
    pub name: String,
    /// What the task does, or [`UNKNOWN_OPERATION`].
    pub operation: String,
    /// How it stands.
    pub status: Status,
    /// The source's own word for the status, folded: a change of status without
    /// a change of the word is a change of our reading, not of the task.
    pub word: String,
    /// When it began, if the source says so and the time is sane.
    pub started: Option<Timestamp>,
    /// When it ended, if it has ended, the source says so and the time is sane.
    pub ended: Option<Timestamp>,
    /// When the source says that it last moved, if the time is sane.
    pub moved: Option<Timestamp>,
    /// Whether the source gave a time that cannot be right.
    pub invalid_timestamps: bool,
    /// Whether the source calls the failure resolved; means nothing otherwise.
    pub resolved: bool,
    /// Whether the source would take a retry, where it says so.
    pub retryable: Option<bool>,
    /// What the task acts on.
    pub resources: Vec<Resource>,
    /// What went wrong, in the source's order.
    pub errors: Vec<TaskError>,
    /// Its sub-tasks, in the source's order.
    pub subtasks: Vec<Node>,
    /// The source's own figure for how far it is, from 0 to 1.
    pub progress: Option<f64>,
}

/// Something that a task acts on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resource {
    /// The source's id of it.
    pub id: String,
    /// Its kind in the source's words, such as `HOST`.
    pub kind: String,
    /// Its name or host name; empty where the source gives none.
    pub name: String,
}

impl Resource {
    /// Its name, else its id.
    pub fn called(&self) -> &str {
        if self.name.is_empty() {
            &self.id
        } else {
            &self.name
        }
    }
}

/// What went wrong, in the source's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskError {
    /// A code that machines can tell apart, such as `VCF_ENABLE_CEIP_ERROR`.
    pub code: Option<String>,
    /// A sentence for people.
    pub message: Option<String>,
    /// What the source advises to do.
    pub remediation: Option<String>,
    /// What caused it: nested errors and causes.
    pub causes: Vec<Self>,
    /// The class of a cause, such as that of a Java exception; it is no code, as
    /// no metric is to count by it.
    #[serde(default)]
    pub kind: Option<String>,
    /// What the source's own logs know it by.
    #[serde(default)]
    pub reference: Option<String>,
}

impl TaskError {
    /// An error of which no more than a sentence is known.
    pub fn of_message(message: String) -> Self {
        Self {
            message: Some(message),
            ..Self::default()
        }
    }
}

impl Task {
    /// What the task is known by in the ledger.
    pub fn key(&self) -> TaskKey {
        TaskKey::of(&self.id)
    }

    /// The deepest failed sub-tasks and stages, in their order.
    pub fn failed_nodes(&self) -> Vec<FailedNode> {
        node::failed(&self.subtasks)
    }

    /// The code of the task's first error, else of where it failed.
    pub fn error_code(&self) -> Option<String> {
        let own = first_code(&self.errors).map(str::to_owned);
        own.or_else(|| {
            let mut nodes = self.failed_nodes().into_iter();
            nodes.find_map(|node| node.error_code)
        })
    }

    /// The sub-tasks without children of their own, by status.
    pub fn leaves(&self) -> Counts {
        node::leaves(&self.subtasks)
    }

    /// How far the task is, from 0 to 1: the source's own figure, else the
    /// finished sub-tasks of all.
    pub fn progress_ratio(&self) -> Option<f64> {
        self.progress.or_else(|| {
            let leaves = self.leaves();
            let finished = Status::OUTCOMES.map(|status| leaves.get(status));
            ratio(finished.iter().sum(), leaves.total())
        })
    }

    /// What it acts on, in one text: host names or names, else ids.
    pub fn resource_names(&self) -> String {
        let names = self.resources.iter().map(Resource::called);
        names
            .filter(|name| !name.is_empty())
            .collect::<Vec<_>>()
            .join(",")
    }

    /// A hash of operation and resources; `None` where either is not known, as
    /// then no other task can be said to do the same.
    pub fn scope(&self) -> Option<u64> {
        if self.operation == UNKNOWN_OPERATION {
            return None;
        }
        let mut ids: Vec<_> = self
            .resources
            .iter()
            .map(|each| (each.kind.as_str(), each.id.as_str()))
            .filter(|(_, id)| !id.is_empty())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return None;
        }
        let start = Digest::new().text(&self.operation);
        let digest = ids
            .into_iter()
            .fold(start, |digest, (kind, id)| digest.text(kind).text(id));
        Some(digest.finish())
    }

    /// A hash of everything in the task that moves.
    pub fn fingerprint(&self) -> u64 {
        let progress = self.progress.map_or(u64::MAX, f64::to_bits);
        let millis = |time: Option<Timestamp>| {
            time.map_or(u64::MAX, |time| time.as_millisecond().unsigned_abs())
        };
        let mut digest = Digest::new()
            .text(&self.word)
            .text(self.status.as_str())
            .number(progress)
            .number(millis(self.ended))
            .number(millis(self.moved));
        node::visit(&self.subtasks, &mut |node| {
            digest = std::mem::take(&mut digest)
                .text(&node.name)
                .text(node.status.as_str());
        });
        digest.finish()
    }

    /// The newest sane time in the task and below it.
    pub fn newest_time(&self) -> Option<Timestamp> {
        let mut newest = self.started.max(self.ended).max(self.moved);
        node::visit(&self.subtasks, &mut |node| newest = newest.max(node.moved));
        newest
    }
}

/// The first code among the errors, each one's causes coming right after it.
fn first_code(errors: &[TaskError]) -> Option<&str> {
    errors.iter().find_map(|error| {
        let own = error.code.as_deref().filter(|code| !code.is_empty());
        own.or_else(|| first_code(&error.causes))
    })
}

/// `part` of `whole`, from 0 to 1; `None` of nothing.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts far below 2^52 are exact"
)]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Whether an id can stand in a URL or in a command to copy: `[A-Za-z0-9:._-]+`,
/// and neither `.` nor `..`.
pub fn is_plain_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_' | '-');
    !id.is_empty() && id.chars().all(plain) && !matches!(id, "." | "..")
}

#[cfg(test)]
mod tests;
