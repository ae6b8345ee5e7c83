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
        let alive = self.land(rest).await?;
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

    /// Waits for the login that is under way.
    async fn land(&mut self, rest: &mut RestClient) -> Result<Alive, NoSession> {
        let (door, flight) = self.pending.as_mut().expect("a login is under way");
        let (door, answer) = (*door, rest.land(flight).await);
        self.pending = None;
        let answer = answer.map_err(NoSession::Failed)?;
        if !answer.status.is_success() {
            return Err(refused(answer));
        }
        // Something else answers there.
        let id = token(&answer, door).map_err(NoSession::NoDoor)?;
        Ok(Alive { id, door })
    }

    /// Ends the session, so that the next call logs in. That it may be gone
    /// already is as good.
    pub(super) async fn end(&mut self, rest: &mut RestClient) {
        if self.pending.is_some()
            && let Ok(alive) = self.land(rest).await
        {
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
