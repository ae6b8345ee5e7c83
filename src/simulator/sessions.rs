//! Logins and the tokens they give.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::history::uuid;
use super::options::SddcManagerOptions;
use super::stamp::later;

/// How long a refresh token lives, in milliseconds.
const REFRESH_LIFE: i64 = 24 * 3_600_000;

/// The tokens that were given and when they end.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    access: BTreeMap<String, Timestamp>,
    refresh: BTreeMap<String, Timestamp>,
    /// Bad logins in a row.
    bad_logins: u32,
}

/// A token to use and one to renew it.
#[derive(Debug)]
pub(super) struct TokenPair {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// Why a login was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The body is not what the call takes.
    Malformed,
    WrongCredentials,
    Locked,
}

impl Sessions {
    /// Logs in with the body of `POST /v1/tokens`.
    pub(super) fn login(
        &mut self,
        body: &[u8],
        options: &SddcManagerOptions,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Result<TokenPair, Refusal> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(Refusal::Malformed);
        };
        let field = |name| fields.get(name).and_then(Value::as_str);
        let right = match (field("username"), field("password"), field("apiKey")) {
            (Some(name), Some(word), _) => *name == options.username && *word == options.password,
            (None, None, Some(key)) => options.api_key.as_deref() == Some(key),
            _ => return Err(Refusal::Malformed),
        };
        if options
            .lockout_after
            .is_some_and(|most| self.bad_logins >= most)
        {
            return Err(Refusal::Locked);
        }
        if !right {
            self.bad_logins += 1;
            return Err(Refusal::WrongCredentials);
        }
        self.bad_logins = 0;
        self.access.retain(|_, end| *end > now);
        self.refresh.retain(|_, end| *end > now);
        let refresh = uuid(rng.u128(..));
        self.refresh
            .insert(refresh.clone(), later(now, REFRESH_LIFE));
        Ok(TokenPair {
            access: self.issue(options, now, rng),
            refresh,
        })
    }

    /// A new access token, shaped like a JWT.
    fn issue(
        &mut self,
        options: &SddcManagerOptions,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> String {
        let life = i64::try_from(options.token_life.as_millis()).unwrap_or(i64::MAX);
        let end = later(now, life);
        let claims = json!({
            "iat": now.as_second(),
            "exp": end.as_second(),
            "sub": options.username,
            "iss": "vcf-auth",
            "aud": "sddc-services",
            "jti": uuid(rng.u128(..)),
            "scope": ["BACKUP_CONFIG_READ", "CREDENTIAL_READ", "OTHER_READ", "USER_READ"],
        });
        let signature = std::array::from_fn::<u8, 32, _>(|_| rng.u8(..));
        let token = [
            BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()),
            BASE64_URL_SAFE_NO_PAD.encode(signature),
        ]
        .join(".");
        self.access.insert(token.clone(), end);
        token
    }

    /// A new access token for a refresh token, or nothing if that is unknown.
    pub(super) fn renew(
        &mut self,
        refresh: &str,
        options: &SddcManagerOptions,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Option<String> {
        let alive = self.refresh.get(refresh).is_some_and(|end| *end > now);
        alive.then(|| self.issue(options, now, rng))
    }

    pub(super) fn revoke(&mut self, refresh: &str) {
        self.refresh.remove(refresh);
    }

    /// Whether an `Authorization` header carries a living token.
    pub(super) fn admits(&self, authorization: Option<&str>, now: Timestamp) -> bool {
        authorization
            .and_then(|header| header.strip_prefix("Bearer "))
            .and_then(|token| self.access.get(token))
            .is_some_and(|end| *end > now)
    }

    /// Forgets all access tokens; refresh tokens stay good.
    pub(super) fn expire(&mut self) {
        self.access.clear();
    }

    /// Opens a locked account.
    pub(super) fn unlock(&mut self) {
        self.bad_logins = 0;
    }
}

/// Whether an `Authorization` header carries the right Basic credentials.
pub(super) fn basic_admits(authorization: Option<&str>, username: &str, password: &str) -> bool {
    let right = format!("{username}:{password}");
    authorization
        .and_then(|header| header.strip_prefix("Basic "))
        .and_then(|text| BASE64_STANDARD.decode(text).ok())
        .is_some_and(|given| given == right.as_bytes())
}
