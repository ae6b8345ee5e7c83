//! Whole answers, with the headers that all of them have.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use tracing::error;

use super::server::{Body, full};

const PLAIN: &str = "text/plain; charset=utf-8";

/// An answer in plain words.
pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    page(status, PLAIN, body.into())
}

/// An answer that could not be written.
pub(super) fn failed(error: &dyn std::error::Error) -> Response<Body> {
    error!(%error, "an answer cannot be written");
    text(StatusCode::INTERNAL_SERVER_ERROR, "Encoding failed\n")
}

/// An answer of a type.
pub(super) fn page(
    status: StatusCode,
    content_type: &str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_str(content_type);
    headers.insert(
        CONTENT_TYPE,
        content_type.expect("our content types are plain ASCII"),
    );
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
        ("content-security-policy", "default-src 'none'"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
