//! VMware Cloud Foundation's SDDC Manager, 4.4 to 9.x, and the VCF Installer 9.
//!
//! It sends `POST /v1/tokens` to log in, and nothing but `GET` besides. Never
//! `/v1/credentials/tasks`: its sub-tasks carry passwords.

mod newest;
mod order;
mod pages;
mod restores;
mod retry;
mod session;
mod wire;
mod words;

use std::borrow::Cow;

use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use tracing::debug;
use url::Url;

use newest::Ordered;
use order::Order;
pub use retry::retry_call;

use pages::{Next, PAGE_SIZE, Pages, Seen};
use session::Session;
use wire::{Page, Reader};

use super::rest::{Answer, ClientError, LISTING_LIMIT, PAGE_LIMIT, Request, RestClient, Traffic};
use super::{Found, Reason, Source, SourceError};
use crate::clock::Clock;
use crate::config::{HttpConfig, RestoresAuth, SddcManagerConfig};
use crate::task::{
    Call, Extent, Listing, Memory, Operations, Skipped, Task, TimeFrame, is_plain_id,
};

const LIST: &str = "/v1/tasks";
const BY_ID: &str = "/v1/tasks/{id}";

/// The part of the listing that `GET /v1/tasks` gives; each restore id is one more.
const PART: &str = "tasks";

/// One SDDC Manager.
#[derive(Debug)]
pub struct SddcManager {
    rest: RestClient,
    session: Session,
    operations: Operations,
    restores: Vec<String>,
    restores_auth: RestoresAuth,
    /// Whether a login was already repeated in this poll.
    renewed: bool,
    /// Whether the server refused to be asked for an order.
    unordered: bool,
    /// Where a full poll gave way.
    place: Option<Place>,
    /// That a full poll has shown the list to be in order.
    ordered: Option<Ordered>,
    basic_rests_until: Option<Instant>,
    /// Whether the listings are for a reader of all tasks.
    settled: bool,
}

/// How far a full poll has come.
#[derive(Debug, Default)]
struct Place {
    pages: Pages,
    /// The page to ask for; without one the first.
    number: Option<i64>,
    order: Order,
    /// Whether an answer held more than a page.
    unpaged: bool,
}

impl Place {
    /// That the newest tasks can be read alone, if what was read shows it.
    fn ordered(&self) -> Option<Ordered> {
        let ordered = self.order.is_kept() && !self.unpaged;
        ordered.then(|| Ordered {
            total: self.pages.total(),
        })
    }
}

