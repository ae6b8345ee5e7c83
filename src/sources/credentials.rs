//! Secrets on their way into headers, which nothing shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Reason, SourceError};
use crate::config::Secret;

/// The secret, for a login at `endpoint`.
pub(super) fn read(secret: &Secret, endpoint: &'static str) -> Result<SecretString, SourceError> {
    let unreadable = |error: crate::config::SecretError| {
        SourceError::new(Reason::Unauthorized, endpoint, error.to_string())
    };
    secret.read().map_err(unreadable)
}

/// The value of `Authorization` for a name and a password.
pub(super) fn basic(
    username: &str,
    password: &Secret,
    endpoint: &'static str,
) -> Result<HeaderValue, SourceError> {
    let password = read(password, endpoint)?;
    let pair = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
    sensitive(&format!("Basic {pair}"), endpoint)
}

/// A header's value that logs do not show.
pub(super) fn sensitive(value: &str, endpoint: &'static str) -> Result<HeaderValue, SourceError> {
    let unfit = |_error| {
        let detail = "the credentials have characters that no header can have";
        SourceError::new(Reason::Unauthorized, endpoint, detail)
    };
    let mut value = HeaderValue::try_from(value).map_err(unfit)?;
    value.set_sensitive(true);
    Ok(value)
}
