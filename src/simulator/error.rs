//! What a task says about its errors and the things it worked on.

use std::collections::BTreeMap;

use serde::Serialize;

/// One error of a task, a sub-task or a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskError {
    /// The machine's word, like `HOST_COMMISSION_FAILED`.
    pub error_code: String,
    /// Mostly `ERROR`.
    pub error_type: String,
    /// What fills the gaps of the message.
    pub arguments: Vec<String>,
    /// Free keys and values.
    pub context: BTreeMap<String, String>,
    /// The message for people.
    pub message: String,
    /// What people should do.
    pub remediation_message: String,
    /// The exceptions behind it, outermost first.
    pub causes: Vec<Cause>,
    /// Errors inside this one.
    pub nested_errors: Vec<Self>,
    /// The token by which the appliance's logs are searched.
    pub reference_token: String,
}

/// One exception behind an error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// The exception's class.
    #[serde(rename = "type")]
    pub kind: String,
    /// The exception's message.
    pub message: String,
}

impl TaskError {
    /// An error of type `ERROR` with a code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            error_code: code.into(),
            error_type: "ERROR".to_owned(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// With advice for people.
    #[must_use]
    pub fn remediation(mut self, advice: impl Into<String>) -> Self {
        self.remediation_message = advice.into();
        self
    }

    /// With an error inside it.
    #[must_use]
    pub fn nested(mut self, error: Self) -> Self {
        self.nested_errors.push(error);
        self
    }

    /// With an exception behind it.
    #[must_use]
    pub fn cause(mut self, kind: impl Into<String>, message: impl Into<String>) -> Self {
        self.causes.push(Cause {
            kind: kind.into(),
            message: message.into(),
        });
        self
    }
}

/// A thing a task works on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its id.
    pub resource_id: String,
    /// Its kind, like `HOST`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its full domain name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Resource {
    /// A resource with an id and a kind.
    pub fn new(id: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            resource_id: id.into(),
            kind: kind.into(),
            fqdn: None,
            name: None,
        }
    }

    /// With a full domain name, whose first label becomes the name.
    #[must_use]
    pub fn fqdn(mut self, fqdn: impl Into<String>) -> Self {
        let fqdn = fqdn.into();
        self.name = fqdn.split('.').next().map(str::to_owned);
        self.fqdn = Some(fqdn);
        self
    }
}
