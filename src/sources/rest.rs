//! The one HTTP client: limits, timeouts, and what may leave for where.

mod client;
mod exchange;
mod pace;
mod traffic;

use std::borrow::Cow;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;
use url::Url;

pub use client::ClientError;
use exchange::Exchange;
use pace::Pace;
pub use traffic::{REQUEST_BUCKETS, Traffic};

use super::{Reason, SourceError};
use crate::clock::Clock;
use crate::config::HttpConfig;

/// The largest page, in bytes after decompression.
pub const PAGE_LIMIT: usize = 64 * 1024 * 1024;

/// The largest listing that comes in one piece, in bytes after decompression.
pub const LISTING_LIMIT: usize = 256 * 1024 * 1024;

/// A client of one host. It follows no redirect and keeps no cookie, so that
/// credentials go nowhere else.
#[derive(Debug)]
pub struct RestClient {
    client: reqwest::Client,
    base: Url,
    headers: HeaderMap,
    clock: Clock,
    pace: Pace,
    traffic: Traffic,
    clock_skew: Option<SignedDuration>,
}

/// One call.
#[derive(Debug)]
pub struct Request<'a> {
    /// What the call is known by in metrics and logs, such as `/v1/tasks/{id}`.
    pub endpoint: &'static str,
    /// The method; all but the login are `GET`.
    pub method: Method,
    /// The path below the configured url.
    pub path: &'a str,
    /// The query parameters.
    pub query: &'a [(&'a str, String)],
    /// Headers of this call, such as `Authorization`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// A body to send as JSON.
    pub body: Option<Bytes>,
    /// The largest body to take, in bytes.
    pub limit: usize,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    pub(super) endpoint: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, whole.
    pub body: Bytes,
    pub(super) retry_after: Option<Duration>,
    /// The tag of what the body holds, to ask again only for another one.
    pub etag: Option<HeaderValue>,
}

/// A request that is under way, whoever waits for it.
#[derive(Debug)]
pub struct Flight {
    endpoint: &'static str,
    exchange: JoinSet<Exchange>,
}

/// What became of a request that was launched.
#[derive(Debug)]
pub struct Landing(Result<Exchange, SourceError>);

impl Flight {
    /// Waits for the request; if the waiting is given up, it can be taken up
    /// again. There is nothing to wait for after that.
    pub async fn land(&mut self) -> Landing {
        let broken = |why| SourceError::new(Reason::Protocol, self.endpoint, why);
        Landing(match self.exchange.join_next().await {
            Some(Ok(exchange)) => Ok(exchange),
            Some(Err(ended)) => Err(broken(format!("the call broke down: {ended}"))),
            None => Err(broken("the call is over".to_owned())),
        })
    }

    /// A request that panics.
    #[cfg(test)]
    pub(in crate::sources) fn that_panics() -> Self {
        let mut exchange = JoinSet::new();
        exchange.spawn(async { panic!("scripted") });
        let endpoint = "/session";
        Self { endpoint, exchange }
    }
}

impl RestClient {
    /// A client for `base` and below.
    pub fn new(base: Url, config: &HttpConfig, clock: Clock) -> Result<Self, ClientError> {
        Ok(Self {
            client: client::build(&base, config)?,
            headers: client::headers(&base, config)?,
            base: client::dialled(base, config)?,
            clock,
            pace: Pace::new(config.max_requests_per_second),
            traffic: Traffic::default(),
            clock_skew: None,
        })
    }

    /// Sends one request, once there may be another one, and reads the answer whole.
    pub async fn send(&mut self, request: Request<'_>) -> Result<Answer, SourceError> {
        self.pace.turn().await;
        let exchange = self.exchange(request).await;
        self.take(exchange)
    }

    /// Sends a request whose answer must not be lost, as it holds something that
    /// is to be given back: it goes on while nobody waits for it.
    pub fn launch(&self, request: Request<'_>) -> Flight {
        let (endpoint, mut exchange) = (request.endpoint, JoinSet::new());
        exchange.spawn(self.exchange(request));
        Flight { endpoint, exchange }
    }

    /// The answer to a request that was launched.
    pub fn receive(&mut self, landing: Landing) -> Result<Answer, SourceError> {
        self.take(landing.0?)
    }

    fn exchange(&self, request: Request<'_>) -> impl Future<Output = Exchange> + Send + 'static {
        let (endpoint, limit) = (request.endpoint, request.limit);
        exchange::exchange(self.prepare(request), endpoint, limit, self.clock.clone())
    }

    /// Counts what went over the wire.
    fn take(&mut self, exchange: Exchange) -> Result<Answer, SourceError> {
        let code = match &exchange.result {
            Ok(answer) => answer.status.as_str(),
            Err(error) => error.reason(),
        };
        self.traffic.count(exchange.endpoint, code, exchange.took);
        self.traffic.receive(exchange.received);
        self.clock_skew = exchange.clock_skew.or(self.clock_skew);
        exchange.result
    }

    fn prepare(&self, request: Request<'_>) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{}", request.path));
        let mut builder = self
            .client
            .request(request.method, url)
            .headers(self.headers.clone())
            .query(request.query);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        builder
    }

    /// Counts one page of a listing.
    pub fn count_page(&mut self) {
        self.traffic.count_page();
    }

    /// What was sent and received since the start.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// How far the source's clock is ahead of ours, by the last `Date` header.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.clock_skew
    }

    /// The time on the source's clock, as far as it is known.
    pub fn source_now(&self) -> Timestamp {
        let now = self.clock.now();
        self.clock_skew
            .and_then(|skew| now.checked_add(skew).ok())
            .unwrap_or(now)
    }
}

impl Answer {
    /// The body as a text; what is no text in it is replaced.
    pub(super) fn text(&self) -> Cow<'_, str> {
        // The usual case first, as it is checked many bytes at once.
        str::from_utf8(&self.body).map_or_else(
            |_not_text| String::from_utf8_lossy(&self.body),
            Cow::Borrowed,
        )
    }

    /// The answer, if its status is one of success; else the error that it stands for.
    pub fn success(self) -> Result<Self, SourceError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(self.refused())
    }

    /// The error that the status of an answer stands for.
    pub fn refused(self) -> SourceError {
        let reason = match self.status {
            StatusCode::UNAUTHORIZED => Reason::Unauthorized,
            StatusCode::FORBIDDEN => Reason::Forbidden,
            StatusCode::TOO_MANY_REQUESTS => Reason::RateLimited,
            status if status.is_server_error() => Reason::ServerError,
            _ => Reason::Protocol,
        };
        SourceError {
            retry_after: self.retry_after,
            ..SourceError::new(reason, self.endpoint, format!("answered {}", self.status))
        }
    }
}
