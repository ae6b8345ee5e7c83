//! What is answered to which path.

use std::sync::Arc;

use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

use super::cache::Cache;
use super::query::Query;
use super::refusal::Refusal;
use super::reply::{failed, page, text};
use super::report::Sight;
use super::scrape::{Scrape, Wishes};
use super::seats::Place;
use super::selection::Selection;
use super::server::Body;
use super::status_page::Look;
use super::view::{self, Bounds, Kind, View};
use super::{Lineup, discovery, origin};
use crate::clock::Clock;
use crate::metrics::{Exposition, SourcePage};
use crate::reload::{ReloadError, Reloader};

const JSON: &str = "application/json";
const RELOAD: &str = "/-/reload";

/// What the pages are made of; cheap to clone.
#[derive(Debug, Clone)]
pub struct Site(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    telemetry_path: String,
    lineup: watch::Receiver<Arc<Lineup>>,
    reloader: Reloader,
    clock: Clock,
    scrapes: Option<Arc<Semaphore>>,
    cache: Cache,
    views: Bounds,
}

/// What there is to do for an answer.
#[derive(Debug)]
enum Work {
    Scrape(Scrape),
    View(View),
    Done(Response<Body>),
}

impl Site {
    /// A site over the sources of a lineup, which `reloader` can change. At
    /// most `max_requests` scrapes are answered at once; 0 means any number.
    pub fn new(
        telemetry_path: &str,
        lineup: watch::Receiver<Arc<Lineup>>,
        reloader: Reloader,
        clock: Clock,
        max_requests: usize,
    ) -> Self {
        Self(Arc::new(Parts {
            telemetry_path: telemetry_path.to_owned(),
            lineup,
            reloader,
            clock,
            scrapes: (max_requests > 0)
                .then(|| Arc::new(Semaphore::new(max_requests.min(Semaphore::MAX_PERMITS)))),
            cache: Cache::default(),
            views: Bounds::default(),
        }))
    }

