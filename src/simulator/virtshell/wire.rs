//! Tasks as they travel, in either shape.
//!
//! The real one is what the server's own handlers store and the dispatcher and
//! the agents write; the documented one is that of `doc/api-spec/v1/tasks.md`
//! (janutechnology/VirtShell).

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use super::options::VsShape;
use super::task::VsTask;

/// The members that a posted task has only if they were in the body.
const POSTED: [&str; 5] = ["description", "status", "log", "type", "object_uuid"];

/// The members that the real server does not add either.
const NOT_ADDED: [&str; 2] = ["date", "status_history"];

impl VsTask {
    /// The task in a shape.
    pub(super) fn json(&self, shape: VsShape) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("uuid", self.uuid.as_str().into());
        put("description", self.description.as_str().into());
        put("status", self.status.as_str().into());
        put("type", self.kind.as_str().into());
        put("log", self.log.as_str().into());
        if let Some(object) = &self.object {
            put("object_uuid", object.as_str().into());
        }
        let created = self.created.unwrap_or_default();
        let changed = self.changed.unwrap_or_default();
        match shape {
            VsShape::Real => {
                put("date", time_of_day(changed).into());
                put("status_history", self.triples());
            }
            VsShape::Documented => {
                let created = json!({"at": seconds(created), "by": self.user});
                put("created", created);
                put("last_update", seconds(changed).into());
            }
        }
        for (name, value) in &self.overrides {
            match value {
                Some(value) => members.insert(name.clone(), value.clone()),
                None => members.remove(name),
            };
        }
        Value::Object(members)
    }

    /// The statuses before, each with its time and its log.
    fn triples(&self) -> Value {
        let triple = |(status, since, log): &(String, Timestamp, String)| {
            json!([status, time_of_day(*since), log])
        };
        self.history.iter().map(triple).collect()
    }

    /// A task of a posted object, which is stored as it comes.
    pub(super) fn posted(mut object: Map<String, Value>, shape: VsShape) -> Self {
        object.remove("uuid");
        let mut task = Self::new("").status("");
        let not_added: &[&str] = match shape {
            VsShape::Real => &NOT_ADDED,
            VsShape::Documented => &[],
        };
        for name in POSTED.iter().chain(not_added) {
            if !object.contains_key(*name) {
                task = task.without_field(*name);
            }
        }
        for (name, value) in object {
            let place = match name.as_str() {
                "description" => &mut task.description,
                "status" => &mut task.status,
                "log" => &mut task.log,
                "type" => &mut task.kind,
                _ => {
                    task.overrides.insert(name, Some(value));
                    continue;
                }
            };
            match value {
                Value::String(text) => *place = text,
                value => {
                    task.overrides.insert(name, Some(value));
                }
            }
        }
        task
    }
}

/// Python's `time.isoformat()`: no fraction when there are no microseconds.
fn time_of_day(at: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(at).time();
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    let whole = format!("{hour:02}:{minute:02}:{second:02}");
    match time.subsec_nanosecond() / 1000 {
        0 => whole,
        micros => format!("{whole}.{micros:06}"),
    }
}

fn seconds(at: Timestamp) -> String {
    at.as_second().to_string()
}
