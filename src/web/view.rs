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
use super::queue::Queue;
use super::refusal::Refusal;
use super::reply::{failed, page};
use super::report::Sight;
use super::scrape::joined;
use super::seats::Place;
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
    written: Queue,
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
            written: Queue::new(AT_ONCE),
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
    /// much is asked for or unread already.
    pub(super) async fn answer(self, bounds: &Bounds, place: Option<&Place>) -> Response<Body> {
        let unread = Arc::clone(&bounds.unread);
        let turn = match bounds.written.take(place).await {
            Ok(turn) => turn,
            Err(refusal) => return refusal.into(),
        };
        // Who hangs up does not end the writing: the turn is over when that is.
        let write = move || (self.write(&unread), turn);
        match tokio::task::spawn_blocking(write).await {
            Ok((response, _turn)) => response,
            Err(error) => failed(&error),
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot;
    use tokio::time::{Instant, timeout};

    use super::super::Lineup;
    use super::super::query::Query;
    use super::*;
    use crate::clock::Clock;
    use crate::metrics::Exporter;

    fn view() -> View {
        let now = Clock::system().now();
        let lineup = Lineup {
            sources: Vec::new(),
            exporter: Exporter::alone(now),
            was_ready: true,
        };
        let query = Query::of(&"/api/v1/tasks".parse().unwrap()).unwrap();
        View {
            kind: Kind::Tasks,
            sight: Sight::new(&lineup, query, now, Instant::now()),
            encoding: Encoding::Identity,
        }
    }

    #[test]
    fn who_hangs_up_while_his_view_is_written_makes_no_room_for_another() {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build();
        runtime.unwrap().block_on(async {
            let (go_on, held) = oneshot::channel::<()>();
            let holding = tokio::task::spawn_blocking(move || drop(held.blocking_recv()));
            let bounds = Bounds::default();
            for _ in 0..AT_ONCE {
                let asked = view().answer(&bounds, None);
                assert!(timeout(Duration::from_millis(1), asked).await.is_err());
            }
            // They have yet to be written, although nobody waits for them.
            let mut next = Box::pin(bounds.written.take(None));
            assert!(timeout(Duration::from_millis(1), &mut next).await.is_err());
            drop(go_on);
            holding.await.unwrap();
            assert!(next.await.is_ok());
            let answered = view().answer(&bounds, None).await;
            assert_eq!(answered.status(), StatusCode::OK);
        });
    }
}
