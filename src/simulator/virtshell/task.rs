//! A task and how it changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::VsShape;
use super::totals::VsOutcome;
use crate::simulator::history::uuid;

/// A task of a VirtShell server.
#[derive(Clone, Debug, PartialEq)]
pub struct VsTask {
    /// The id; one is made when it is empty.
    pub uuid: String,
    /// The type, such as `create_instance`.
    pub kind: String,
    /// What it does, for people.
    pub description: String,
    /// Its status, any word.
    pub status: String,
    /// What was written with the status.
    pub log: String,
    /// When it came to be; when it is added, if not given.
    pub created: Option<Timestamp>,
    /// When its status changed last.
    pub changed: Option<Timestamp>,
    /// The uuid of the user who made it.
    pub user: String,
    /// The uuid of what it works on.
    pub object: Option<String>,
    /// The statuses before, since when it had them, and their logs.
    pub history: Vec<(String, Timestamp, String)>,
    /// Members that are served otherwise, or not at all.
    pub(super) overrides: BTreeMap<String, Option<Value>>,
}

/// What it says of itself.
impl VsTask {
    /// A pending task of a type.
    pub fn new(kind: impl Into<String>) -> Self {
        let kind = kind.into();
        Self {
            uuid: String::new(),
            description: format!("Task {kind}"),
            kind,
            status: "pending".to_owned(),
            log: String::new(),
            created: None,
            changed: None,
            user: String::new(),
            object: None,
            history: Vec::new(),
            overrides: BTreeMap::new(),
        }
    }

    /// With an id.
    #[must_use]
    pub fn uuid(mut self, uuid: impl Into<String>) -> Self {
        self.uuid = uuid.into();
        self
    }

    /// With a description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// With a status, any word.
    #[must_use]
    pub fn status(mut self, status: impl Into<String>) -> Self {
        self.status = status.into();
        self
    }

    /// With what was written with the status.
    #[must_use]
    pub fn log(mut self, log: impl Into<String>) -> Self {
        self.log = log.into();
        self
    }

    /// Created at a time; unless it is pending or has a history, it was
    /// `pending` from then until it is added.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = Some(at);
        self
    }

    /// In its status since a time.
    #[must_use]
    pub fn changed(mut self, at: Timestamp) -> Self {
        self.changed = Some(at);
        self
    }

    /// With the uuid of the user who made it.
    #[must_use]
    pub fn user(mut self, uuid: impl Into<String>) -> Self {
        self.user = uuid.into();
        self
    }

    /// With the uuid of what it works on.
    #[must_use]
    pub fn object(mut self, uuid: impl Into<String>) -> Self {
        self.object = Some(uuid.into());
        self
    }

    /// With a status before, since when it had it; the oldest first.
    #[must_use]
    pub fn was(mut self, status: impl Into<String>, since: Timestamp) -> Self {
        self.history.push((status.into(), since, String::new()));
        self
    }

    /// With a member served as it is, whatever it should be; a change of the
    /// status overwrites what it writes.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<String>, value: Value) -> Self {
        self.overrides.insert(name.into(), Some(value));
        self
    }

    /// With a member left out, for ever.
    #[must_use]
    pub fn without_field(mut self, name: impl Into<String>) -> Self {
        self.overrides.insert(name.into(), None);
        self
    }
}

/// How it goes on.
impl VsTask {
    /// Fills in the ids and the times.
    pub(super) fn complete(&mut self, now: Timestamp, rng: &mut fastrand::Rng) {
        if self.uuid.is_empty() {
            self.uuid = uuid(rng.u128(..));
        }
        if self.user.is_empty() {
            self.user = uuid(rng.u128(..));
        }
        let first = self.history.first().map(|(_, since, _)| *since);
        let born = first.unwrap_or(now);
        let created = *self.created.get_or_insert(born);
        let waits = self.status == "pending" && first.is_none();
        let changed = if waits { created } else { now };
        let changed = *self.changed.get_or_insert(changed);
        if first.is_none() && changed > created {
            let waited = ("pending".to_owned(), created, String::new());
            self.history.push(waited);
        }
    }

    /// Puts it into a status; the one before becomes history.
    pub(super) fn move_to(&mut self, status: &str, log: &str, now: Timestamp) {
        if self.overrides.contains_key("status_history") {
            self.keep_as_served();
        }
        let since = self.changed.replace(now).unwrap_or(now);
        let before = self.word().to_owned();
        let log_before = self.text("log", &self.log).to_owned();
        self.history.push((before, since, log_before));
        status.clone_into(&mut self.status);
        log.clone_into(&mut self.log);
        for name in ["status", "log", "date", "last_update"] {
            if let Some(Some(_)) = self.overrides.get(name) {
                self.overrides.remove(name);
            }
        }
    }

    /// Writes its status to the history that is served instead of its own.
    fn keep_as_served(&mut self) {
        let served = self.json(VsShape::Real);
        let triple = ["status", "date", "log"].map(|name| served.get(name).cloned());
        if let Some(Some(Value::Array(history))) = self.overrides.get_mut("status_history") {
            history.push(json!(triple));
        }
    }

    /// Its type as it is served, or `unknown`.
    pub(super) fn operation(&self) -> String {
        let kind = self.text("type", &self.kind).trim();
        let kind = if kind.is_empty() { "unknown" } else { kind };
        kind.to_owned()
    }

    /// How it ended, by the status that is served.
    pub(super) fn outcome(&self) -> Option<VsOutcome> {
        VsOutcome::of(self.word())
    }

    /// The status that is served.
    pub(super) fn word(&self) -> &str {
        self.text("status", &self.status)
    }

    /// A member as it is served; empty when it is no text.
    fn text<'a>(&'a self, name: &str, own: &'a str) -> &'a str {
        let other = self.overrides.get(name);
        other.map_or(own, |value| {
            value.as_ref().and_then(Value::as_str).unwrap_or_default()
        })
    }
}
