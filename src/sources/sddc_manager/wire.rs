//! The SDDC Manager's JSON, read into tasks.
//!
//! Fields: the API specifications 4.5.2 to 9.0.2 (`Task`, `SubTask`, `Stage`,
//! `Error`, `Resource`, `PageOfTask`) and the API reference of VCF 4.4.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::words;
use crate::sources::element::{parse, read};
use crate::sources::loose::{Flag, Id, List, Text};
use crate::task::{
    Node, NodeKind, Operations, Resource, Skipped, Status, Task, TaskError, TimeFrame, fold,
};

/// A part of an element that is rarely looked at.
pub(super) type Uncut<'a> = Option<&'a RawValue>;

/// A task, with its details as `D` keeps them.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de> + Default"))]
pub(super) struct WireTask<D> {
    #[serde(default)]
    id: Id,
    #[serde(default)]
    name: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    status: Text,
    #[serde(default, rename = "creationTimestamp")]
    created: Text,
    #[serde(default, rename = "completionTimestamp")]
    completed: Text,
    #[serde(default, rename = "resolutionStatus")]
    resolution: Text,
    #[serde(default, rename = "isRetryable")]
    retryable: Flag,
    #[serde(default)]
    resources: List<WireResource>,
    #[serde(default, rename = "subTasks")]
    subtasks: D,
    #[serde(default)]
    errors: D,
}

/// What is looked at unless the task succeeded, as nearly all did: it is most of
/// the text.
#[derive(Debug, Default, Deserialize)]
struct WireDetails {
    #[serde(default, rename = "subTasks")]
    subtasks: List<WireNode>,
    #[serde(default)]
    errors: List<WireError>,
}

#[derive(Debug, Deserialize)]
struct WireNode {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    description: Text,
    #[serde(default)]
    status: Text,
    #[serde(default, rename = "creationTimestamp")]
    created: Text,
    #[serde(default, rename = "completionTimestamp")]
    completed: Text,
    #[serde(default)]
    errors: List<WireError>,
    #[serde(default)]
    stages: List<Self>,
    #[serde(default, rename = "subTasks")]
    subtasks: List<Self>,
}

#[derive(Debug, Deserialize)]
struct WireError {
    #[serde(default, rename = "errorCode")]
    code: Text,
    #[serde(default)]
    message: Text,
    #[serde(default, rename = "remediationMessage")]
    remediation: Text,
    #[serde(default)]
    causes: List<WireCause>,
    #[serde(default, rename = "nestedErrors")]
    nested: List<Self>,
    #[serde(default, rename = "referenceToken")]
    reference: Text,
}

#[derive(Debug, Deserialize)]
struct WireCause {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    message: Text,
}

#[derive(Debug, Deserialize)]
struct WireResource {
    #[serde(default, rename = "resourceId")]
    id: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    fqdn: Text,
    #[serde(default)]
    name: Text,
}

/// Reads elements as tasks.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) operations: &'a Operations,
    pub(super) frame: TimeFrame,
}

/// Reads a part of an element.
fn part<T: DeserializeOwned>(json: Uncut<'_>) -> Result<List<T>, Skipped> {
    json.map_or_else(|| Ok(List::default()), |json| read(json.get()))
}

/// What a task's word for its status says.
struct Said {
    status: Status,
    folded: String,
}

impl<D> WireTask<D> {
    fn said(&self) -> Said {
        let folded = fold(self.status.0.as_deref().unwrap_or_default());
        Said {
            status: words::of_folded(&folded),
            folded,
        }
    }
}

impl Said {
    /// Whether nothing more is to be known of the task.
    fn is_success(&self) -> bool {
        self.status == Status::Succeeded
    }
}

