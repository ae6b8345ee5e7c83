//! What an API call or a task fails with.

use serde_json::{Value, json};

use super::call::Dialect;

/// An error of a task, or of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VcError {
    /// The type in capitals, such as `TIMED_OUT`.
    pub kind: String,
    /// The message.
    pub message: String,
}

impl VcError {
    /// An error of a type, such as `RESOURCE_BUSY`, with a message.
    pub fn new(kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
        }
    }

    /// What a canceled task has failed with.
    pub fn canceled() -> Self {
        Self::new("CANCELED", "The task was canceled.")
    }

    /// The name of the structure that holds an error of this type.
    pub(super) fn class(&self) -> String {
        let name = self.kind.to_ascii_lowercase();
        format!("com.vmware.vapi.std.errors.{name}")
    }

    /// The `error` of a task; only `/rest` names the class.
    pub(super) fn json(&self, dialect: Dialect) -> Value {
        let id = format!("com.vmware.vcenter.tasks.{}", self.kind.to_lowercase());
        let messages = [message(&id, &self.message)];
        match dialect {
            Dialect::Rest => json!({
                "@class": self.class(),
                "error_type": self.kind,
                "messages": messages,
            }),
            Dialect::Api => json!({"error_type": self.kind, "messages": messages}),
        }
    }
}

/// A text for people, with the members that every one has.
pub(super) fn message(id: &str, text: &str) -> Value {
    json!({"id": id, "default_message": text, "args": []})
}
