//! All tasks of the sources, for a person or a program to read at once.

mod cell;
mod json;
mod table;

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::exporter::Turn;
use crate::poller::{OnceError, Survey};
use crate::task::{Status, Task};

pub(crate) use table::Look;

/// The tasks and the sources that they are of.
#[derive(Debug)]
pub(crate) struct Report {
    at: Timestamp,
    sources: Vec<SourceRow>,
    rows: Vec<Row>,
}

/// What came of a source.
#[derive(Debug)]
struct SourceRow {
    name: String,
    system: &'static str,
    /// How many tasks it lists, and whether these are all.
    read: Result<(usize, bool), OnceError>,
}

/// A task.
#[derive(Debug)]
struct Row {
    source: String,
    task: Task,
    /// Whether it is unfinished, or failed and unresolved.
    open: bool,
}

impl Report {
    /// The tasks in one of the `statuses`, or in any if there is none; unfinished
    /// ones first, from the oldest on, then the others, from the newest on.
    pub(crate) fn new(
        polled: Vec<(Turn, Result<Survey, OnceError>)>,
        statuses: &[Status],
        at: Timestamp,
    ) -> Self {
        let (mut sources, mut rows) = (Vec::new(), Vec::new());
        for (turn, result) in polled {
            let read = result.map(|survey| {
                let read = (survey.tasks.len(), survey.complete);
                rows.extend(survey.tasks.into_iter().map(|task| Row {
                    source: turn.name.clone(),
                    open: survey.open.contains(&task.key()),
                    task,
                }));
                read
            });
            sources.push(SourceRow {
                name: turn.name,
                system: turn.system,
                read,
            });
        }
        rows.retain(|row| statuses.is_empty() || statuses.contains(&row.task.status));
        rows.sort_by(|a, b| a.place().cmp(&b.place()));
        Self { at, sources, rows }
    }
}

impl Row {
    /// Where it stands among the others; without a time at the end of its kind.
    fn place(&self) -> impl Ord {
        let task = &self.task;
        let unfinished = task.status.is_unfinished();
        let oldest = task.started.unwrap_or(Timestamp::MAX);
        let newest = task.ended.or(task.started).unwrap_or(Timestamp::MIN);
        (
            !unfinished,
            unfinished.then_some(oldest),
            Reverse(newest),
            self.source.clone(),
            task.id.clone(),
        )
    }

    /// The deepest failed sub-task or stage, if the task failed in one, and how
    /// many more there are.
    fn failed_at(&self) -> Option<(String, usize)> {
        let nodes = self.task.failed_nodes();
        let first = nodes
            .first()
            .filter(|_| self.task.status == Status::Failed)?;
        Some((first.path.join(" / "), nodes.len() - 1))
    }
}
