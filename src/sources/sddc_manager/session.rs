//! Logging in, and when to do so again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::config::Login;
use crate::sources::credentials::{basic, read, sensitive};
use crate::sources::rest::{Request, RestClient};
use crate::sources::{Reason, SourceError};

const ENDPOINT: &str = "/v1/tokens";

/// How long a token is used whose life cannot be read.
const UNREADABLE_LIFE: Duration = Duration::from_secs(20 * 60);

/// An answer with a token is small.
const TOKEN_LIMIT: usize = 1024 * 1024;

/// The login and, once there is one, its token.
#[derive(Debug)]
pub(super) struct Session {
    login: Login,
    token: Option<Token>,
}

#[derive(Debug)]
struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct TokenPair {
    #[serde(rename = "accessToken")]
    access_token: SecretString,
}

/// What of a token's claims tells its life; seconds since 1970.
#[derive(Deserialize)]
struct Claims {
    exp: i64,
    iat: i64,
}

impl Session {
    pub(super) fn new(login: Login) -> Self {
        Self { login, token: None }
    }

    /// The `Authorization` header of the next call, after a login if one is due.
    pub(super) async fn authorization(
        &mut self,
        rest: &mut RestClient,
    ) -> Result<HeaderValue, SourceError> {
        let now = Instant::now();
        if let Some(token) = self.token.as_ref().filter(|token| token.renew_at > now) {
            return Ok(token.header.clone());
        }
        self.token = None;
        let secret = match &self.login {
            Login::Token(token) => read(token, ENDPOINT)?,
            Login::Password { username, password } => {
                let password = read(password, ENDPOINT)?;
                let body = json!({"username": username, "password": password.expose_secret()});
                log_in(rest, &body).await?
            }
            Login::ApiKey(key) => {
                let body = json!({"apiKey": read(key, ENDPOINT)?.expose_secret()});
                log_in(rest, &body).await?
            }
        };
        let life = life(secret.expose_secret()).unwrap_or(UNREADABLE_LIFE);
        let header = bearer(&secret)?;
        self.token = Some(Token {
            header: header.clone(),
            renew_at: now + life.mul_f64(0.8),
        });
        Ok(header)
    }

    /// Forgets the token, so that the next call logs in.
    pub(super) fn forget(&mut self) {
        self.token = None;
    }

    /// Whether a rejected call means that the credentials themselves are rejected.
    pub(super) fn is_fixed_token(&self) -> bool {
        matches!(self.login, Login::Token(_))
    }

    /// The `Authorization` header of a call that takes no token.
    pub(super) fn basic(&self) -> Result<HeaderValue, SourceError> {
        let Login::Password { username, password } = &self.login else {
            let detail = "basic authentication needs a username and a password";
            return Err(SourceError::new(Reason::Unauthorized, ENDPOINT, detail));
        };
        basic(username, password, ENDPOINT)
    }
}

async fn log_in(
    rest: &mut RestClient,
    body: &serde_json::Value,
) -> Result<SecretString, SourceError> {
    let answer = rest
        .send(Request {
            endpoint: ENDPOINT,
            method: Method::POST,
            path: ENDPOINT,
            query: &[],
            headers: Vec::new(),
            body: Some(Bytes::from(body.to_string())),
            limit: TOKEN_LIMIT,
        })
        .await?;
    // 401 is documented for 5.2.0 alone; elsewhere wrong credentials are a 400.
    let rejected = matches!(
        answer.status,
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    );
    let bad_request = answer.status == StatusCode::BAD_REQUEST;
    let answer = answer.success().map_err(|error| SourceError {
        login_rejected: rejected,
        reason: if bad_request {
            Reason::Unauthorized
        } else {
            error.reason
        },
        detail: if rejected {
            format!("the login was rejected: {}", error.detail)
        } else {
            error.detail
        },
        ..error
    })?;
    // What the parser says could quote the token.
    let unreadable =
        |_error| SourceError::new(Reason::Decode, ENDPOINT, "the answer holds no accessToken");
    let pair: TokenPair = serde_json::from_slice(&answer.body).map_err(unreadable)?;
    Ok(pair.access_token)
}

fn bearer(token: &SecretString) -> Result<HeaderValue, SourceError> {
    let token = token.expose_secret().trim();
    if token.is_empty() {
        let detail = "the accessToken is empty";
        return Err(SourceError::new(Reason::Decode, ENDPOINT, detail));
    }
    sensitive(&format!("Bearer {token}"), ENDPOINT)
}

/// How long a JSON web token lives, by its own claims, so that no two clocks are compared.
fn life(token: &str) -> Option<Duration> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let seconds = u64::try_from(claims.exp.checked_sub(claims.iat)?).ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_tokens_life_is_read_from_its_claims() {
        let token = |claims: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(
            life(&token(r#"{"iat":1000,"exp":4600,"sub":"x"}"#)),
            Some(Duration::from_secs(3600))
        );
        for claims in ["{}", r#"{"iat":5,"exp":5}"#, r#"{"iat":9,"exp":5}"#, "x"] {
            assert_eq!(life(&token(claims)), None, "{claims}");
        }
        assert_eq!(life("no-token"), None);
    }

    #[test]
    fn a_session_shows_no_secret() {
        let session = Session {
            login: Login::Token(Secret::Inline("geheim".into())),
            token: Some(Token {
                header: bearer(&"geheim".into()).unwrap(),
                renew_at: Instant::now(),
            }),
        };
        assert!(!format!("{session:?}").contains("geheim"));
    }
}
