//! An answer, and the ways it travels.

use std::io::{self, Write as _};
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::json;

use crate::web::server::{Body, full};

/// An answer before it travels.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// How long the head waits.
    pub(super) pause: Duration,
    pub(super) delivery: Delivery,
}

/// How the body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    /// Half of it, then the connection ends.
    Cut,
    /// In pieces with pauses.
    Slow {
        piece: usize,
        pause: Duration,
    },
    /// Elements without end, instead of the body.
    Endless {
        start: &'static str,
        element: &'static str,
    },
    /// Blanks without end, packed well.
    GzipBomb,
    /// Nothing at all, not even a head.
    Dropped,
}

impl Reply {
    /// An answer without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            pause: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }

    /// An answer of JSON.
    pub(super) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status)
        }
        .header(CONTENT_TYPE.as_str(), "application/json")
    }

    /// The API's flat error body.
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"errorCode": code, "message": message});
        Self::json(status, body.to_string())
    }

    /// An error that says no more than its code does.
    pub(super) fn plain_error(status: u16) -> Self {
        match status {
            401 => Self::error(status, "Unauthorized", "Authentication failed"),
            403 => Self::error(status, "Forbidden", "Access denied"),
            429 => Self::error(status, "TOO_MANY_REQUESTS", "Too many requests"),
            status => Self::error(status, "INTERNAL_ERROR", "The service is not well"),
        }
    }

    /// A page of HTML, as the front proxy writes them.
    pub(super) fn html(status: u16) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n\
             <body><center><h1>{status}</h1></center><hr><center>nginx</center></body>\r\n</html>\r\n"
        );
        Self {
            body: body.into_bytes(),
            ..Self::empty(status)
        }
        .header(CONTENT_TYPE.as_str(), "text/html")
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Sends it off.
    pub(super) async fn into_response(self) -> Response<Body> {
        if !self.pause.is_zero() {
            tokio::time::sleep(self.pause).await;
        }
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        let length = self.body.len();
        let body = match self.delivery {
            Delivery::Whole => full(self.body),
            Delivery::Slow { piece, pause } => streamed(slow(self.body, piece, pause)),
            Delivery::Endless { start, element } => streamed(endless(start, element)),
            Delivery::Cut => {
                response = response.header(CONTENT_LENGTH, length.max(2));
                streamed(cut(self.body))
            }
            Delivery::GzipBomb => {
                response = response.header(CONTENT_ENCODING, "gzip");
                streamed(bomb())
            }
            // An error before the first byte makes the server close without a head.
            Delivery::Dropped => streamed(stream::iter([Err(broken())])),
        };
        response
            .body(body)
            .expect("codes and headers are ones of the simulator's own")
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "an injected fault")
}

fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
}

/// Half of the body, then the end of the connection.
fn cut(body: Vec<u8>) -> impl Stream<Item = io::Result<Bytes>> {
    let half = Bytes::from(body);
    let half = half.slice(..half.len() / 2);
    let broken = stream::once(async {
        // The server writes out what it has when nothing more is ready.
        tokio::task::yield_now().await;
        Err(broken())
    });
    stream::iter([Ok(half)]).chain(broken)
}

/// The body in pieces, with a pause before each.
fn slow(body: Vec<u8>, piece: usize, pause: Duration) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Bytes::from(body), move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(piece.clamp(1, rest.len()));
        Some((Ok(next), rest))
    })
}

/// A list of tasks without end.
fn endless(start: &'static str, element: &str) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let piece = Bytes::from(element.repeat(512));
    stream::iter([Ok(Bytes::from_static(start.as_bytes()))])
        .chain(stream::repeat_with(move || Ok(piece.clone())))
}

/// Packed blanks, again and again; the end of the gzip file never comes.
fn bomb() -> impl Stream<Item = io::Result<Bytes>> {
    /// The header of a gzip file, in bytes.
    const HEADER: usize = 10;
    static BLANKS: LazyLock<Bytes> = LazyLock::new(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let written = packed.write_all(&[b' '; 256 * 1024]);
        let flushed = written.and_then(|()| packed.flush());
        flushed.expect("a vector takes every byte");
        packed.get_ref().clone().into()
    });
    let blanks = BLANKS.slice(HEADER..);
    stream::iter([Ok(BLANKS.slice(..HEADER))])
        .chain(stream::repeat_with(move || Ok(blanks.clone())))
}