    /// The answer to a request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body> {
        if *request.method() == Method::POST && origin::is_foreign(request.headers()) {
            return Refusal::Foreign.into();
        }
        if request.uri().path() == RELOAD {
            let method = request.method().clone();
            drop(request);
            return self.reload(&method).await;
        }
        let work = self.work(&request);
        let place = request.extensions().get::<Place>().cloned();
        drop(request);
        match work {
            Ok(Work::Scrape(scrape)) => scrape.answer(&self.0.cache, place.as_ref()).await,
            Ok(Work::View(view)) => view.answer(&self.0.views, place.as_ref()).await,
            Ok(Work::Done(response)) => response,
            Err(refusal) => refusal.into(),
        }
    }

    /// What there is to do for a request.
    fn work<B>(&self, request: &Request<B>) -> Result<Work, Refusal> {
        let uri = request.uri();
        match uri.path() {
            path if path == self.0.telemetry_path => self.scrape(request).map(Work::Scrape),
            "/" => self.view(request, Kind::Page(Look::of(uri, &self.0.telemetry_path))),
            "/api/v1/status" => self.view(request, Kind::Status),
            "/api/v1/tasks" => self.view(request, Kind::Tasks),
            _ => self.at_once(request).map(Work::Done),
        }
    }

    /// The answer to a request that takes no time.
    fn at_once<B>(&self, request: &Request<B>) -> Result<Response<Body>, Refusal> {
        let answer: fn(&Self) -> Response<Body> = match request.uri().path() {
            "/sd" => Self::sources,
            "/-/healthy" => |_| text(StatusCode::OK, "OK\n"),
            "/-/ready" => Self::ready,
            _ => return Err(Refusal::Path),
        };
        Refusal::unless_reading(request.method())?;
        Ok(answer(self))
    }

    /// A view of the snapshots, as a request asks for it.
    fn view<B>(&self, request: &Request<B>, kind: Kind) -> Result<Work, Refusal> {
        Refusal::unless_reading(request.method())?;
        let query = Query::of(request.uri())?;
        let lineup = self.lineup();
        let pages = lineup.snapshots();
        let names: Vec<_> = pages.iter().map(|page| page.name()).collect();
        query.sources.unless_unknown(&names)?;
        Ok(Work::View(View {
            kind,
            sight: Sight::new(&lineup, query, self.0.clock.now(), Instant::now()),
            encoding: view::encoding(request.headers()),
        }))
    }

    /// Loads the configuration again, and answers once that is done.
    async fn reload(&self, method: &Method) -> Response<Body> {
        if *method != Method::POST {
            return Refusal::Method("POST").into();
        }
        match self.0.reloader.reload().await {
            Ok(()) => text(StatusCode::OK, "Reloaded\n"),
            Err(error @ ReloadError::Refused(_)) => {
                let why = format!("Not reloaded: {error}\n");
                text(StatusCode::INTERNAL_SERVER_ERROR, why)
            }
            Err(error @ ReloadError::Stopping) => {
                let why = format!("Not reloaded: {error}\n");
                text(StatusCode::SERVICE_UNAVAILABLE, why)
            }
        }
    }

    fn lineup(&self) -> Arc<Lineup> {
        Arc::clone(&self.0.lineup.borrow())
    }

    fn sources(&self) -> Response<Body> {
        match discovery::document(&self.lineup().snapshots()) {
            Ok(document) => page(StatusCode::OK, JSON, document),
            Err(error) => failed(&error),
        }
    }

    fn ready(&self) -> Response<Body> {
        self.lineup().untried().map_or_else(
            || text(StatusCode::OK, "Ready\n"),
            |page| {
                let why = format!("Not ready: {} was not polled yet\n", page.name());
                text(StatusCode::SERVICE_UNAVAILABLE, why)
            },
        )
    }

    /// The scrape that a request asks for.
    fn scrape<B>(&self, request: &Request<B>) -> Result<Scrape, Refusal> {
        Refusal::unless_reading(request.method())?;
        let selection = Selection::of(request.uri());
        // Held to the end: whoever takes a source out of it knows after that
        // what was shown of it.
        let lineup = self.0.lineup.borrow();
        let mut pages = lineup.snapshots();
        let names: Vec<_> = pages.iter().map(|page| page.name()).collect();
        selection.unless_unknown(&names)?;
        let slot = self.slot()?;
        let now = Instant::now();
        if request.method() == Method::HEAD {
            pages.retain(|page| selection.has(page.name()));
        } else {
            pages = scraped(&lineup, &selection, now);
        }
        let exposition = match selection {
            Selection::All => Exposition::new(pages, &lineup.exporter, now),
            Selection::Sources(_) => Exposition::of_sources(pages, now),
        };
        let sources = lineup.sources.len();
        drop(lineup);
        let wishes = Wishes::of(request.headers());
        let entry = self.0.cache.entry(&exposition, wishes.format(), sources);
        Ok(Scrape {
            exposition,
            entry,
            wishes,
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

/// The snapshots for a scrape at `now`; each is marked while it is lent, so
/// that its poller knows of it before the next one.
fn scraped(lineup: &Lineup, selection: &Selection, now: Instant) -> Vec<Arc<SourcePage>> {
    let mut pages = Vec::new();
    for source in &lineup.sources {
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

#[cfg(test)]
mod tests {
    use hyper::header::RETRY_AFTER;

    use super::*;
    use crate::metrics::Exporter;
    use crate::reload;

    fn site(max_requests: usize) -> Site {
        let clock = Clock::system();
        let lineup = Lineup {
            sources: Vec::new(),
            exporter: Exporter::alone(clock.now()),
            was_ready: true,
        };
        let (_sender, lineup) = watch::channel(Arc::new(lineup));
        let (reloader, _requests) = reload::channel();
        Site::new("/metrics", lineup, reloader, clock, max_requests)
    }

    async fn get(site: &Site, path: &str) -> Response<Body> {
        let request = Request::builder().uri(path).body(()).unwrap();
        site.answer(request).await
    }

    #[tokio::test]
    async fn scrapes_beyond_the_limit_are_told_to_come_again() {
        let site = site(2);
        let slots = [site.slot().unwrap(), site.slot().unwrap()];
        let refused = get(&site, "/metrics").await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
        // Only scrapes are limited.
        assert_eq!(get(&site, "/-/healthy").await.status(), 200);
        assert_eq!(get(&site, "/").await.status(), 200);
        drop(slots);
        for _ in 0..3 {
            assert_eq!(get(&site, "/metrics").await.status(), 200);
        }
    }

    #[tokio::test]
    async fn a_page_of_another_site_can_change_nothing() {
        let site = site(0);
        for path in [RELOAD, "/metrics", "/nowhere"] {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("origin", "http://evil.example"),
            ] {
                let request = Request::post(path).header("host", "a.example");
                let request = request.header(name, value).body(()).unwrap();
                assert_eq!(site.answer(request).await.status(), 403, "{name} {path}");
                let request = Request::get("/metrics").header("host", "a.example");
                let request = request.header(name, value).body(()).unwrap();
                assert_eq!(site.answer(request).await.status(), 200);
            }
        }
        // Nobody takes in the reload of this site.
        let request = Request::post(RELOAD).header("host", "a.example").body(());
        assert_eq!(site.answer(request.unwrap()).await.status(), 503);
    }

    #[tokio::test]
    async fn a_limit_of_0_is_none() {
        let site = site(0);
        assert!(site.slot().unwrap().is_none());
        assert_eq!(get(&site, "/metrics").await.status(), 200);
    }
}
