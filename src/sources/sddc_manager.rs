//! VMware Cloud Foundation's SDDC Manager, 4.4 to 9.x, and the VCF Installer 9.
//!
//! It sends `POST /v1/tokens` to log in, and nothing but `GET` besides. Never
//! `/v1/credentials/tasks`: its sub-tasks carry passwords.

mod pages;
mod restores;
mod retry;
mod session;
mod wire;
mod words;

use jiff::SignedDuration;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use tracing::debug;
use url::Url;

pub use retry::retry_call;

use pages::{Next, PAGE_SIZE, Pages, Seen};
use session::Session;
use wire::{Page, Reader};

use super::rest::{Answer, ClientError, LISTING_LIMIT, PAGE_LIMIT, Request, RestClient, Traffic};
use super::{Reason, Source, SourceError};
use crate::clock::Clock;
use crate::config::{HttpConfig, RestoresAuth, SddcManagerConfig};
use crate::task::{Call, Listing, Operations, Skipped, Task, TimeFrame, is_plain_id};

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
    basic_rests_until: Option<Instant>,
    /// Whether the listings are for a reader of all tasks.
    settled: bool,
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
            basic_rests_until: None,
            settled: false,
        })
    }

    /// Reads `GET /v1/tasks` page by page.
    async fn read_list(&mut self, listing: &mut Listing) -> Result<(), SourceError> {
        let mut pages = Pages::default();
        let mut number = None;
        loop {
            let limit = if number.is_none() {
                LISTING_LIMIT
            } else {
                PAGE_LIMIT
            };
            let answer = self.page(number, limit).await?;
            let count_skipped = pages.is_first_pass();
            let seen = self.take_page(&answer, listing, count_skipped)?;
            self.rest.count_page();
            match pages.answered(seen) {
                Next::Ask(next) => number = next,
                Next::End { whole } => {
                    listing.read(PART, whole);
                    return Ok(());
                }
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
        count_skipped: bool,
    ) -> Result<Seen, SourceError> {
        let body = String::from_utf8_lossy(&answer.body);
        let unreadable = |error: serde_json::Error| {
            // The parser's own words could quote the answer.
            let (line, column) = (error.line(), error.column());
            let kind = error.classify();
            let detail = format!("the page is no list of tasks: {kind:?} error at {line}:{column}");
            SourceError::new(Reason::Decode, LIST, detail)
        };
        let page: Page<'_> = serde_json::from_str(&body).map_err(unreadable)?;
        let reader = self.reader();
        let mut seen = Seen {
            elements: page.elements.len(),
            metadata: page.metadata(),
            ..Seen::default()
        };
        for element in &page.elements {
            match reader.task(element.get(), None) {
                Ok(task) => seen.new += usize::from(listing.meet(PART, Call::List, task)),
                Err(reason) => {
                    seen.skipped += 1;
                    if count_skipped {
                        listing.skip(reason);
                    }
                }
            }
        }
        Ok(seen)
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

    fn reader(&self) -> Reader<'_> {
        Reader {
            operations: &self.operations,
            frame: TimeFrame::new(self.rest.source_now()),
        }
    }
}

impl Source for SddcManager {
    async fn read(&mut self) -> Result<Listing, SourceError> {
        self.renewed = false;
        let mut listing = Listing::keeping(self.settled);
        if let Err(mut error) = self.read_list(&mut listing).await {
            if error.reason == Reason::Unauthorized {
                // The next poll shall not start with a token that was refused.
                self.session.forget();
                error.login_rejected |= self.session.is_fixed_token();
            }
            return Err(error);
        }
        self.read_restores(&mut listing).await;
        Ok(listing)
    }

    fn keep_settled(&mut self) {
        self.settled = true;
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        let answer = self.page(None, LISTING_LIMIT).await?;
        self.take_page(&answer, &mut Listing::new(), true).map(drop)
    }

    async fn find(&mut self, _part: &str, id: &str) -> Result<Option<Task>, SourceError> {
        if !is_plain_id(id) {
            return Ok(None);
        }
        let path = format!("/v1/tasks/{id}");
        let answer = self.get(BY_ID, &path, &[], PAGE_LIMIT).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.one(answer, BY_ID, id).map(Some)
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

fn is_rejection(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
