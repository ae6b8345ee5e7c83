//! VirtShell's JSON, read into tasks.
//!
//! Two shapes: the documented one with `created.at` and `last_update`, texts of
//! seconds since 1970, and that of the real server, whose `date` is a time of day
//! without a day, so that no time can be read off it. Every field but the status
//! may be missing, as the server stores whatever it is given.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::words::Words;
use super::{LIST, ONE};
use crate::sources::bounded::{Elements, no_list};
use crate::sources::element::parse;
use crate::sources::loose::{Id, Object, Text};
use crate::sources::{Reason, SourceError};
use crate::task::{Resource, Skipped, Task, TaskError, TimeFrame, UNKNOWN_OPERATION, fold};

/// What is known of a VirtShell while its answers are read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) words: &'a Words,
    pub(super) frame: TimeFrame,
}

#[derive(Debug, Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    tasks: Option<Elements<&'a RawValue>>,
    #[serde(default)]
    error: Text,
}

/// A task, or what is said instead under a 200.
#[derive(Debug, Default, Deserialize)]
struct WireTask {
    #[serde(default)]
    uuid: Id,
    #[serde(default)]
    description: Text,
    #[serde(default)]
    status: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    object_uuid: Text,
    #[serde(default)]
    created: Object<WireCreated>,
    #[serde(default)]
    last_update: Text,
    #[serde(default)]
    log: Text,
    #[serde(default)]
    error: Text,
}

#[derive(Debug, Default, Deserialize)]
struct WireCreated {
    #[serde(default)]
    at: Text,
}

/// The elements of the list, uncut. What is labelled as HTML is JSON, and an
/// error comes under a 200.
pub(super) fn elements(body: &str) -> Result<Vec<&RawValue>, SourceError> {
    let page: Page<'_> =
        serde_json::from_str(body).map_err(|error| no_list(LIST, "the answer", &error))?;
    page.tasks.map(|Elements(tasks)| tasks).ok_or_else(|| {
        let (reason, detail) = match page.error.given() {
            Some(_) => (Reason::ServerError, "answered 200 OK with an error"),
            None => (Reason::Decode, "the answer has no tasks"),
        };
        SourceError::new(reason, LIST, detail)
    })
}

impl Reader<'_> {
    /// Reads one element of the list; `id` is that of the request, if one task
    /// was asked for, as the answer may have none.
    pub(super) fn task(&self, json: &str, id: Option<&str>) -> Result<Task, Skipped> {
        let wire: WireTask = parse(json)?;
        self.read(wire, id)
    }

    /// Reads the answer to the call for one task; `None` if there is no such task.
    pub(super) fn one(&self, body: &str, id: &str) -> Result<Option<Task>, SourceError> {
        let unreadable = |reason: Skipped| {
            let detail = format!("the answer is no task: {}", reason.reason());
            SourceError::new(Reason::Decode, ONE, detail)
        };
        let wire: WireTask = parse(body).map_err(unreadable)?;
        match (&wire.status.0, &wire.error.0) {
            // An unknown id is told under a 200.
            (None, Some(_)) => Ok(None),
            (None, None) => Err(unreadable(Skipped::NotAnObject)),
            (Some(_), _) => self.read(wire, Some(id)).map(Some).map_err(unreadable),
        }
    }

    fn read(&self, wire: WireTask, id: Option<&str>) -> Result<Task, Skipped> {
        let own = wire.uuid.0.filter(|id| !id.trim().is_empty());
        let id = id.map(str::to_owned).or(own).ok_or(Skipped::NoId)?;
        let word = wire.status.0.unwrap_or_default();
        let status = self.words.status(&word);
        let created = wire.created.0.unwrap_or_default().at.0;
        let updated = wire.last_update.0;
        let ended = updated.as_deref().filter(|_| status.is_outcome());
        let times = self.frame.read_both(created.as_deref(), ended);
        let operation = wire.kind.given();
        let operation = operation.unwrap_or_else(|| UNKNOWN_OPERATION.to_owned());
        let log = wire
            .log
            .given()
            .filter(|_| status == crate::task::Status::Failed);
        let resource = |id| Resource {
            id,
            ..Resource::default()
        };
        Ok(Task {
            name: wire
                .description
                .given()
                .unwrap_or_else(|| operation.clone()),
            id,
            operation: operation.trim().to_owned(),
            status,
            word: fold(&word),
            started: times.started,
            ended: times.ended,
            moved: updated.and_then(|updated| self.frame.read(&updated)),
            invalid_timestamps: times.invalid,
            resolved: false,
            retryable: None,
            resources: wire.object_uuid.given().into_iter().map(resource).collect(),
            errors: log.into_iter().map(TaskError::of_message).collect(),
            subtasks: Vec::new(),
            progress: None,
        })
    }
}

#[cfg(test)]
mod tests;
