//! What vCenter says when it refuses a call.
//!
//! The same error has different HTTP statuses in different documents (over a
//! thousand tasks is 400 in the specification of `/rest`, 404 on the developer
//! portal and 500 in that of `/api`), so the type in the body decides, and the
//! status only where the body tells nothing.

use reqwest::StatusCode;
use serde::Deserialize;

use super::partition::Fault;
use crate::sources::loose::{List, Object, Text};
use crate::sources::rest::Answer;
use crate::sources::{Reason, SourceError};

/// The message of a login when there are too many sessions (VMware Tanzu CLI issue 749).
const SESSIONS_FULL: &str = "MaxUserSessionCountReached";

/// The messages of a path that does not exist.
const NO_PATH: [&str; 2] = ["httpNotFound", "operationsForUrlNotFound"];

/// An error of the standard set, as far as calls for tasks meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Too many tasks, or a state that cannot be read.
    Inaccessible,
    /// Nobody is logged in.
    Unauthenticated,
    /// The account may not.
    Unauthorized,
    /// The task, or a provider of the service, is not there.
    NotFound,
    /// The call is not one that can be answered.
    Invalid,
    /// A part of the system does not work now.
    Unavailable,
    /// The path does not exist.
    NoPath,
    /// The body tells nothing.
    Untold,
}

/// A call that was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    status: StatusCode,
    /// The type of the error, in its own word.
    word: String,
    ids: Vec<String>,
    /// Whether the body is one of vCenter's, and not of a proxy before it.
    pub(super) own: bool,
}

/// The bodies of all generations: `/rest` holds the messages under `value`,
/// `/api` does not, and 6.7 has other names where a path does not exist.
#[derive(Debug, Default, Deserialize)]
struct WireRefusal {
    #[serde(default, rename = "type")]
    class: Text,
    #[serde(default)]
    error_type: Text,
    #[serde(default)]
    messages: List<WireMessage>,
    #[serde(default)]
    value: Object<WireValue>,
    #[serde(default, rename = "localizableMessages")]
    localizable: List<WireMessage>,
}

#[derive(Debug, Default, Deserialize)]
struct WireValue {
    #[serde(default)]
    error_type: Text,
    #[serde(default)]
    messages: List<WireMessage>,
}

#[derive(Debug, Default, Deserialize)]
struct WireMessage {
    #[serde(default)]
    id: Text,
}

impl Refusal {
    /// What an answer that is no success says.
    pub(super) fn read(answer: &Answer) -> Self {
        let wire = serde_json::from_slice::<Object<WireRefusal>>(&answer.body);
        let wire = wire.ok().and_then(|wire| wire.0).unwrap_or_default();
        let value = wire.value.0.unwrap_or_default();
        let word = [wire.error_type, value.error_type, wire.class]
            .into_iter()
            .find_map(Text::given)
            .map(|word| type_name(&word))
            .unwrap_or_default();
        // 6.7 has a body of its own for a path that does not exist.
        let old = !wire.localizable.0.is_empty() && answer.status == StatusCode::NOT_FOUND;
        let messages = [wire.messages, value.messages, wire.localizable].into_iter();
        let ids: Vec<_> = messages
            .flat_map(|messages| messages.0)
            .filter_map(|message| message.id.given())
            .collect();
        let mut refusal = Self {
            kind: Kind::Untold,
            status: answer.status,
            own: !word.is_empty() || !ids.is_empty(),
            word,
            ids,
        };
        refusal.kind = if old { Kind::NoPath } else { refusal.judge() };
        refusal
    }

    fn judge(&self) -> Kind {
        if NO_PATH.iter().any(|id| self.says(id)) {
            return Kind::NoPath;
        }
        match self.word.as_str() {
            "RESOURCE_INACCESSIBLE" => Kind::Inaccessible,
            "UNAUTHENTICATED" => Kind::Unauthenticated,
            "UNAUTHORIZED" => Kind::Unauthorized,
            "NOT_FOUND" => Kind::NotFound,
            "OPERATION_NOT_FOUND" => Kind::NoPath,
            "SERVICE_UNAVAILABLE"
            | "INTERNAL_SERVER_ERROR"
            | "TIMED_OUT"
            | "RESOURCE_BUSY"
            | "CONCURRENT_CHANGE"
            | "RESOURCE_IN_USE"
            | "UNABLE_TO_ALLOCATE_RESOURCE" => Kind::Unavailable,
            "" => self.judge_by_status(),
            _ => Kind::Invalid,
        }
    }

    fn judge_by_status(&self) -> Kind {
        match self.status {
            StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
            StatusCode::FORBIDDEN => Kind::Unauthorized,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if !self.own => Kind::NoPath,
            // `/api` may leave the type out, and has 500 for too many tasks.
            StatusCode::NOT_FOUND if self.own => Kind::NotFound,
            StatusCode::BAD_REQUEST if self.own => Kind::Invalid,
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Kind::Unavailable,
            _ => Kind::Untold,
        }
    }

    fn says(&self, id: &str) -> bool {
        self.ids.iter().any(|each| each.contains(id))
    }

    /// Whether a login was refused because there are too many sessions.
    pub(super) fn is_of_full_sessions(&self) -> bool {
        self.says(SESSIONS_FULL)
    }

    /// What the refusal of a list call means for the calls to come.
    pub(super) const fn fault(&self) -> Fault {
        match self.kind {
            Kind::Inaccessible => Fault::Capped,
            Kind::NoPath if !self.own => Fault::Unclear,
            Kind::Unavailable | Kind::NoPath | Kind::Unauthenticated => Fault::Unavailable,
            Kind::Unauthorized | Kind::NotFound | Kind::Invalid => Fault::Refused,
            Kind::Untold => Fault::Unclear,
        }
    }

    /// The refusal as the error of a poll.
    pub(super) fn error(&self, answer: Answer) -> SourceError {
        let reason = match self.kind {
            _ if self.status == StatusCode::TOO_MANY_REQUESTS => return answer.refused(),
            Kind::Unauthenticated => Reason::Unauthorized,
            Kind::Unauthorized => Reason::Forbidden,
            Kind::Inaccessible | Kind::Unavailable => Reason::ServerError,
            Kind::NotFound | Kind::Invalid | Kind::NoPath => Reason::Protocol,
            Kind::Untold => return answer.refused(),
        };
        let error = answer.refused();
        let said = [self.word.as_str()]
            .into_iter()
            .filter(|word| !word.is_empty());
        let said: Vec<_> = said.chain(self.ids.first().map(String::as_str)).collect();
        let detail = format!("{}: {}", error.detail, said.join(", "));
        SourceError {
            reason,
            detail: detail.trim_end_matches(": ").to_owned(),
            ..error
        }
    }
}

/// The name of an error's type: the last word of a class, or the name itself.
pub(super) fn type_name(text: &str) -> String {
    let name = text.trim().rsplit('.').next().unwrap_or_default();
    name.to_uppercase()
}

#[cfg(test)]
mod tests;
