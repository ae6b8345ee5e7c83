//! Tasks as the two dialects write them.
//!
//! The members are those of the vendor's bindings (`CommonInfo` and `Info` of
//! the package vmware-vcenter 9.1.1.0); which of them are absent, and the
//! empty parent of vLCM, are from task bodies captured on 8.0.3
//! (vmware/config-modules).

use serde_json::{Map, Value, json};

use super::call::Dialect;
use super::error::message;
use super::results;
use super::status::VcStatus;
use super::task::VcTask;
use crate::simulator::stamp::stamp;

impl Dialect {
    /// A map: an object, or in `/rest` an array of pairs.
    pub(super) fn map(self, entries: impl IntoIterator<Item = (String, Value)>) -> Value {
        match self {
            Self::Api => Value::Object(entries.into_iter().collect()),
            Self::Rest => entries
                .into_iter()
                .map(|(key, value)| json!({"key": key, "value": value}))
                .collect(),
        }
    }

    /// A whole answer's body.
    pub(super) fn whole(self, value: &Value) -> String {
        match self {
            Self::Api => value.to_string(),
            Self::Rest => json!({"value": value}).to_string(),
        }
    }
}

impl VcTask {
    /// The task in a dialect, with its result or without.
    pub(super) fn json(&self, dialect: Dialect, with_result: bool) -> Value {
        let mut members = self.common();
        self.parent_to(&mut members);
        self.times_to(&mut members);
        if let (VcStatus::Failed, Some(error)) = (self.status, &self.error) {
            members.insert("error".to_owned(), error.json(dialect));
        }
        if with_result && let Some(result) = results::of(self, dialect) {
            members.insert("result".to_owned(), result);
        }
        if self.is_vlcm() {
            self.extended_to(&mut members, dialect, with_result);
        }
        for (name, value) in &self.overrides {
            match value {
                Some(value) => members.insert(name.clone(), value.clone()),
                None => members.remove(name),
            };
        }
        Value::Object(members)
    }

    /// The members that every task has, and those that only depend on what it is.
    fn common(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        let id = format!("{}.{}.description", self.service, self.operation);
        put("description", message(&id, &self.description));
        put("service", self.service.clone().into());
        put("operation", self.shown_operation().into());
        put("status", self.status.as_str().into());
        put("cancelable", self.cancelable.into());
        if let Some(target) = &self.target {
            put("target", json!({"type": target.kind, "id": target.id}));
        }
        if let Some(user) = &self.user {
            put("user", user.clone().into());
        }
        members
    }

    /// vLCM sends an empty parent for none; the others leave it out.
    fn parent_to(&self, members: &mut Map<String, Value>) {
        let none = self.is_vlcm().then(String::new);
        if let Some(parent) = self.parent.clone().or(none) {
            members.insert("parent".to_owned(), parent.into());
        }
    }

    /// The times and the progress, which a pending task lacks.
    fn times_to(&self, members: &mut Map<String, Value>) {
        if self.status == VcStatus::Pending {
            return;
        }
        if let Some(start) = self.started {
            members.insert("start_time".to_owned(), stamp(start).into());
        }
        if let Some(end) = self.ended.filter(|_| self.status.is_ended()) {
            members.insert("end_time".to_owned(), stamp(end).into());
        }
        let (completed, total) = self.progress;
        let text = message(
            "com.vmware.vcenter.tasks.progress",
            "Current progress for task",
        );
        let progress = json!({"total": total, "completed": completed, "message": text});
        members.insert("progress".to_owned(), progress);
    }

    /// The members of vLCM's own model, which are there whether asked for or not.
    fn extended_to(&self, members: &mut Map<String, Value>, dialect: Dialect, with_result: bool) {
        if let Some(time) = self.ended.or(self.started) {
            members.insert("last_update_time".to_owned(), stamp(time).into());
        }
        members.insert("notifications".to_owned(), json!({}));
        if !self.subtasks.is_empty() {
            let entry = |task: &Self| (task.id.clone(), task.json(dialect, with_result));
            let subtasks = dialect.map(self.subtasks.iter().map(entry));
            members.insert("subtasks".to_owned(), subtasks);
        }
    }
}
