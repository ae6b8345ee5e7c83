//! What is answered to which path.

use std::sync::Arc;

use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use super::refusal::Refusal;
use super::reply::{failed, page, text};
use super::scrape::{Scrape, Wishes};
use super::selection::Selection;
use super::server::Body;
use super::{discovery, landing};
use crate::metrics::{Exporter, Exposition, SourcePage};

const JSON: &str = "application/json";
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
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body> {
        if request.uri().path() != self.0.telemetry_path {
            return self.at_once(&request).unwrap_or_else(Response::from);
        }
        let scrape = self.scrape(&request);
        drop(request);
        match scrape {
            Ok(scrape) => scrape.answer().await,
            Err(refusal) => refusal.into(),
        }
    }

    /// The answer to a request for anything but the metrics.
    fn at_once<B>(&self, request: &Request<B>) -> Result<Response<Body>, Refusal> {
        let answer: fn(&Self) -> Response<Body> = match request.uri().path() {
            "/" => Self::landing,
            "/sd" => Self::sources,
            "/-/healthy" => |_| text(StatusCode::OK, "OK\n"),
            "/-/ready" => Self::ready,
            _ => return Err(Refusal::Path),
        };
        Refusal::unless_reading(request.method())?;
        Ok(answer(self))
    }

    fn landing(&self) -> Response<Body> {
        page(StatusCode::OK, HTML, landing::page(&self.0.telemetry_path))
    }

    fn snapshots(&self) -> Vec<Arc<SourcePage>> {
        let sources = self.0.sources.iter();
        sources.map(|source| Arc::clone(&source.borrow())).collect()
    }

    fn sources(&self) -> Response<Body> {
        match discovery::document(&self.snapshots()) {
            Ok(document) => page(StatusCode::OK, JSON, document),
            Err(error) => failed(&error),
        }
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
    fn scraped(&self, selection: &Selection, now: Instant) -> Vec<Arc<SourcePage>> {
        let mut pages = Vec::new();
        for source in &self.0.sources {
            let page = source.borrow();
            if !selection.has(page.name()) {
                continue;
            }
            page.scraped(now);
            pages.push(Arc::clone(&page));
            drop(page);
        }
        pages
    }

    /// The scrape that a request asks for.
    fn scrape<B>(&self, request: &Request<B>) -> Result<Scrape, Refusal> {
        Refusal::unless_reading(request.method())?;
        let selection = Selection::of(request.uri());
        let mut pages = self.snapshots();
        let names: Vec<_> = pages.iter().map(|page| page.name()).collect();
        selection.unless_unknown(&names)?;
        let slot = self.slot()?;
        let now = Instant::now();
        if request.method() == Method::HEAD {
            pages.retain(|page| selection.has(page.name()));
        } else {
            pages = self.scraped(&selection, now);
        }
        let exposition = match selection {
            Selection::All => Exposition::new(pages, &self.0.exporter, now),
            Selection::Sources(_) => Exposition::of_sources(pages, now),
        };
        Ok(Scrape {
            exposition,
            wishes: Wishes::of(request.headers()),
            slot,
        })
    }

    /// A slot for a scrape, where they are limited.
    fn slot(&self) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        let Some(scrapes) = &self.0.scrapes else {
            return Ok(None);
        };
        let slot = Arc::clone(scrapes).try_acquire_owned();
        slot.map(Some).map_err(|_none_free| Refusal::Busy)
    }
}