impl SddcManager {
    /// The SDDC Manager at `url`. Nothing is sent yet.
    pub fn new(
        url: Url,
        http: &HttpConfig,
        config: &SddcManagerConfig,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            rest: RestClient::new(url, http, clock)?,
            session: Session::new(config.login.clone()),
            operations: Operations::new(config.operation_rules.clone()),
            restores: config.restores.clone(),
            restores_auth: config.restores_auth,
            renewed: false,
            unordered: false,
            place: None,
            ordered: None,
            basic_rests_until: None,
            settled: false,
        })
    }

    /// Reads `GET /v1/tasks` page by page; false if it gave way at `until`.
    async fn read_list(
        &mut self,
        listing: &mut Listing,
        until: Option<Instant>,
    ) -> Result<bool, SourceError> {
        // A reading that fails or is dropped loses its place.
        let mut place = self.place.take().unwrap_or_default();
        loop {
            let limit = if place.number.is_none() {
                LISTING_LIMIT
            } else {
                PAGE_LIMIT
            };
            let answer = self.page(place.number, limit).await?;
            let seen = self.take_page(&answer, listing, &mut place)?;
            self.rest.count_page();
            match place.pages.answered(seen) {
                Next::Ask(next) => place.number = next,
                Next::End { whole } => {
                    listing.read(PART, whole);
                    self.ordered = place.ordered().filter(|_| whole);
                    return Ok(true);
                }
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                self.place = Some(place);
                return Ok(false);
            }
        }
    }

    /// One page, newest tasks first if the server knows how.
    async fn page(&mut self, number: Option<i64>, limit: usize) -> Result<Answer, SourceError> {
        let query = self.query(number);
        let answer = self.get(LIST, LIST, &query, limit).await?;
        // The values that orderBy takes are not documented; a server may refuse ours.
        let refused = matches!(
            answer.status,
            StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR
        );
        if !refused || self.unordered || number.is_some() {
            return answer.success();
        }
        let query: Vec<_> = query
            .into_iter()
            .filter(|(key, _)| !key.starts_with("order"))
            .collect();
        let plain = self.get(LIST, LIST, &query, limit).await?.success()?;
        debug!("the server refuses to order its tasks");
        self.unordered = true;
        Ok(plain)
    }

    fn query(&self, number: Option<i64>) -> Vec<(&'static str, String)> {
        let mut query = vec![("pageSize", PAGE_SIZE.to_string())];
        if !self.unordered {
            query.push(("orderBy", "creationTimestamp".to_owned()));
            query.push(("orderDirection", "DESC".to_owned()));
        }
        if let Some(number) = number {
            query.push(("pageNumber", number.to_string()));
        }
        query
    }

    /// Reads the tasks of a page into the listing.
    fn take_page(
        &self,
        answer: &Answer,
        listing: &mut Listing,
        place: &mut Place,
    ) -> Result<Seen, SourceError> {
        let (reader, body) = (self.reader(), text(answer));
        let page = Self::parse(&body)?;
        let mut seen = Seen::of(&page);
        place.unpaged |= seen.elements > PAGE_SIZE;
        let first_pass = place.pages.is_first_pass();
        for element in &page.elements {
            match reader.task(element.get(), None) {
                Ok(task) => {
                    let created = task.started;
                    let new = listing.meet(PART, Call::List, task);
                    seen.new += usize::from(new);
                    if new && first_pass {
                        place.order.take(created);
                    }
                }
                Err(reason) => {
                    seen.skipped += 1;
                    if first_pass {
                        listing.skip(reason);
                    }
                }
            }
        }
        Ok(seen)
    }

    fn parse(body: &str) -> Result<Page<'_>, SourceError> {
        serde_json::from_str(body).map_err(|error| {
            // The parser's own words could quote the answer.
            let (line, column) = (error.line(), error.column());
            let kind = error.classify();
            let detail = format!("the page is no list of tasks: {kind:?} error at {line}:{column}");
            SourceError::new(Reason::Decode, LIST, detail)
        })
    }

    /// The one task in an answer.
    fn one(&self, answer: Answer, endpoint: &'static str, id: &str) -> Result<Task, SourceError> {
        let answer = answer.success()?;
        let body = String::from_utf8_lossy(&answer.body);
        let unreadable = |reason: Skipped| {
            let detail = format!("the answer is no task: {}", reason.reason());
            SourceError::new(Reason::Decode, endpoint, detail)
        };
        let task = self.reader().task(&body, Some(id)).map_err(unreadable)?;
        if task.id != id {
            let detail = "the answer is another task than the one asked for";
            return Err(SourceError::new(Reason::Protocol, endpoint, detail));
        }
        Ok(task)
    }

    /// Sends a `GET` with the session's token; a rejected token is replaced
    /// once a poll.
    async fn get(
        &mut self,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, String)],
        limit: usize,
    ) -> Result<Answer, SourceError> {
        let authorization = self.session.authorization(&mut self.rest).await?;
        let answer = self
            .send(endpoint, path, query, (authorization, limit))
            .await?;
        if !is_rejection(answer.status) || self.renewed {
            return Ok(answer);
        }
        self.renewed = true;
        self.session.forget();
        let authorization = self.session.authorization(&mut self.rest).await?;
        self.send(endpoint, path, query, (authorization, limit))
            .await
    }

    async fn send(
        &mut self,
        endpoint: &'static str,
        path: &str,
        query: &[(&str, String)],
        (authorization, limit): (HeaderValue, usize),
    ) -> Result<Answer, SourceError> {
        let request = Request {
            endpoint,
            method: Method::GET,
            path,
            query,
            headers: vec![(AUTHORIZATION, authorization)],
            body: None,
            limit,
        };
        self.rest.send(request).await
    }

    /// Takes in why the list could not be read.
    fn refused(&mut self, mut error: SourceError) -> SourceError {
        if error.reason == Reason::Unauthorized {
            // The next poll shall not start with a token that was refused.
            self.session.forget();
            error.login_rejected |= self.session.is_fixed_token();
        }
        error
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            operations: &self.operations,
            frame: TimeFrame::new(self.rest.source_now()),
        }
    }
}

impl Source for SddcManager {
    async fn read(&mut self) -> Result<Listing, SourceError> {
        let mut listing = Listing::new();
        self.read_on(&mut listing, None).await?;
        Ok(listing)
    }

    async fn read_on(
        &mut self,
        listing: &mut Listing,
        until: Option<Instant>,
    ) -> Result<bool, SourceError> {
        self.renewed = false;
        if self.place.is_none() {
            *listing = Listing::keeping(self.settled);
        }
        let ended = self.read_list(listing, until).await;
        let ended = ended.map_err(|error| self.refused(error))?;
        if ended {
            self.read_restores(listing, Extent::Whole).await;
        }
        Ok(ended)
    }

    fn keep_settled(&mut self) {
        self.settled = true;
    }

    fn keeps_order(&self) -> bool {
        self.ordered.is_some()
    }

    async fn read_newest(&mut self, memory: &impl Memory) -> Result<Option<Listing>, SourceError> {
        self.renewed = false;
        let newest = self.read_newest_list(memory).await;
        let newest = newest.map_err(|error| self.refused(error))?;
        let Some((mut listing, extent)) = newest else {
            return Ok(None);
        };
        self.read_restores(&mut listing, extent).await;
        Ok(Some(listing))
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        let answer = self.page(None, LISTING_LIMIT).await?;
        self.take_page(&answer, &mut Listing::new(), &mut Place::default())
            .map(drop)
    }

    async fn find(&mut self, _part: &str, id: &str) -> Result<Found, SourceError> {
        if !is_plain_id(id) {
            return Ok(Found::NotAskable);
        }
        let path = format!("/v1/tasks/{id}");
        let answer = self.get(BY_ID, &path, &[], PAGE_LIMIT).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Found::Nothing);
        }
        let task = self.one(answer, BY_ID, id)?;
        Ok(Some(task).into())
    }

    fn has_part(&self, part: &str) -> bool {
        part == PART || self.restores.iter().any(|id| restores::part(id) == part)
    }

    fn traffic(&self) -> &Traffic {
        self.rest.traffic()
    }

    fn clock_skew(&self) -> Option<SignedDuration> {
        self.rest.clock_skew()
    }
}

fn text(answer: &Answer) -> Cow<'_, str> {
    String::from_utf8_lossy(&answer.body)
}

fn is_rejection(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
