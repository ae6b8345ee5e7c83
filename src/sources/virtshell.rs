//! VirtShell: its task list, as documented and as its real server answers.
//!
//! One `GET /tasks/` reads everything; there is no paging. Nothing but `GET` is
//! sent.

mod signature;
mod wire;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderName, HeaderValue, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use url::Url;

use super::credentials::{read, sensitive};
use super::rest::{Answer, ClientError, LISTING_LIMIT, PAGE_LIMIT, Request, RestClient, Traffic};
use super::{Found, Reason, Source, SourceError};
use crate::clock::Clock;
use crate::config::{Authorization, HttpConfig, VirtShellConfig};
use crate::task::{Call, Listing, Skipped, Task, TimeFrame, is_plain_id};
use signature::Signature;
use wire::Reader;
use words::Words;

/// The part of the source that the list is.
const TASKS: &str = "tasks";

/// The list; without the final slash it is not found.
const LIST: &str = "/tasks/";

/// The tasks that wait, which are few.
const PENDING: &str = "/tasks/status/pending";

/// What the call for one task is known by.
const ONE: &str = "/tasks/{id}";

/// For how long a server that did not answer in time is left alone: it hangs for
/// 30 s, and the longest timeout is 25 s.
const REST: Duration = Duration::from_secs(10);

/// One VirtShell.
#[derive(Debug)]
pub struct VirtShell {
    rest: RestClient,
    authorization: Authorization,
    words: Words,
    url: Url,
    /// What was read last, and its tag.
    last: Option<(HeaderValue, Listing)>,
    /// Whether the listings are for a reader of all tasks.
    settled: bool,
}

impl VirtShell {
    /// The VirtShell at `url`. Nothing is sent yet.
    pub fn new(
        url: Url,
        http: &HttpConfig,
        config: &VirtShellConfig,
        clock: Clock,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            rest: RestClient::new(url.clone(), http, clock)?,
            authorization: config.authorization.clone(),
            words: Words::new(config.status_map.clone()),
            url,
            last: None,
            settled: false,
        })
    }

    async fn get(
        &mut self,
        endpoint: &'static str,
        path: &str,
        limit: usize,
    ) -> Result<Answer, SourceError> {
        let mut headers = self.proof(endpoint, path)?;
        if let (LIST, Some((tag, _))) = (endpoint, &self.last) {
            headers.push((IF_NONE_MATCH, tag.clone()));
        }
        let request = Request {
            endpoint,
            method: Method::GET,
            path,
            query: &[],
            headers,
            body: None,
            limit,
        };
        let answer = self.rest.send(request).await;
        answer.map_err(|error| match error.reason {
            Reason::Timeout => SourceError {
                retry_after: Some(REST),
                ..error
            },
            _ => error,
        })
    }

    /// The headers that prove whose a request is.
    fn proof(
        &self,
        endpoint: &'static str,
        path: &str,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, SourceError> {
        match &self.authorization {
            Authorization::None => Ok(Vec::new()),
            Authorization::Header { name, credentials } => {
                let value = read(credentials, endpoint)?;
                let value = secrecy::ExposeSecret::expose_secret(&value);
                Ok(vec![(name.clone(), sensitive(value, endpoint)?)])
            }
            Authorization::Hmac {
                name,
                user_id,
                secret,
            } => {
                let secret = read(secret, endpoint)?;
                let signature = Signature::new(&self.url, path, self.rest.source_now());
                let value = format!("{user_id}:{}", signature.sign(&secret));
                let date = sensitive(&signature.date, endpoint)?;
                Ok(vec![
                    (DATE, date),
                    (name.clone(), sensitive(&value, endpoint)?),
                ])
            }
        }
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            words: &self.words,
            frame: TimeFrame::new(self.rest.source_now()),
        }
    }

    fn list(&self, body: &[u8]) -> Result<Listing, SourceError> {
        let body = String::from_utf8_lossy(body);
        let mut listing = Listing::keeping(self.settled);
        let reader = self.reader();
        for element in wire::elements(&body)? {
            match reader.task(element.get(), None) {
                Ok(task) => {
                    listing.meet(TASKS, Call::List, task);
                }
                Err(reason) => listing.skip(reason),
            }
        }
        listing.read(TASKS, true);
        Ok(listing)
    }
}

impl Source for VirtShell {
    async fn read(&mut self) -> Result<Listing, SourceError> {
        let answer = self.get(LIST, LIST, LISTING_LIMIT).await?;
        if let (StatusCode::NOT_MODIFIED, Some((_, listing))) = (answer.status, &self.last) {
            return Ok(listing.clone());
        }
        self.last = None;
        let answer = answer.success()?;
        let listing = self.list(&answer.body)?;
        self.rest.count_page();
        self.last = answer.etag.map(|tag| (tag, listing.clone()));
        Ok(listing)
    }

    fn keep_settled(&mut self) {
        self.settled = true;
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        let answer = self.get(PENDING, PENDING, PAGE_LIMIT).await?.success()?;
        self.list(&answer.body).map(drop)
    }

    async fn find(&mut self, _part: &str, id: &str) -> Result<Found, SourceError> {
        if !is_plain_id(id) {
            return Ok(Found::NotAskable);
        }
        let answer = self.get(ONE, &format!("{LIST}{id}"), PAGE_LIMIT).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Found::Nothing);
        }
        let answer = answer.success()?;
        let body = answer.text();
        self.reader().one(&body, id).map(Found::from)
    }

    fn has_part(&self, part: &str) -> bool {
        part == TASKS
    }

    fn traffic(&self) -> &Traffic {
        self.rest.traffic()
    }

    fn clock_skew(&self) -> Option<SignedDuration> {
        self.rest.clock_skew()
    }
}
/// The tasks in the text of a listing, and why others cannot be read: what a poll
/// makes of it at `now` of the source's clock.
pub fn decode(list: &str, now: Timestamp) -> Result<Vec<Result<Task, Skipped>>, SourceError> {
    let reader = Reader {
        words: &Words::new(BTreeMap::new()),
        frame: TimeFrame::new(now),
    };
    let elements = wire::elements(list)?;
    Ok(elements
        .into_iter()
        .map(|element| reader.task(element.get(), None))
        .collect())
}
