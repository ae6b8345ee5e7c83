//! How a call is refused.

use serde_json::{Value, json};

use super::call::Dialect;
use super::error::VcError;
use super::options::ErrorForm;
use crate::simulator::reply::Reply;

/// What the 401 of `/api` asks for.
const CHALLENGE: &str = r#"Basic realm="VAPI endpoint""#;

/// Why a call is refused: an error with the id and the arguments of its message.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    error: VcError,
    id: &'static str,
    args: Vec<String>,
}

impl Problem {
    pub(super) fn new(kind: &str, id: &'static str, message: impl Into<String>) -> Self {
        Self::of(VcError::new(kind, message), id)
    }

    pub(super) fn of(error: VcError, id: &'static str) -> Self {
        Self {
            error,
            id,
            args: Vec::new(),
        }
    }

    pub(super) fn args(mut self, args: impl Into<Vec<String>>) -> Self {
        self.args = args.into();
        self
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(
            "INVALID_ARGUMENT",
            "com.vmware.vapi.std.invalid_argument",
            message,
        )
    }

    /// No session, a dead one, or the wrong password: which, is not said.
    pub(super) fn unauthenticated() -> Self {
        Self::new(
            "UNAUTHENTICATED",
            "com.vmware.vapi.endpoint.method.authentication.required",
            "Authentication required.",
        )
    }

    /// No resource has the path.
    pub(super) fn no_path() -> Self {
        Self::new(
            "NOT_FOUND",
            "com.vmware.vapi.rest.httpNotFound",
            "Not found.",
        )
    }

    /// A resource has the path, but no operation the method and the query.
    pub(super) fn no_operation() -> Self {
        Self::new(
            "NOT_FOUND",
            "com.vmware.vapi.rest.operationsForUrlNotFound",
            "No operation was found for the URL.",
        )
    }

    /// An error of the type that goes with a status.
    pub(super) fn of_status(status: u16) -> Self {
        let kind = match status {
            400 => "INVALID_ARGUMENT",
            401 => return Self::unauthenticated(),
            403 => "UNAUTHORIZED",
            404 => "NOT_FOUND",
            503 => "SERVICE_UNAVAILABLE",
            504 => "TIMED_OUT",
            _ => "INTERNAL_SERVER_ERROR",
        };
        Self::new(
            kind,
            "com.vmware.vapi.endpoint.fault",
            "The service is not well.",
        )
    }

    /// The answer, with the status that goes with the type.
    pub(super) fn reply(&self, dialect: Dialect, form: ErrorForm) -> Reply {
        self.reply_as(status(&self.error.kind, dialect, form), dialect, form)
    }

    /// The answer with another status.
    pub(super) fn reply_as(&self, status: u16, dialect: Dialect, form: ErrorForm) -> Reply {
        let reply = match form {
            ErrorForm::ByStatus => Reply::html(status),
            _ => Reply::json(status, self.body(dialect, form).to_string()),
        };
        if status == 401 && dialect == Dialect::Api {
            reply.header("www-authenticate", CHALLENGE)
        } else {
            reply
        }
    }

    fn body(&self, dialect: Dialect, form: ErrorForm) -> Value {
        let text = json!({
            "id": self.id,
            "default_message": self.error.message,
            "args": self.args,
        });
        let kind = &self.error.kind;
        let body = match (form, kind.as_str()) {
            (ErrorForm::Bare, _) => json!({"messages": [text]}),
            (_, "UNAUTHENTICATED") => {
                json!({"error_type": kind, "messages": [text], "challenge": CHALLENGE})
            }
            _ => json!({"error_type": kind, "messages": [text]}),
        };
        match dialect {
            Dialect::Rest => json!({"type": self.error.class(), "value": body}),
            Dialect::Api => body,
        }
    }
}

/// The status of an error type; of two of them the documents say different things.
fn status(kind: &str, dialect: Dialect, form: ErrorForm) -> u16 {
    match kind {
        "RESOURCE_INACCESSIBLE" => match (form, dialect) {
            (ErrorForm::Swapped, _) => 404,
            (_, Dialect::Rest) => 400,
            (_, Dialect::Api) => 500,
        },
        "UNAUTHORIZED" if form != ErrorForm::Swapped => 403,
        "UNAUTHORIZED" | "UNAUTHENTICATED" => 401,
        "NOT_FOUND" | "OPERATION_NOT_FOUND" => 404,
        "SERVICE_UNAVAILABLE" => 503,
        "TIMED_OUT" => 504,
        "INTERNAL_SERVER_ERROR" | "ERROR" | "RESOURCE_BUSY" | "UNABLE_TO_ALLOCATE_RESOURCE" => 500,
        _ => 400,
    }
}

/// What a vCenter of 6.7 says of every path below `/api`, in a form of its own.
pub(super) fn before_api() -> Reply {
    let id = "com.vmware.vapi.rest.httpNotFound";
    let body = json!({
        "name": id,
        "majorErrorCode": 404,
        "localizableMessages": [{"id": id, "defaultMessage": "Not found."}],
    });
    Reply::json(404, body.to_string())
}
