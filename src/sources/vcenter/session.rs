//! The one session: made once, used for all calls, and given back.
//!
//! vCenter keeps a session for hours after its last call and has a limited
//! number of them (550 a user before 8.0 U3), so none may be left behind: a
//! login that nobody waits for any more is finished, and its session ended.

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tracing::debug;

use super::dialect::Dialect;
use super::refusal::{Kind, Refusal};
use crate::config::{Secret, VcenterConfig};
use crate::sources::credentials::{basic, sensitive};
use crate::sources::rest::{Answer, Flight, Request, RestClient};
use crate::sources::{Reason, SourceError};

/// The header of a session.
const SESSION: HeaderName = HeaderName::from_static("vmware-api-session-id");

/// Keeps `/rest` from setting a cookie, which it would prefer to the header.
const NO_COOKIE: HeaderName = HeaderName::from_static("vmware-use-header-authn");

/// An answer with a session is small.
const SESSION_LIMIT: usize = 64 * 1024;

/// The login and, once there is one, the session.
#[derive(Debug)]
pub(super) struct Session {
    username: String,
    password: Secret,
    /// Where a login was last sent, and the login if it is under way.
    pending: Option<(Dialect, Flight)>,
    alive: Option<Alive>,
}

#[derive(Debug, Clone)]
struct Alive {
    id: HeaderValue,
    door: Dialect,
}

/// What a login gives: `/rest` puts it under `value`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Bare(String),
    Wrapped { value: String },
}

/// Why there is no session.
#[derive(Debug)]
pub(super) enum NoSession {
    /// There is no such way to log in.
    NoDoor(SourceError),
    /// The login failed.
    Failed(SourceError),
}

impl Session {
    pub(super) fn new(config: &VcenterConfig) -> Self {
        Self {
            username: config.username.clone(),
            password: config.password.clone(),
            pending: None,
            alive: None,
        }
    }

    /// The header of the next call, after a login by `door` if there is no
    /// session yet.
    pub(super) async fn header(
        &mut self,
        rest: &mut RestClient,
        door: Dialect,
    ) -> Result<(HeaderName, HeaderValue), NoSession> {
        if let Some(alive) = &self.alive {
            return Ok((SESSION, alive.id.clone()));
        }
        if self.pending.is_none() {
            let request = self.login(door).map_err(NoSession::Failed)?;
            self.pending = Some((door, rest.launch(request)));
        }
        let Some(alive) = self.land(rest).await? else {
            let detail = "no login is under way";
            let error = SourceError::new(Reason::Protocol, door.session(), detail);
            return Err(NoSession::Failed(error));
        };
        self.alive = Some(alive.clone());
        Ok((SESSION, alive.id))
    }

    fn login(&self, door: Dialect) -> Result<Request<'static>, SourceError> {
        let endpoint = door.session();
        let credentials = basic(&self.username, &self.password, endpoint)?;
        Ok(Request {
            endpoint,
            method: Method::POST,
            path: endpoint,
            query: &[],
            headers: vec![
                (AUTHORIZATION, credentials),
                (NO_COOKIE, HeaderValue::from_static("true")),
            ],
            body: None,
            limit: SESSION_LIMIT,
        })
    }

    /// Waits for the login that is under way, if one is.
    async fn land(&mut self, rest: &mut RestClient) -> Result<Option<Alive>, NoSession> {
        let Some((door, flight)) = &mut self.pending else {
            return Ok(None);
        };
        // As long as it is waited for it stays, should the waiting be given up.
        let (door, landing) = (*door, flight.land().await);
        // It is over now, whatever comes of it.
        self.pending = None;
        let answer = rest.receive(landing).map_err(NoSession::Failed)?;
        if !answer.status.is_success() {
            return Err(refused(answer));
        }
        // Something else answers there.
        let id = token(&answer, door).map_err(NoSession::NoDoor)?;
        Ok(Some(Alive { id, door }))
    }

    /// Ends the session, so that the next call logs in. That it may be gone
    /// already is as good.
    pub(super) async fn end(&mut self, rest: &mut RestClient) {
        if let Ok(Some(alive)) = self.land(rest).await {
            self.alive = Some(alive);
        }
        // Known until the answer is there, should nobody wait for it.
        let Some(alive) = self.alive.clone() else {
            return;
        };
        let endpoint = alive.door.session();
        let request = Request {
            endpoint,
            method: Method::DELETE,
            path: endpoint,
            query: &[],
            headers: vec![(SESSION, alive.id)],
            body: None,
            limit: SESSION_LIMIT,
        };
        if let Err(error) = rest.send(request).await {
            debug!(%error, "the session could not be ended");
        }
        self.alive = None;
    }
}

