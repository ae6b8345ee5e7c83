//! vCenter's JSON, read into tasks.
//!
//! Fields: `Cis.Tasks.Info` of the API specifications 7.0.0 to 9.1, bodies
//! captured on 8.0.3, and the vendor's Python bindings 9.1.1.0.

mod page;

use serde::Deserialize;

pub(super) use page::{one, page};

use super::refusal::type_name;
use crate::sources::element::parse;
use crate::sources::loose::{List, Map, Object, Text, TextOr};
use crate::task::{
    Node, NodeKind, Resource, Skipped, Status, Task, TaskError, TimeFrame, UNKNOWN_OPERATION, fold,
};

/// What some providers append to the names of operations.
const TASK_SUFFIX: &str = "$task";

#[derive(Debug, Default, Deserialize)]
struct WireTask {
    #[serde(default)]
    description: Object<WireMessage>,
    #[serde(default)]
    service: Text,
    #[serde(default)]
    operation: Text,
    #[serde(default)]
    status: Text,
    #[serde(default)]
    start_time: Text,
    #[serde(default)]
    end_time: Text,
    #[serde(default)]
    progress: Object<WireProgress>,
    #[serde(default)]
    target: Object<WireTarget>,
    #[serde(default)]
    error: TextOr<WireError>,
    #[serde(default)]
    subtasks: Map<Self>,
}

impl WireTask {
    /// Whether it has none of the members that every task has.
    fn is_blank(&self) -> bool {
        let required = [&self.service, &self.operation, &self.status];
        required.iter().all(|text| text.0.is_none())
    }
}

#[derive(Debug, Default, Deserialize)]
struct WireMessage {
    #[serde(default)]
    default_message: Text,
    #[serde(default)]
    localized: Text,
}

#[derive(Debug, Default, Deserialize)]
struct WireProgress {
    #[serde(default)]
    total: Text,
    #[serde(default)]
    completed: Text,
}

#[derive(Debug, Default, Deserialize)]
struct WireTarget {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    id: Text,
}

#[derive(Debug, Default, Deserialize)]
struct WireError {
    #[serde(default)]
    error_type: Text,
    #[serde(default, rename = "@class")]
    class: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    messages: List<WireMessage>,
}

/// A task of a list, with the service that created it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) service: Option<String>,
    /// Its operation without the service.
    pub(super) operation: Option<String>,
    pub(super) task: Task,
    /// Whether it says nothing that every task says.
    blank: bool,
}

/// Reads the task of an id.
pub(super) fn task(id: String, json: &str, frame: TimeFrame) -> Result<Read, Skipped> {
    let wire: WireTask = parse(json)?;
    let blank = wire.is_blank();
    let error = error(wire.error);
    let word = wire.status.0.unwrap_or_default();
    let status = status(&word, error.as_ref());
    let completed = wire.end_time.0.filter(|_| status.is_outcome());
    let times = frame.read_both(wire.start_time.0.as_deref(), completed.as_deref());
    let service = wire.service.given();
    let operation = wire.operation.given().map(|name| plain(&name).to_owned());
    let label = label(service.as_deref(), operation.as_deref());
    let name = wire
        .description
        .0
        .and_then(text)
        .unwrap_or_else(|| label.clone());
    let task = Task {
        id,
        name,
        operation: label,
        status,
        word: fold(&word),
        started: times.started,
        ended: times.ended,
        moved: None,
        invalid_timestamps: times.invalid,
        resolved: false,
        retryable: None,
        resources: wire.target.0.into_iter().map(resource).collect(),
        errors: error.into_iter().collect(),
        subtasks: nodes(wire.subtasks, frame),
        progress: wire.progress.0.and_then(|progress| ratio(&progress)),
    };
    Ok(Read {
        service,
        operation,
        task,
        blank,
    })
}

/// An operation without the suffix that only some providers give it.
fn plain(operation: &str) -> &str {
    let operation = operation.trim();
    operation.strip_suffix(TASK_SUFFIX).unwrap_or(operation)
}

/// What a task does: its operation alone is not unique.
fn label(service: Option<&str>, operation: Option<&str>) -> String {
    match (service, operation) {
        (Some(service), Some(operation)) => format!("{}.{operation}", service.trim()),
        _ => UNKNOWN_OPERATION.to_owned(),
    }
}

/// The status that a word stands for. A task that was cancelled is FAILED with
/// an error of a type of its own.
fn status(word: &str, error: Option<&TaskError>) -> Status {
    let cancelled = || error.and_then(|error| error.code.as_deref()) == Some("CANCELED");
    match fold(word).as_str() {
        "pending" => Status::Pending,
        "running" => Status::Running,
        "blocked" => Status::Blocked,
        "succeeded" => Status::Succeeded,
        "failed" if cancelled() => Status::Cancelled,
        "failed" => Status::Failed,
        _ => Status::Unknown,
    }
}

/// The error, which old specifications call a text.
fn error(wire: TextOr<WireError>) -> Option<TaskError> {
    if let Some(wire) = wire.object {
        let code = [wire.error_type, wire.class, wire.kind];
        let code = code.into_iter().find_map(Text::given);
        let mut messages = wire.messages.0.into_iter().filter_map(text);
        return Some(TaskError {
            code: code.map(|code| type_name(&code)),
            message: messages.next(),
            causes: messages.map(TaskError::of_message).collect(),
            ..TaskError::default()
        });
    }
    let said = wire.text.filter(|text| !text.trim().is_empty())?;
    let name = |c: char| c.is_ascii_uppercase() || c == '_';
    let class = said.contains("vapi.std.errors.") || said.trim().chars().all(name);
    Some(TaskError {
        code: class.then(|| type_name(&said)),
        ..TaskError::of_message(said)
    })
}

fn text(message: WireMessage) -> Option<String> {
    let localized = message.localized.given();
    localized.or_else(|| message.default_message.given())
}

fn resource(target: WireTarget) -> Resource {
    Resource {
        id: target.id.0.unwrap_or_default(),
        kind: target.kind.0.unwrap_or_default(),
        name: String::new(),
    }
}

/// How far it is; a total of 0 says nothing.
fn ratio(progress: &WireProgress) -> Option<f64> {
    let number = |text: &Text| {
        let number = text.0.as_ref()?.parse::<f64>().ok();
        number.filter(|number| number.is_finite())
    };
    let (completed, total) = (number(&progress.completed)?, number(&progress.total)?);
    (total > 0.0).then(|| (completed / total).clamp(0.0, 1.0))
}

/// Sub-tasks, which some kinds of task show as tasks under their ids.
fn nodes(wire: Map<WireTask>, frame: TimeFrame) -> Vec<Node> {
    let node = |(id, wire): (String, WireTask)| {
        let error = error(wire.error);
        let status = status(&wire.status.0.unwrap_or_default(), error.as_ref());
        let sane = |text: Text| text.0.and_then(|text| frame.read(&text));
        let ended = sane(wire.end_time).filter(|_| status.is_outcome());
        let description = wire.description.0.and_then(text);
        let operation = wire.operation.given().map(|name| plain(&name).to_owned());
        Node {
            name: description.or(operation).unwrap_or(id),
            kind: NodeKind::SubTask,
            status,
            moved: ended.or_else(|| sane(wire.start_time)),
            errors: error.into_iter().collect(),
            children: nodes(wire.subtasks, frame),
        }
    };
    wire.0.into_iter().map(node).collect()
}

#[cfg(test)]
mod tests;
