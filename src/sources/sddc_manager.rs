//! VMware Cloud Foundation's SDDC Manager, 4.4 to 9.x, and the VCF Installer 9.
//!
//! It sends `POST /v1/tokens` to log in, and nothing but `GET` besides. Never
//! `/v1/credentials/tasks`: its sub-tasks carry passwords.

mod list;
mod newest;
mod order;
mod page;
mod pages;
mod restores;
mod retry;
mod session;
mod wire;
mod words;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use list::Place;
use newest::Ordered;
use page::Page;
pub use retry::retry_call;
use session::Session;
use wire::Reader;

use super::rest::{Answer, ClientError, PAGE_LIMIT, Request, RestClient, Traffic};
use super::{Found, Newest, Reason, Source, SourceError};
use crate::clock::Clock;
use crate::config::{HttpConfig, RestoresAuth, SddcManagerConfig};
use crate::task::{Extent, Listing, Memory, Operations, Skipped, Task, TimeFrame, is_plain_id};

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
    /// How long a call may take.
    call_limit: Duration,
    /// Whether a login was already repeated in this poll.
    renewed: bool,
    /// Whether the server takes no order.
    refuses_order: bool,
    /// Where a full poll gave way.
    place: Option<Place>,
    /// That a full poll has shown the list to be in order.
    ordered: Option<Ordered>,
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
            call_limit: http.request_timeout,
            renewed: false,
            refuses_order: false,
            place: None,
            ordered: None,
            basic_rests_until: None,
            settled: false,
        })
    }

    /// The one task in an answer.
    fn one(&self, answer: Answer, endpoint: &'static str, id: &str) -> Result<Task, SourceError> {
        let answer = answer.success()?;
        let body = answer.text();
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
        // A task that may not be read is no sign of the token, which has just served the list.
        let of_one_task = endpoint == BY_ID && answer.status == StatusCode::FORBIDDEN;
        if !is_rejection(answer.status) || of_one_task || self.renewed {
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

    async fn read_newest(&mut self, memory: &impl Memory) -> Result<Option<Newest>, SourceError> {
        self.renewed = false;
        let newest = self.read_newest_list(memory).await;
        let newest = newest.map_err(|error| self.refused(error))?;
        let Some((mut newest, extent)) = newest else {
            return Ok(None);
        };
        self.read_restores(&mut newest.listing, extent).await;
        Ok(Some(newest))
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        let mut place = Place::default();
        let answer = self.first_page(&mut place).await?;
        self.take_page(&answer, &mut Listing::new(), &mut place)
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

/// The tasks in the text of a page, and why others cannot be read: what a poll
/// makes of it at `now` of the source's clock.
pub fn decode(page: &str, now: Timestamp) -> Result<Vec<Result<Task, Skipped>>, SourceError> {
    let reader = Reader {
        operations: &Operations::default(),
        frame: TimeFrame::new(now),
    };
    let mut tasks = Vec::new();
    Page::read(page, &reader, |task| tasks.push(task))?;
    Ok(tasks)
}

fn is_rejection(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}
