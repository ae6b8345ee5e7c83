//! One scrape: from snapshots to the bytes that are sent.

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, VARY};
use hyper::{HeaderMap, Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::accept::{Choice, negotiate};
use super::cache::{Cache, Entry};
use super::encoding::{Encoding, SMALLEST};
use super::reply::{failed, pieces};
use super::seats::{Place, Text};
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
    /// Held until the answer is made. Sending it holds none, as clients that
    /// read nothing are not to keep out the others: the text is there once for
    /// all, and who keeps too many old ones from going away is sent away.
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
    /// that is done once, where it holds up no other connection.
    pub(super) async fn answer(self, cache: &Cache, place: Option<&Place>) -> Response<Body> {
        let place = place.map(|place| (place.clone(), cache.unread()));
        if self.is_written() {
            return self.write(place);
        }
        let turn = self.entry.turn().await;
        if self.is_written() {
            drop(turn);
            return self.write(place);
        }
        // Who hangs up does not end the writing: the turn is over when that is.
        let write = move || (self.write(place), turn);
        match tokio::task::spawn_blocking(write).await {
            Ok((response, _turn)) => response,
            Err(error) => failed(&error),
        }
    }

    fn is_written(&self) -> bool {
        self.entry.is_written(self.wishes.encoding)
    }

    fn write(self, reader: Option<(Place, usize)>) -> Response<Body> {
        let (encoding, parts) = match self.coded() {
            Ok(coded) => coded,
            Err(error) => return failed(&error),
        };
        if let Some((place, unread)) = reader {
            place.gets(Text::of(&parts[0]), unread);
        }
        drop(self.slot);
        let content_type = self.wishes.choice.content_type();
        let mut response = pieces(StatusCode::OK, &content_type, parts);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if encoding == Encoding::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    /// The coding, and the two parts of the text in it.
    fn coded(&self) -> io::Result<(Encoding, [Bytes; 2])> {
        let text = self.entry.text(&self.exposition);
        let rest = self.entry.rest(&self.exposition);
        let small = text.len() + rest.text().len() < SMALLEST;
        if small || self.wishes.encoding == Encoding::Identity {
            return Ok((Encoding::Identity, [text, rest.text()]));
        }
        let parts = self.entry.compressed(&self.exposition, &rest)?;
        Ok((Encoding::Gzip, parts))
    }
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use http_body_util::BodyExt as _;
    use jiff::Timestamp;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::metrics::Exporter;

    fn scrape(cache: &Cache) -> Scrape {
        let exporter = Exporter::alone(Timestamp::UNIX_EPOCH);
        let exposition = Exposition::new(Vec::new(), &exporter, Instant::now());
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let wishes = Wishes::of(&headers);
        Scrape {
            entry: cache.entry(&exposition, wishes.format(), 0),
            exposition,
            wishes,
            slot: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_another_compresses_gets_what_that_one_made() {
        let cache = Cache::default();
        let first = scrape(&cache);
        let turn = first.entry.turn().await;
        let mut others = Box::pin(join_all(
            (0..9).map(|_| scrape(&cache).answer(&cache, None)),
        ));
        assert!(timeout(Duration::from_secs(1), &mut others).await.is_err());
        let (_, parts) = first.coded().unwrap();
        drop(turn);
        drop(first);
        for answer in others.await {
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, parts.concat());
        }
    }
}
