//! The status page and its JSON: from snapshots to the bytes that are sent.

use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderValue, VARY,
};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use super::encoding::Encoding;
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

/// A view that is to be answered.
#[derive(Debug)]
pub(super) struct View {
    pub(super) kind: Kind,
    pub(super) sight: Sight,
    pub(super) encoding: Encoding,
}

/// The coding that a client takes.
pub(super) fn encoding(headers: &HeaderMap) -> Encoding {
    Encoding::negotiate(&joined(headers, &ACCEPT_ENCODING))
}

impl View {
    /// The answer, written where it holds up no other connection.
    pub(super) async fn answer(self) -> Response<Body> {
        let made = tokio::task::spawn_blocking(move || self.write()).await;
        made.unwrap_or_else(|error| failed(&error))
    }

    fn write(self) -> Response<Body> {
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
