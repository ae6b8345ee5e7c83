//! One request as the vCenter sees and remembers it.

use bytes::Bytes;
use hyper::Method;
use hyper::header::HeaderMap;
use jiff::Timestamp;

use super::options::VcenterOptions;
use crate::simulator::call::Endpoint;

/// One of the two ways in which the API is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `/rest`, with `value` around everything and maps as arrays of pairs.
    Rest,
    /// `/api`, plain.
    Api,
}

/// One request that was answered.
#[derive(Clone, Debug)]
pub struct VcRequest {
    /// When it came, by the vCenter's clock.
    pub at: Timestamp,
    /// Which call it was.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// The services that a list was asked for.
    pub services: Vec<String>,
    /// The ids that a list was asked for.
    pub tasks: Vec<String>,
    /// The statuses that a list was asked for.
    pub statuses: Vec<String>,
    /// The operations that a list was asked for.
    pub operations: Vec<String>,
    /// Whether results were to be left out.
    pub excludes_result: bool,
    /// The code of the answer.
    pub status: u16,
}

/// One request, read in full.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Where a call leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A call of the API, with the id in its path or nothing.
    To(Dialect, Endpoint, String),
    /// A path of the API without an operation for the method and the query.
    NoOperation(Dialect),
    /// No path of the dialect.
    Nowhere(Dialect),
    /// A dialect that is not there.
    Absent(Dialect),
    /// No path of the API at all.
    Outside,
}

impl Call {
    /// A header's value, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.header("cookie")?.split(';');
        let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether the query has a parameter with a value.
    fn asks(&self, name: &str, value: &str) -> bool {
        self.query.iter().any(|(n, v)| n == name && v == value)
    }

    pub(super) fn route(&self, options: &VcenterOptions) -> Route {
        let path: Vec<&str> = self.path.split('/').skip(1).collect();
        let (dialect, exists) = match path.first() {
            Some(&"rest") => (Dialect::Rest, options.rest),
            Some(&"api") => (Dialect::Api, options.api),
            _ => return Route::Outside,
        };
        if exists {
            self.operation(dialect, path.get(1..).unwrap_or_default())
        } else {
            Route::Absent(dialect)
        }
    }

    /// Which operation of a dialect has the rest of the path.
    fn operation(&self, dialect: Dialect, path: &[&str]) -> Route {
        let method = self.method.as_str();
        let (endpoint, id) = match (dialect, path, method) {
            (Dialect::Rest, ["com", "vmware", "cis", "session"], "POST")
                if self.asks("~action", "get") =>
            {
                (Endpoint::Refresh, "")
            }
            (Dialect::Rest, ["com", "vmware", "cis", "session"], "POST")
            | (Dialect::Api, ["session"], "POST") => (Endpoint::Login, ""),
            (Dialect::Api, ["session"], "GET") => (Endpoint::Refresh, ""),
            (Dialect::Rest, ["com", "vmware", "cis", "session"], "DELETE")
            | (Dialect::Api, ["session"], "DELETE") => (Endpoint::Revoke, ""),
            (Dialect::Rest, ["cis", "tasks"], "GET") => (Endpoint::List, ""),
            (Dialect::Api, ["cis", "tasks"], "POST") if self.asks("action", "list") => {
                (Endpoint::List, "")
            }
            (_, ["cis", "tasks", id], "GET") => (Endpoint::Task, *id),
            (Dialect::Rest, ["com", "vmware", "cis", "session"], _)
            | (Dialect::Api, ["session"], _)
            | (_, ["cis", "tasks"] | ["cis", "tasks", _], _) => {
                return Route::NoOperation(dialect);
            }
            _ => return Route::Nowhere(dialect),
        };
        // Ids have a colon, which may come raw or escaped.
        let id = id.replace("%3A", ":").replace("%3a", ":");
        Route::To(dialect, endpoint, id)
    }
}

impl Route {
    /// Which call it is, with [`Endpoint::Unknown`] for what the API does not know.
    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Self::To(_, endpoint, _) => *endpoint,
            _ => Endpoint::Unknown,
        }
    }

    /// The dialect to be answered in.
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::To(dialect, ..)
            | Self::NoOperation(dialect)
            | Self::Nowhere(dialect)
            | Self::Absent(dialect) => *dialect,
            Self::Outside => Dialect::Rest,
        }
    }
}
