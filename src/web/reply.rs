//! Whole answers, with the headers that all of them have.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
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
    let length = body.len();
    whole(status, content_type, full(body), length)
}

/// An answer of a type, in pieces that are sent one after the other.
pub(super) fn pieces<const N: usize>(
    status: StatusCode,
    content_type: &str,
    pieces: [Bytes; N],
) -> Response<Body> {
    let length = pieces.iter().map(Bytes::len).sum();
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
    whole(status, content_type, body, length)
}

fn whole(status: StatusCode, content_type: &str, body: Body, length: usize) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_str(content_type);
    headers.insert(
        CONTENT_TYPE,
        content_type.expect("our content types are plain ASCII"),
    );
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
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
