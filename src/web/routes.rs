//! What is answered to which path.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tracing::error;

use super::accept::{Format, negotiate};
use super::landing;
use super::server::{Body, full};
use crate::metrics::{Exporter, Exposition, SourcePage, to_classic};

const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// What the pages are made of; cheap to clone.
#[derive(Debug, Clone)]
pub struct Site(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    telemetry_path: String,
    sources: Vec<watch::Receiver<Arc<SourcePage>>>,
    exporter: Exporter,
    scrapes: Option<Arc<Semaphore>>,
}

impl Site {
    /// A site over the snapshots of `sources`. At most `max_requests` scrapes
    /// are answered at once; 0 means any number.
    pub fn new(
        telemetry_path: &str,
        sources: Vec<watch::Receiver<Arc<SourcePage>>>,
        exporter: Exporter,
        max_requests: usize,
    ) -> Self {
        Self(Arc::new(Parts {
            telemetry_path: telemetry_path.to_owned(),
            sources,
            exporter,
            scrapes: (max_requests > 0)
                .then(|| Arc::new(Semaphore::new(max_requests.min(Semaphore::MAX_PERMITS)))),
        }))
    }

    /// The answer to a request.
    pub fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let known =
            path == self.0.telemetry_path || matches!(path, "/" | "/-/healthy" | "/-/ready");
        if !known {
            return text(StatusCode::NOT_FOUND, "Not found\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed\n");
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            path if path == self.0.telemetry_path => self.metrics(request),
            "/-/healthy" => text(StatusCode::OK, "OK\n"),
            "/-/ready" => self.ready(),
            _ => page(StatusCode::OK, HTML, landing::page(&self.0.telemetry_path)),
        }
    }

    fn snapshots(&self) -> Vec<Arc<SourcePage>> {
        let sources = self.0.sources.iter();
        sources.map(|source| Arc::clone(&source.borrow())).collect()
    }

    fn ready(&self) -> Response<Body> {
        let untried = self.snapshots().into_iter().find(|page| !page.is_tried());
        untried.map_or_else(
            || text(StatusCode::OK, "Ready\n"),
            |page| {
                let why = format!("Not ready: {} was not polled yet\n", page.name());
                text(StatusCode::SERVICE_UNAVAILABLE, why)
            },
        )
    }

    /// The snapshots for a scrape at `now`; each is marked while it is lent, so
    /// that its poller knows of it before the next one.
    fn scraped(&self, now: Instant) -> Vec<Arc<SourcePage>> {
        let mut pages = Vec::new();
        for source in &self.0.sources {
            let page = source.borrow();
            page.scraped(now);
            pages.push(Arc::clone(&page));
            drop(page);
        }
        pages
    }

    fn metrics(&self, request: &Request<Incoming>) -> Response<Body> {
        let scrapes = self.0.scrapes.as_ref();
        let Ok(slot) = scrapes
            .map(|scrapes| Arc::clone(scrapes).try_acquire_owned())
            .transpose()
        else {
            let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "Too many scrapes\n");
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return response;
        };
        let accept: Vec<_> = request
            .headers()
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let format = negotiate(Some(&accept.join(",")));
        let now = Instant::now();
        let pages = if request.method() == Method::HEAD {
            self.snapshots()
        } else {
            self.scraped(now)
        };
        let exposition = Exposition::new(pages, &self.0.exporter, now);
        let text_of = match exposition.into_open_metrics() {
            Ok(text) => text,
            Err(error) => {
                error!(%error, "the metrics cannot be encoded");
                return text(StatusCode::INTERNAL_SERVER_ERROR, "Encoding failed\n");
            }
        };
        let body = match format {
            Format::OpenMetrics(_) => text_of,
            Format::Classic => to_classic(&text_of),
        };
        let body = Bytes::from_owner(Held {
            text: body,
            _slot: slot,
        });
        let mut response = page(StatusCode::OK, &format.content_type(), body);
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        response
    }
}

/// The text of a scrape and its slot, which is free again once the text was
/// sent or given up: hyper lets go of a body before, but not of its bytes.
struct Held {
    text: String,
    _slot: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    page(status, PLAIN, body.into())
}

fn page(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Response<Body> {
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
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
