//! One request and its answer, read whole and within limits.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, ETAG, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use tokio::time::Instant;

use super::Answer;
use crate::clock::Clock;
use crate::sources::{Reason, SourceError};

/// The most that is read of an answer that is an error.
const ERROR_LIMIT: usize = 64 * 1024;

/// The most that is made ready for a body on a server's word, in bytes.
const READY: u64 = 1 << 20;

/// What became of one request.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) endpoint: &'static str,
    pub(super) result: Result<Answer, SourceError>,
    pub(super) took: Duration,
    /// Bytes of the body.
    pub(super) received: usize,
    pub(super) clock_skew: Option<SignedDuration>,
}

/// Sends a request and reads the answer whole, as long as it has at most
/// `limit` bytes.
pub(super) async fn exchange(
    request: RequestBuilder,
    endpoint: &'static str,
    limit: usize,
    clock: Clock,
) -> Exchange {
    let began = Instant::now();
    let mut exchange = Exchange {
        endpoint,
        result: Err(SourceError::new(Reason::Connect, endpoint, "not sent")),
        took: Duration::ZERO,
        received: 0,
        clock_skew: None,
    };
    exchange.result = match request.send().await {
        Ok(response) => exchange.read(response, limit, &clock).await,
        Err(error) => Err(from_reqwest(endpoint, error)),
    };
    exchange.took = began.elapsed();
    exchange
}

impl Exchange {
    async fn read(
        &mut self,
        mut response: Response,
        limit: usize,
        clock: &Clock,
    ) -> Result<Answer, SourceError> {
        let (endpoint, status) = (self.endpoint, response.status());
        self.clock_skew = clock_skew(response.headers(), clock.now());
        let retry_after = retry_after(response.headers(), clock.now());
        let etag = response.headers().get(ETAG).cloned();
        let limit = if status.is_success() {
            limit
        } else {
            limit.min(ERROR_LIMIT)
        };
        let announced = response.content_length().unwrap_or_default().min(READY);
        let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        loop {
            let chunk: Bytes = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                // The status of an error says enough, whatever becomes of its body.
                Err(_broken) if !status.is_success() => break,
                Err(error) => return Err(from_reqwest(endpoint, error)),
            };
            self.received = self.received.saturating_add(chunk.len());
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
            etag,
        })
    }
}

/// How far the server's clock is ahead of ours.
fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let date = http_date(headers.get(DATE)?)?;
    Some(date.duration_since(now))
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
        causes(&error).find_map(of_head).unwrap_or(Reason::Connect)
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

/// What is wrong with the head of an answer, if that is it.
fn of_head(cause: &(dyn Error + 'static)) -> Option<Reason> {
    let error = cause.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        return Some(Reason::TooLarge);
    }
    error.is_parse().then_some(Reason::Protocol)
}

/// Whether the transport failed, and not the decompression.
fn is_io(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn Error>::is::<hyper::Error>)
}

/// The whole chain of causes in one line.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
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