impl Reader<'_> {
    /// The task in an element that was read with its page, if it is an object;
    /// without sub-tasks and errors if it succeeded.
    pub(super) fn element(&self, wire: Option<WireTask<Uncut<'_>>>) -> Result<Task, Skipped> {
        let wire = wire.ok_or(Skipped::NotAnObject)?;
        let said = wire.said();
        let details = if said.is_success() {
            WireDetails::default()
        } else {
            WireDetails {
                subtasks: part(wire.subtasks)?,
                errors: part(wire.errors)?,
            }
        };
        self.translate(None, wire, (said, details))
    }

    /// The task in a text, likewise; `id` is what was asked for, where it was.
    pub(super) fn task(&self, json: &str, id: Option<&str>) -> Result<Task, Skipped> {
        let wire: WireTask<IgnoredAny> = parse(json)?;
        let said = wire.said();
        let details = if said.is_success() {
            WireDetails::default()
        } else {
            parse(json)?
        };
        self.translate(id, wire, (said, details))
    }

    fn translate<D>(
        &self,
        id: Option<&str>,
        wire: WireTask<D>,
        (said, details): (Said, WireDetails),
    ) -> Result<Task, Skipped> {
        let own = wire.id.0.filter(|own| !own.trim().is_empty());
        let id = own.or_else(|| id.map(str::to_owned)).ok_or(Skipped::NoId)?;
        let status = said.status;
        // Completion is decided by the status: tasks under way were seen with a
        // completion time hours ahead (PowerVCF pull request 259).
        let completed = wire.completed.0.filter(|_| status.is_outcome());
        let times = self
            .frame
            .read_both(wire.created.0.as_deref(), completed.as_deref());
        let name = wire.name.0.unwrap_or_default();
        let resolution = wire.resolution.0.unwrap_or_default();
        Ok(Task {
            id,
            operation: self.operations.of(wire.kind.0.as_deref(), &name),
            name,
            status,
            word: said.folded,
            started: times.started,
            ended: times.ended,
            moved: None,
            invalid_timestamps: times.invalid,
            resolved: status == Status::Failed && fold(&resolution) == "resolved",
            retryable: wire.retryable.0,
            resources: wire.resources.0.into_iter().map(resource).collect(),
            errors: details.errors.0.into_iter().map(error).collect(),
            subtasks: self.nodes(details.subtasks.0, NodeKind::SubTask),
            progress: None,
        })
    }

    fn nodes(&self, wire: Vec<WireNode>, kind: NodeKind) -> Vec<Node> {
        wire.into_iter().map(|node| self.node(node, kind)).collect()
    }

    fn node(&self, wire: WireNode, kind: NodeKind) -> Node {
        let status = words::status(&wire.status.0.unwrap_or_default());
        let sane = |text: Text| text.0.and_then(|text| self.frame.read(&text));
        // Sub-tasks that have not begun were seen with a completion time (Holodeck issue 43).
        let completed = sane(wire.completed).filter(|_| status.is_outcome());
        let mut children = self.nodes(wire.subtasks.0, NodeKind::SubTask);
        children.extend(self.nodes(wire.stages.0, NodeKind::Stage));
        Node {
            name: wire.name.given().or(wire.description.0).unwrap_or_default(),
            kind,
            status,
            moved: completed.or_else(|| sane(wire.created)),
            errors: wire.errors.0.into_iter().map(error).collect(),
            children,
        }
    }
}

fn error(wire: WireError) -> TaskError {
    let nested = wire.nested.0.into_iter().map(error);
    let causes = wire.causes.0.into_iter().map(|cause| TaskError {
        message: cause.message.given(),
        kind: cause.kind.given(),
        ..TaskError::default()
    });
    TaskError {
        code: wire.code.given(),
        message: wire.message.given(),
        remediation: wire.remediation.given(),
        causes: nested.chain(causes).collect(),
        kind: None,
        reference: wire.reference.given(),
    }
}

fn resource(wire: WireResource) -> Resource {
    Resource {
        id: wire.id.0.unwrap_or_default(),
        kind: wire.kind.0.unwrap_or_default(),
        name: wire
            .fqdn
            .given()
            .or_else(|| wire.name.given())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
