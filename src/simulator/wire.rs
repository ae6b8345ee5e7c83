//! The JSON form of a task.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::error::{Resource, TaskError};
use super::stamp;
use super::status::{StatusCase, TaskStatus};
use super::sub_task::SubTask;
use super::task::SimTask;

impl SimTask {
    /// The task as JSON, with its status in a given spelling.
    pub(super) fn json(&self, case: StatusCase) -> String {
        let wire = Wire::new(self, case);
        if self.overrides.is_empty() {
            return serde_json::to_string(&wire).expect("a task has string keys only");
        }
        let mut value = serde_json::to_value(&wire).expect("a task has string keys only");
        if let Some(fields) = value.as_object_mut() {
            for (field, replacement) in &self.overrides {
                match replacement {
                    Some(value) => fields.insert(field.clone(), value.clone()),
                    None => fields.remove(field),
                };
            }
        }
        value.to_string()
    }
}

/// A task in the form of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    status: &'static str,
    #[serde(serialize_with = "stamp::serialize")]
    creation_timestamp: Timestamp,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "stamp::serialize_option"
    )]
    completion_timestamp: Option<Timestamp>,
    sub_tasks: &'a [SubTask],
    errors: &'a [TaskError],
    resources: &'a [Resource],
    resolution_status: &'static str,
    is_cancellable: bool,
    is_retryable: bool,
    localizable_description_pack: Value,
}

impl<'a> Wire<'a> {
    fn new(task: &'a SimTask, case: StatusCase) -> Self {
        let key = task.operation.as_deref().unwrap_or("TASK");
        Self {
            id: &task.id,
            name: &task.name,
            operation: task.operation.as_deref(),
            status: task.status.spelt(case),
            creation_timestamp: task.created.unwrap_or_default(),
            completion_timestamp: task.completed,
            sub_tasks: &task.sub_tasks,
            errors: &task.errors,
            resources: &task.resources,
            resolution_status: if task.resolved {
                "RESOLVED"
            } else {
                "UNRESOLVED"
            },
            is_cancellable: task.cancellable && task.status == TaskStatus::InProgress,
            is_retryable: task.retryable && task.status == TaskStatus::Failed,
            localizable_description_pack: json!({
                "component": "com.vmware.vcf.workflow",
                "messageKey": format!("{key}.name"),
                "arguments": [],
                "message": task.name,
            }),
        }
    }
}
