//! Requests that are not answered with a page.

use hyper::header::{ALLOW, HOST, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::reply::text;
use super::server::Body;

/// Why a request gets no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Nothing is there.
    #[error("Not found")]
    Path,
    /// No source has this name.
    #[error("No source is called {0:?}")]
    Source(String),
    /// No task is ever in this status.
    #[error(
        "{0:?} is no status; there are: pending, running, blocked, succeeded, warning, failed, cancelled, skipped, unknown"
    )]
    Status(String),
    /// So many tasks cannot be shown.
    #[error("limit is {0:?}, which is no whole number from 0 on")]
    Limit(String),
    /// It is there, and takes these methods alone.
    #[error("Method not allowed")]
    Method(&'static str),
    /// HTTP/1.1 asks each request for one `Host` (RFC 9112, 3.2).
    #[error("A request needs the header Host, once")]
    Host,
    /// A page of another site has a browser ask.
    #[error("A page of another site cannot ask for this")]
    Foreign,
    /// More often than the rate limit allows.
    #[error("Too many requests")]
    TooOften,
    /// Without the name and password of a user.
    #[error("Unauthorized")]
    Stranger,
    /// Nobody knows who may ask.
    #[error("The web configuration is broken, the log says how")]
    Broken,
    /// As much as may be is under way.
    #[error("Too many requests at once")]
    Busy,
}

impl Refusal {
    /// Whether the method is one that pages are read with.
    pub(super) fn unless_reading(method: &Method) -> Result<(), Self> {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        reads.then_some(()).ok_or(Self::Method("GET, HEAD"))
    }

    /// Whether the request says for which host it is, if it must.
    pub(super) fn unless_addressed<B>(request: &Request<B>) -> Result<(), Self> {
        let hosts = request.headers().get_all(HOST).iter().count();
        let allowed = match request.version() {
            Version::HTTP_11 => hosts == 1,
            _ => hosts <= 1,
        };
        allowed.then_some(()).ok_or(Self::Host)
    }
}

impl From<Refusal> for Response<Body> {
    fn from(refusal: Refusal) -> Self {
        let (status, header) = match refusal {
            Refusal::Path | Refusal::Source(_) => (StatusCode::NOT_FOUND, None),
            Refusal::Status(_) | Refusal::Limit(_) | Refusal::Host => {
                (StatusCode::BAD_REQUEST, None)
            }
            Refusal::Method(allowed) => (StatusCode::METHOD_NOT_ALLOWED, Some((ALLOW, allowed))),
            Refusal::Foreign => (StatusCode::FORBIDDEN, None),
            Refusal::TooOften => (StatusCode::TOO_MANY_REQUESTS, None),
            Refusal::Stranger => (StatusCode::UNAUTHORIZED, Some((WWW_AUTHENTICATE, "Basic"))),
            Refusal::Broken => (StatusCode::INTERNAL_SERVER_ERROR, None),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some((RETRY_AFTER, "1"))),
        };
        let mut response = text(status, format!("{refusal}\n"));
        if let Some((name, value)) = header {
            let headers = response.headers_mut();
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
