//! Calls in whichever dialect answers, within one session.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use tracing::debug;

use super::dialect::{Dialect, Query};
use super::partition::{Fault, Filter};
use super::refusal::{Kind, Refusal};
use super::session::{NoSession, Session};
use crate::config::{DialectChoice, VcenterConfig};
use crate::sources::rest::{Answer, PAGE_LIMIT, Request, RestClient, Traffic};
use crate::sources::{Reason, SourceError};

/// The client, its session, and the dialect in use.
#[derive(Debug)]
pub(super) struct Connection {
    rest: RestClient,
    session: Session,
    choice: DialectChoice,
    /// The dialects that may answer, the one in use first.
    dialects: Vec<Dialect>,
    /// Whether a list call in it ever answered.
    speaks: bool,
    /// Whether a login was already repeated in this poll.
    renewed: bool,
}

/// Why a list call did not answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The poll cannot go on.
    Poll(SourceError),
    /// Another call may do.
    Call(Fault, SourceError),
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Ask<'a> {
    List(&'a Filter),
    One(&'a str),
}

impl Connection {
    pub(super) fn new(rest: RestClient, config: &VcenterConfig) -> Self {
        Self {
            rest,
            session: Session::new(config),
            choice: config.dialect,
            dialects: dialects(config.dialect),
            speaks: false,
            renewed: false,
        }
    }

    /// Begins a poll, in which a lost session may be replaced once.
    pub(super) fn begin(&mut self) {
        self.renewed = false;
    }

    /// The dialect in use.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialects.first().copied().unwrap_or(Dialect::Rest)
    }

    /// Takes in that a list could be read.
    pub(super) fn spoke(&mut self) {
        self.speaks = true;
        self.rest.count_page();
    }

    /// Takes the next dialect, if there is one and this one never answered.
    pub(super) fn try_next_dialect(&mut self) -> bool {
        if self.speaks || self.dialects.len() < 2 {
            return false;
        }
        self.dialects.remove(0);
        debug!(dialect = ?self.dialect(), "the other dialect does not answer");
        true
    }

    /// Takes in that nothing answered in a whole poll: another version may be
    /// there by now.
    pub(super) fn doubt(&mut self) {
        self.speaks = false;
        self.dialects = dialects(self.choice);
    }

    /// The answer to a list call; the caller says whether it could be read.
    pub(super) async fn list(&mut self, filter: &Filter) -> Result<Answer, Failure> {
        loop {
            let answer = self.call(Ask::List(filter)).await.map_err(of_transport)?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let refusal = Refusal::read(&answer);
            if refusal.kind == Kind::NoPath && self.try_next_dialect() {
                continue;
            }
            let ends = match refusal.kind {
                Kind::Unauthenticated => true,
                Kind::NoPath => !self.speaks,
                _ => answer.status == StatusCode::TOO_MANY_REQUESTS,
            };
            let (fault, error) = (refusal.fault(), refusal.error(answer));
            return Err(if ends {
                Failure::Poll(error)
            } else {
                Failure::Call(fault, error)
            });
        }
    }

    /// The answer to a call for one task; `None` if there is no such task.
    pub(super) async fn one(&mut self, id: &str) -> Result<Option<Answer>, SourceError> {
        let answer = self.call(Ask::One(id)).await?;
        if answer.status.is_success() {
            return Ok(Some(answer));
        }
        let refusal = Refusal::read(&answer);
        match refusal.kind {
            Kind::NotFound => Ok(None),
            _ => Err(refusal.error(answer)),
        }
    }

    /// Makes a call; a lost session is replaced once a poll.
    async fn call(&mut self, ask: Ask<'_>) -> Result<Answer, SourceError> {
        let answer = self.send(ask).await?;
        let lost = answer.status == StatusCode::UNAUTHORIZED
            && Refusal::read(&answer).kind == Kind::Unauthenticated;
        if !lost || self.renewed {
            return Ok(answer);
        }
        self.renewed = true;
        self.session.end(&mut self.rest).await;
        self.send(ask).await
    }

    async fn send(&mut self, ask: Ask<'_>) -> Result<Answer, SourceError> {
        let header = self.header().await?;
        let dialect = self.dialect();
        let path;
        let (endpoint, path, (method, query, body)) = match ask {
            Ask::List(filter) => (dialect.tasks(), dialect.tasks(), dialect.list(filter)),
            Ask::One(id) => {
                path = format!("{}/{id}", dialect.tasks());
                (
                    dialect.task(),
                    path.as_str(),
                    (Method::GET, dialect.one(), None),
                )
            }
        };
        let query: Vec<_> = borrowed(&query);
        let request = Request {
            endpoint,
            method,
            path,
            query: &query,
            headers: vec![header],
            body,
            limit: PAGE_LIMIT,
        };
        self.rest.send(request).await
    }

    async fn header(&mut self) -> Result<(HeaderName, HeaderValue), SourceError> {
        loop {
            let door = self.dialect();
            match self.session.header(&mut self.rest, door).await {
                Ok(header) => return Ok(header),
                Err(NoSession::NoDoor(_)) if self.try_next_dialect() => {}
                Err(NoSession::NoDoor(error) | NoSession::Failed(error)) => return Err(error),
            }
        }
    }

    /// Ends the session.
    pub(super) async fn close(&mut self) {
        self.session.end(&mut self.rest).await;
    }

    /// The time on vCenter's clock, as far as it is known.
    pub(super) fn source_now(&self) -> Timestamp {
        self.rest.source_now()
    }

    pub(super) fn traffic(&self) -> &Traffic {
        self.rest.traffic()
    }

    pub(super) fn clock_skew(&self) -> Option<SignedDuration> {
        self.rest.clock_skew()
    }
}

/// The dialects of a choice; the newer one is tried first.
fn dialects(choice: DialectChoice) -> Vec<Dialect> {
    match choice {
        DialectChoice::Auto => vec![Dialect::Api, Dialect::Rest],
        DialectChoice::Api => vec![Dialect::Api],
        DialectChoice::Rest => vec![Dialect::Rest],
    }
}

fn borrowed(query: &Query) -> Vec<(&str, String)> {
    query
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}

/// What a call without an answer means for those to come.
fn of_transport(error: SourceError) -> Failure {
    match error.reason {
        // A provider may hang or hang up, and the others not.
        Reason::Timeout | Reason::Connect => Failure::Call(Fault::Lost, error),
        Reason::TooLarge => Failure::Call(Fault::Capped, error),
        _ => Failure::Poll(error),
    }
}
