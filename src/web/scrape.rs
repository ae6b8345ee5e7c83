//! One scrape: from snapshots to the bytes that are sent.

use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, VARY};
use hyper::{HeaderMap, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::accept::{Choice, Format, negotiate};
use super::encoding::Encoding;
use super::reply::{failed, page};
use super::server::Body;
use crate::metrics::{Exposition, to_classic};

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
        let made = tokio::task::spawn_blocking(move || self.write()).await;
        made.unwrap_or_else(|error| failed(&error))
    }

    fn write(self) -> Response<Body> {
        let Wishes { choice, encoding } = self.wishes;
        let written = self.exposition.into_open_metrics().map(|open| {
            let text = match choice.format {
                Format::OpenMetrics(_) => open,
                Format::Classic => to_classic(&open),
            };
            encoding.apply(text)
        });
        let (encoding, bytes) = match written {
            Ok(Ok(coded)) => coded,
            Ok(Err(error)) => return failed(&error),
            Err(error) => return failed(&error),
        };
        let body = Bytes::from_owner(Held {
            bytes,
            _slot: self.slot,
        });
        let mut response = page(StatusCode::OK, &choice.content_type(), body);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if encoding == Encoding::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
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
