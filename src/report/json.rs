//! The report as a JSON object; README.md describes its keys.

use jiff::Timestamp;
use serde::Serialize;

use super::{Report, Row, SourceRow};
use crate::poller::OnceError;
use crate::task::{FailedNode, Status};
use crate::visible;

#[derive(Serialize)]
struct Document {
    time: Timestamp,
    sources: Vec<SourceObject>,
    tasks: Vec<TaskObject>,
}

#[derive(Serialize)]
struct SourceObject {
    source: String,
    system: &'static str,
    up: bool,
    /// `null` if the source could not be polled, as what follows.
    listing_complete: Option<bool>,
    listed: Option<usize>,
    error: Option<ErrorObject>,
}

#[derive(Serialize)]
struct ErrorObject {
    reason: &'static str,
    message: String,
}

#[derive(Serialize)]
struct TaskObject {
    source: String,
    task_id: String,
    operation: String,
    name: String,
    status: &'static str,
    open: bool,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    duration_seconds: Option<f64>,
    progress_ratio: Option<f64>,
    resources: Vec<String>,
    failed_subtasks: Vec<FailedObject>,
    error_code: Option<String>,
    error_message: Option<String>,
}

#[derive(Serialize)]
struct FailedObject {
    path: Vec<String>,
    error_code: Option<String>,
}

impl Report {
    /// The report as JSON, with a newline at its end.
    pub(crate) fn into_json(self) -> String {
        let document = Document {
            time: self.at,
            sources: self.sources.into_iter().map(SourceObject::from).collect(),
            tasks: self.rows.into_iter().map(TaskObject::from).collect(),
        };
        let text = serde_json::to_string_pretty(&document);
        let text = text.expect("texts, numbers and times are written in any case");
        // What JSON leaves as it is may be active in a terminal; the escape is JSON's own.
        visible::escape(&text).into_owned() + "\n"
    }
}

impl From<SourceRow> for SourceObject {
    fn from(row: SourceRow) -> Self {
        let (listed, complete) = row.read.as_ref().ok().copied().unzip();
        Self {
            source: row.name,
            system: row.system,
            up: row.read.is_ok(),
            listing_complete: complete,
            listed,
            error: row.read.err().map(ErrorObject::from),
        }
    }
}

impl From<OnceError> for ErrorObject {
    fn from(error: OnceError) -> Self {
        Self {
            reason: error.reason(),
            message: error.to_string(),
        }
    }
}

impl From<Row> for TaskObject {
    fn from(row: Row) -> Self {
        let task = row.task;
        let failed = task.status == Status::Failed;
        let nodes = if failed {
            task.failed_nodes()
        } else {
            Vec::new()
        };
        let took = task.started.zip(task.ended);
        let mut messages = task.errors.iter().filter_map(|error| error.message.clone());
        Self {
            open: row.open,
            started: task.started,
            ended: task.ended,
            duration_seconds: took
                .map(|(started, ended)| ended.duration_since(started).as_secs_f64()),
            progress_ratio: task.progress_ratio().filter(|_| row.open),
            resources: task
                .resources
                .iter()
                .map(|each| each.called().to_owned())
                .collect(),
            failed_subtasks: nodes.into_iter().map(FailedObject::from).collect(),
            error_code: task.error_code(),
            error_message: messages.next(),
            status: task.status.as_str(),
            source: row.source,
            task_id: task.id,
            operation: task.operation,
            name: task.name,
        }
    }
}

impl From<FailedNode> for FailedObject {
    fn from(node: FailedNode) -> Self {
        Self {
            path: node.path,
            error_code: node.error_code,
        }
    }
}
