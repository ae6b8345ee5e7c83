//! The one HTTP client: limits, timeouts, and what may leave for where.

mod client;
mod traffic;

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use tokio::time::Instant;
use url::Url;

pub use client::ClientError;
pub use traffic::{REQUEST_BUCKETS, Traffic};

use super::{Reason, SourceError};
use crate::clock::Clock;
use crate::config::HttpConfig;

/// The largest page, in bytes after decompression.
pub const PAGE_LIMIT: usize = 64 * 1024 * 1024;

/// The largest listing that comes in one piece, in bytes after decompression.
pub const LISTING_LIMIT: usize = 256 * 1024 * 1024;

/// The most that is read of an answer that is an error.
const ERROR_LIMIT: usize = 64 * 1024;

/// A client of one host. It follows no redirect and keeps no cookie, so that
/// credentials go nowhere else.
#[derive(Debug)]
pub struct RestClient {
    client: reqwest::Client,
    base: Url,
    headers: HeaderMap,
    clock: Clock,
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
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// A body to send as JSON.
    pub body: Option<Bytes>,
    /// The largest body to take, in bytes.
    pub limit: usize,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub struct Answer {
    endpoint: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, whole.
    pub body: Bytes,
    retry_after: Option<Duration>,
}

impl RestClient {
    /// A client for `base` and below.
    pub fn new(base: Url, config: &HttpConfig, clock: Clock) -> Result<Self, ClientError> {
        Ok(Self {
            client: client::build(&base, config)?,
            headers: client::headers(&base, config)?,
            base: client::dialled(base, config)?,
            clock,
            traffic: Traffic::default(),
            clock_skew: None,
        })
    }

    /// Sends one request and reads the answer whole.
    pub async fn send(&mut self, request: Request<'_>) -> Result<Answer, SourceError> {
        let endpoint = request.endpoint;
        let began = Instant::now();
        let result = self.exchange(request).await;
        let code = match &result {
            Ok(answer) => answer.status.as_str().to_owned(),
            Err(error) => error.reason().to_owned(),
        };
        self.traffic.count(endpoint, &code, began.elapsed());
        result
    }

    async fn exchange(&mut self, request: Request<'_>) -> Result<Answer, SourceError> {
        let endpoint = request.endpoint;
        let mut response = self
            .prepare(&request)
            .send()
            .await
            .map_err(|error| from_reqwest(endpoint, error))?;
        let status = response.status();
        self.clock_skew = self.skew(response.headers()).or(self.clock_skew);
        let retry_after = retry_after(response.headers(), self.clock.now());
        let limit = if status.is_success() {
            request.limit
        } else {
            request.limit.min(ERROR_LIMIT)
        };
        let mut body = BytesMut::new();
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // The status of an error says enough, whatever becomes of its body.
                Err(_broken) if !status.is_success() => break,
                Err(error) => return Err(from_reqwest(endpoint, error)),
            };
            self.traffic.receive(chunk.len());
            if body.len() + chunk.len() > limit {
                if !status.is_success() {
                    break;
                }
                let detail = format!("the answer is larger than {limit} bytes");
                return Err(SourceError::new(Reason::TooLarge, endpoint, detail));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            endpoint,
            status,
            body: body.freeze(),
            retry_after,
        })
    }

    fn prepare(&self, request: &Request<'_>) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        let prefix = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{prefix}{}", request.path));
        let mut builder = self
            .client
            .request(request.method.clone(), url)
            .headers(self.headers.clone())
            .query(request.query);
        if let Some(authorization) = &request.authorization {
            builder = builder.header(reqwest::header::AUTHORIZATION, authorization);
        }
        if let Some(body) = &request.body {
            builder = builder
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        builder
    }

    fn skew(&self, headers: &HeaderMap) -> Option<SignedDuration> {
        let date = http_date(headers.get(DATE)?)?;
        Some(date.duration_since(self.clock.now()))
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
    /// The answer, if its status is one of success; else the error that it stands for.
    pub fn success(self) -> Result<Self, SourceError> {
        let reason = match self.status {
            status if status.is_success() => return Ok(self),
            StatusCode::UNAUTHORIZED => Reason::Unauthorized,
            StatusCode::FORBIDDEN => Reason::Forbidden,
            StatusCode::TOO_MANY_REQUESTS => Reason::RateLimited,
            status if status.is_server_error() => Reason::ServerError,
            _ => Reason::Protocol,
        };
        Err(SourceError {
            retry_after: self.retry_after,
            ..SourceError::new(reason, self.endpoint, format!("answered {}", self.status))
        })
    }
}

/// A delay in seconds or until a date; at most a day.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let value = headers.get(RETRY_AFTER)?;
    let delay = match value.to_str().ok()?.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_not_a_number) => {
            Duration::try_from(http_date(value)?.duration_since(now)).unwrap_or_default()
        }
    };
    Some(delay.min(LONGEST))
}

fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    Some(date.timestamp())
}

/// Tells reqwest's errors apart; the URL is left out, as the source is known.
fn from_reqwest(endpoint: &'static str, error: reqwest::Error) -> SourceError {
    let error = error.without_url();
    let reason = if error.is_timeout() {
        Reason::Timeout
    } else if is_tls(&error) {
        Reason::Tls
    } else if error.is_decode() && !is_io(&error) {
        Reason::Decode
    } else if error.is_builder() {
        Reason::Protocol
    } else {
        Reason::Connect
    };
    SourceError::new(reason, endpoint, chain(&error))
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(holds_tls)
}

/// Whether an error is one of TLS, or an I/O error around one: those hide what
/// they hold from the chain of causes, and stand in each other.
fn holds_tls(error: &(dyn Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| holds_tls(inner))
}

/// Whether the transport failed, and not the decompression.
fn is_io(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<hyper::Error>)
}

/// The whole chain of causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = String::new();
    for text in causes(error).map(ToString::to_string) {
        if !line.contains(&text) {
            let joint = if line.is_empty() { "" } else { ": " };
            line = format!("{line}{joint}{text}");
        }
    }
    line
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| {
        (*error).source()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))])
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let now = "2026-11-20T15:00:00Z".parse().unwrap();
        let after = |value| retry_after(&headers(value), now);
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            after("Fri, 20 Nov 2026 15:01:00 GMT"),
            Some(Duration::from_secs(60))
        );
        assert_eq!(after("Fri, 20 Nov 2026 14:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(after("99999999"), Some(Duration::from_secs(86_400)));
        assert_eq!(after("soon"), None);
    }
}
