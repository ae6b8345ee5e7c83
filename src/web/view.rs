//! The status page and its JSON: from snapshots to the bytes that are sent.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderValue, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::encoding::Encoding;
use super::refusal::Refusal;
use super::reply::{failed, page};
use super::report::Sight;
use super::scrape::joined;
use super::server::Body;
use super::status_page::{self, Look};
use crate::visible;

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

/// What of the snapshots is shown.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// The page for people.
    Page(Look),
    /// How the sources do, as JSON.
    Status,
    /// The open tasks, as JSON.
    Tasks,
}

/// Views that are written at once.
const AT_ONCE: usize = 2;

/// KiB of views that clients have yet to read.
const UNREAD: usize = 64 * 1024;

/// How many views there may be, each of which is a text of its own.
#[derive(Debug)]
pub(super) struct Bounds {
    written: Semaphore,
    unread: Arc<Semaphore>,
}

/// A view that is to be answered.
#[derive(Debug)]
pub(super) struct View {
    pub(super) kind: Kind,
    pub(super) sight: Sight,
    pub(super) encoding: Encoding,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            written: Semaphore::new(AT_ONCE),
            unread: Arc::new(Semaphore::new(UNREAD)),
        }
    }
}

/// The bytes of a view, and their share of what may be unread: hyper lets go of
/// a body before they were sent, but not of its bytes.
struct Unread {
    bytes: Vec<u8>,
    _share: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The coding that a client takes.
pub(super) fn encoding(headers: &HeaderMap) -> Encoding {
    Encoding::negotiate(&joined(headers, &ACCEPT_ENCODING))
}

impl View {
    /// The answer, written where it holds up no other connection, unless too
    /// much is unread already.
    pub(super) async fn answer(self, bounds: &Bounds) -> Response<Body> {
        let unread = Arc::clone(&bounds.unread);
        let turn = bounds.written.acquire().await;
        let made = tokio::task::spawn_blocking(move || self.write(&unread)).await;
        drop(turn);
        made.unwrap_or_else(|error| failed(&error))
    }

    fn write(self, unread: &Arc<Semaphore>) -> Response<Body> {
        let written = match &self.kind {
            Kind::Page(look) => status_page::write(&self.sight, look).map_err(Box::from),
            Kind::Status => json(&self.sight.status()),
            Kind::Tasks => json(&self.sight.tasks()),
        };
        let text = match written {
            Ok(text) => text,
            Err(error) => return failed(&*error),
        };
        let (encoding, bytes) = match self.encoding.apply(text) {
            Ok(coded) => coded,
            Err(error) => return failed(&error),
        };
        let size = u32::try_from(bytes.len() / 1024 + 1).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(unread).try_acquire_many_owned(size) else {
            return Refusal::Busy.into();
        };
        let bytes = Bytes::from_owner(Unread {
            bytes,
            _share: share,
        });
        let is_page = matches!(self.kind, Kind::Page(_));
        let content_type = if is_page { HTML } else { JSON };
        let mut response = page(StatusCode::OK, content_type, bytes);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if encoding == Encoding::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if is_page {
            headers.insert(CONTENT_SECURITY_POLICY, status_page::policy());
        }
        response
    }
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A document on one line, in which no character acts on a terminal.
fn json(document: &impl Serialize) -> Result<String, Fault> {
    let text = serde_json::to_string(document)?;
    Ok(format!("{}\n", visible::escape(&text)))
}
