//! One request as the simulator sees and remembers it.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Limited};
use hyper::Method;
use hyper::body::Incoming;
use jiff::Timestamp;

/// The most bytes read from a request's body.
const MOST_BODY: usize = 1024 * 1024;

/// A call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `POST /v1/tokens`; of a vCenter, the creation of a session.
    Login,
    /// `PATCH /v1/tokens/access-token/refresh`; of a vCenter, a look at the
    /// session, which keeps it alive.
    Refresh,
    /// `DELETE /v1/tokens/refresh-token`; of a vCenter, the end of a session.
    Revoke,
    /// `GET /v1/tasks`; of a vCenter, the list call of either dialect; of a
    /// VirtShell server, the list of all tasks or those in a status.
    List,
    /// `GET /v1/tasks/{id}`; of the others, a task by its id.
    Task,
    /// `PATCH /v1/tasks/{id}`.
    Retry,
    /// `DELETE /v1/tasks/{id}`.
    Cancel,
    /// `POST /v1/restores/tasks`.
    StartRestore,
    /// `GET /v1/restores/tasks/{id}`.
    Restore,
    /// `POST /tasks/` of a VirtShell server.
    Create,
    /// `PUT /tasks/{id}` of a VirtShell server.
    Update,
    /// `DELETE /tasks/{id}` and `DELETE /tasks/` of a VirtShell server.
    Delete,
    /// Everything that the API does not know.
    Unknown,
    /// Every call; for faults only.
    Any,
}

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// Which call it was.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// Its query, decoded, in the order of the request.
    pub query: Vec<(String, String)>,
    /// The code of the answer.
    pub status: u16,
}

impl RequestRecord {
    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut matching = self.query.iter().filter(|(key, _)| key == name);
        matching.next().map(|(_, value)| value.as_str())
    }
}

/// One request, read in full.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// The `Authorization` header.
    pub(super) authorization: Option<String>,
    pub(super) body: Bytes,
}

/// Where a call leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// A call of the API, with the id in its path or nothing.
    To(Endpoint, &'a str),
    /// A path of the API with a method that it does not take.
    WrongMethod,
    /// No path of the API.
    Nowhere,
}

impl Call {
    pub(super) fn route(&self) -> Route<'_> {
        let path: Vec<&str> = self.path.split('/').skip(1).collect();
        let (found, id) = match (path.as_slice(), self.method.as_str()) {
            (["v1", "tokens"], "POST") => (Endpoint::Login, ""),
            (["v1", "tokens", "access-token", "refresh"], "PATCH") => (Endpoint::Refresh, ""),
            (["v1", "tokens", "refresh-token"], "DELETE") => (Endpoint::Revoke, ""),
            (["v1", "tasks"], "GET") => (Endpoint::List, ""),
            (["v1", "tasks", id], "GET") => (Endpoint::Task, *id),
            (["v1", "tasks", id], "PATCH") => (Endpoint::Retry, *id),
            (["v1", "tasks", id], "DELETE") => (Endpoint::Cancel, *id),
            (["v1", "restores", "tasks"], "POST") => (Endpoint::StartRestore, ""),
            (["v1", "restores", "tasks", id], "GET") => (Endpoint::Restore, *id),
            (
                ["v1", "tokens" | "tasks"]
                | ["v1", "tokens", "access-token", "refresh"]
                | ["v1", "tokens", "refresh-token"]
                | ["v1", "tasks", _]
                | ["v1", "restores", "tasks"]
                | ["v1", "restores", "tasks", _],
                _,
            ) => return Route::WrongMethod,
            _ => return Route::Nowhere,
        };
        Route::To(found, id)
    }

    /// Which call it is, with [`Endpoint::Unknown`] for what the API does not know.
    pub(super) fn endpoint(&self) -> Endpoint {
        match self.route() {
            Route::To(endpoint, _) => endpoint,
            Route::WrongMethod | Route::Nowhere => Endpoint::Unknown,
        }
    }
}

/// A request's body; of one that is too long or broken off nothing, so that
/// the calls then say what they miss.
pub(super) async fn whole(body: Incoming) -> Bytes {
    let body = Limited::new(body, MOST_BODY).collect().await;
    body.map_or_else(|_| Bytes::new(), Collected::to_bytes)
}

/// The parameters of a query, decoded.
pub(super) fn decoded(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}