/// The session in the answer to a login.
fn token(answer: &Answer, door: Dialect) -> Result<HeaderValue, SourceError> {
    // What the parser says could quote the session.
    let unreadable = || {
        let detail = "the answer holds no session";
        SourceError::new(Reason::Decode, door.session(), detail)
    };
    let token: Token = serde_json::from_slice(&answer.body).map_err(|_error| unreadable())?;
    let (Token::Bare(token) | Token::Wrapped { value: token }) = token;
    if token.trim().is_empty() {
        return Err(unreadable());
    }
    sensitive(token.trim(), door.session())
}

/// Why a login was refused. Wrong credentials, a locked account and an expired
/// password are the same 401; a full table of sessions is a 503.
fn refused(answer: Answer) -> NoSession {
    let refusal = Refusal::read(&answer);
    let status = answer.status;
    let error = refusal.error(answer);
    let rejected = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if rejected || refusal.is_of_full_sessions() {
        let detail = if rejected {
            "the login was rejected"
        } else {
            "there are too many sessions"
        };
        return NoSession::Failed(SourceError {
            login_rejected: true,
            detail: format!("{detail}: {}", error.detail),
            ..error
        });
    }
    let busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if refusal.kind != Kind::Unavailable && !busy.contains(&status) {
        return NoSession::NoDoor(error);
    }
    NoSession::Failed(error)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::clock::Clock;
    use crate::config::{Config, SystemConfig};

    /// A client of an address where nobody answers, and its session.
    fn nobody() -> (RestClient, Session) {
        drop(rustls::crypto::ring::default_provider().install_default());
        let text = "sources: [{name: a, system: vcenter, url: 'http://127.0.0.1:1', \
                    username: u, password: p}]";
        let config = Config::parse(text, &PathBuf::from("a.yml")).unwrap();
        let source = config.sources.into_iter().next().unwrap();
        let SystemConfig::Vcenter(vcenter) = &source.system else {
            panic!("another system");
        };
        let rest = RestClient::new(source.url, &source.http, Clock::system()).unwrap();
        (rest, Session::new(vcenter))
    }

    #[tokio::test]
    async fn a_login_that_panics_fails_once_and_the_next_one_is_sent() {
        let (mut rest, mut session) = nobody();
        session.pending = Some((Dialect::Api, Flight::that_panics()));
        let failed = session.header(&mut rest, Dialect::Api).await;
        let Err(NoSession::Failed(error)) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(error.reason, Reason::Protocol);
        assert!(error.detail.contains("scripted"), "{error:?}");
        let failed = session.header(&mut rest, Dialect::Api).await;
        let Err(NoSession::Failed(error)) = failed else {
            panic!("{failed:?}");
        };
        assert_eq!(error.reason, Reason::Connect, "a login was sent");
    }

    #[tokio::test]
    async fn a_login_that_panics_is_no_session_to_end() {
        let (mut rest, mut session) = nobody();
        session.pending = Some((Dialect::Api, Flight::that_panics()));
        session.end(&mut rest).await;
        assert!(session.pending.is_none() && session.alive.is_none());
        session.end(&mut rest).await;
    }
}
