//! One scrape: from snapshots to the bytes that are sent.

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, VARY};
use hyper::{HeaderMap, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::accept::{Choice, negotiate};
use super::cache::Entry;
use super::encoding::{Encoding, SMALLEST};
use super::reply::{failed, pieces};
use super::server::Body;
use crate::metrics::{Exposition, TextFormat};

/// What the client of a scrape takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes {
    choice: Choice,
    encoding: Encoding,
}

/// A scrape that is to be answered.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) exposition: Exposition,
    /// What was written of it before.
    pub(super) entry: Arc<Entry>,
    pub(super) wishes: Wishes,
    /// Held until the answer was sent.
    pub(super) slot: Option<OwnedSemaphorePermit>,
}

impl Wishes {
    /// What the headers of a request ask for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            choice: negotiate(&joined(headers, &ACCEPT)),
            encoding: Encoding::negotiate(&joined(headers, &ACCEPT_ENCODING)),
        }
    }
}

impl Wishes {
    /// The format of the answer.
    pub(super) fn format(&self) -> TextFormat {
        self.choice.format.text_format()
    }
}

/// A header that may stand several times.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values = headers.get_all(name).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

impl Scrape {
    /// The answer. A large page takes its time to write and to compress, so
    /// that is done where it holds up no other connection.
    pub(super) async fn answer(self) -> Response<Body> {
        if self.entry.is_written(self.wishes.encoding) {
            return self.write();
        }
        let made = tokio::task::spawn_blocking(move || self.write()).await;
        made.unwrap_or_else(|error| failed(&error))
    }

    fn write(self) -> Response<Body> {
        let (encoding, beginning, end) = match self.coded() {
            Ok(coded) => coded,
            Err(error) => return failed(&error),
        };
        let end = Bytes::from_owner(Held {
            bytes: end,
            _slot: self.slot,
        });
        let content_type = self.wishes.choice.content_type();
        let mut response = pieces(StatusCode::OK, &content_type, [beginning, end]);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if encoding == Encoding::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// The coding, and the two parts of the text in it.
    fn coded(&self) -> io::Result<(Encoding, Bytes, Vec<u8>)> {
        let text = self.entry.text(&self.exposition);
        let rest = self.exposition.of_the_exporter(self.wishes.format());
        let small = text.len() + rest.len() < SMALLEST;
        if small || self.wishes.encoding == Encoding::Identity {
            return Ok((Encoding::Identity, text, rest.into_bytes()));
        }
        let compressed = self.entry.compressed(&self.exposition)?;
        let (beginning, end) = compressed.ended(rest.as_bytes())?;
        Ok((Encoding::Gzip, beginning, end))
    }
}

/// The bytes of a scrape and its slot, which is free again once they were sent
/// or given up: hyper lets go of a body before, but not of its bytes.
struct Held {
    bytes: Vec<u8>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
