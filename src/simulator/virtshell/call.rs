//! One request as the server sees and remembers it.

use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderMap;
use jiff::Timestamp;

use super::state::State;
use crate::simulator::call::Endpoint;

/// The headers in which a signature is documented to come.
const AUTHORIZATION: [&str; 2] = ["x-virtshell-authorization", "authorization"];

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct VsRequest {
    /// When it came, by the server's clock.
    pub at: Timestamp,
    /// Which call it was; a list by status is a list.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Its path as it came, without the query.
    pub path: String,
    /// Whether it had an `If-None-Match`.
    pub if_none_match: bool,
    /// The header that authorizes, if there was one.
    pub authorization: Option<String>,
    /// The code of the answer.
    pub status: u16,
}

/// One request, read in full.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `/tasks/`.
    All,
    /// `/tasks/<uuid>`.
    One(String),
    /// `/tasks/status/<status>` and `/tasks/<status>`.
    ByStatus(String),
    /// No path of the API.
    Nowhere,
}

impl Call {
    /// A header's value, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The header that authorizes, by the name that is set or those that are documented.
    pub(super) fn authorization(&self, state: &State) -> Option<&str> {
        let names = state.options.auth.header_name().into_iter();
        let mut names = names.chain(AUTHORIZATION);
        names.find_map(|name| self.header(name))
    }

    /// Where the path leads.
    pub(super) fn place(&self, state: &State) -> Place {
        let prefix = state.options.prefix.trim_end_matches('/');
        let rest = self.path.strip_prefix(prefix);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix("/tasks/")) else {
            return Place::Nowhere;
        };
        if rest.is_empty() {
            Place::All
        } else if let Some(status) = rest.strip_prefix("status/") {
            Place::ByStatus(unescaped(status))
        } else if is_uuid(rest) || state.tasks.get(rest).is_some() {
            // A test may give ids that are none; the server would not find these.
            Place::One(rest.to_owned())
        } else if rest == "status" || rest.contains('/') || is_uuid(&rest.to_lowercase()) {
            Place::Nowhere
        } else {
            Place::ByStatus(unescaped(rest))
        }
    }

    /// Which call it is, with [`Endpoint::Unknown`] for what the API does not know.
    pub(super) fn endpoint(&self, place: &Place) -> Endpoint {
        match (place, self.method.as_str()) {
            (Place::Nowhere, _) => Endpoint::Unknown,
            (Place::One(_), "GET") => Endpoint::Task,
            (_, "GET") => Endpoint::List,
            (Place::ByStatus(_), _) => Endpoint::Unknown,
            (_, "POST") => Endpoint::Create,
            (_, "PUT") => Endpoint::Update,
            (_, "DELETE") => Endpoint::Delete,
            _ => Endpoint::Unknown,
        }
    }
}

/// Whether it is what the server's route takes for an id: lower case only.
fn is_uuid(text: &str) -> bool {
    let digits = |part: &str| {
        part.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.into_iter().all(digits)
}

/// A part of a path without its escapes; a plus stays one.
fn unescaped(part: &str) -> String {
    let form = part.replace('+', "%2B").replace('&', "%26");
    let form = format!("={form}");
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    let value = pairs.next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}
