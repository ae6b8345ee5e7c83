//! The keys of a source whose system is `virtshell`.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderName;
use serde_saphyr::Spanned;

use super::error::{ConfigError, not_of_this_system};
use super::http::HttpConfig;
use super::raw::{Authorization as RawAuthorization, Typed};
use super::secret::Secret;
use super::section::Section;
use super::warnings::Warnings;
use crate::task::{Status, fold};

/// The header of the API's documentation; the thesis behind it has `Authorization`.
const HEADER: HeaderName = HeaderName::from_static("x-virtshell-authorization");

/// Without its database the server hangs for 30 s, and answers nobody else meanwhile.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(25);

/// What is particular to a VirtShell.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtShellConfig {
    /// How requests prove whose they are.
    pub authorization: Authorization,
    /// What further words for a status stand for, by folded word.
    pub status_map: BTreeMap<String, Status>,
}

/// How requests prove whose they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    /// Not at all, as the real server asks for nothing.
    None,
    /// By a header with the same value in each.
    Header {
        /// The header.
        name: HeaderName,
        /// Its value.
        credentials: Secret,
    },
    /// By a header with the user's id and a signature of the request.
    Hmac {
        /// The header.
        name: HeaderName,
        /// The user's id: not empty, and without a colon.
        user_id: String,
        /// The key of the signature.
        secret: Secret,
    },
}

/// The keys of a source that are particular to a VirtShell.
#[derive(Debug)]
pub(super) struct RawVirtShell {
    pub(super) authorization: Typed<RawAuthorization>,
    pub(super) status_map: Typed<BTreeMap<String, Spanned<String>>>,
}

impl RawVirtShell {
    /// An error if a key is given that means nothing to another system.
    pub(super) fn refuse(&self, section: &Section<'_>) -> Result<(), ConfigError> {
        let authorization = self.authorization.as_ref();
        let status_map = self.status_map.as_ref();
        not_of_this_system([
            authorization.map(|typed| section.place("authorization", typed)),
            status_map.map(|typed| section.place("status_map", typed)),
        ])
    }
}

impl VirtShellConfig {
    pub(super) fn resolve(
        section: &Section<'_>,
        raw: RawVirtShell,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            authorization: Authorization::resolve(section, raw.authorization, warnings)?,
            status_map: status_map(section, raw.status_map)?,
        })
    }

    /// Keeps calls shorter than the server may hang, so that none overlap.
    pub(super) fn limit(section: &Section<'_>, http: &mut HttpConfig, warnings: &mut Warnings) {
        if http.request_timeout > LONGEST_TIMEOUT {
            http.request_timeout = LONGEST_TIMEOUT;
            let text = "request_timeout is taken as 25s, as a VirtShell may hang for 30s";
            warnings.add(&section.here(), text);
        }
    }
}

impl Authorization {
    fn resolve(
        section: &Section<'_>,
        typed: Typed<RawAuthorization>,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let Some(typed) = typed else {
            return Ok(Self::None);
        };
        let section = section.child("authorization", &typed);
        let raw = typed.value;
        let name = header_name(&section, raw.header_name.as_ref())?;
        let credentials = ("credentials", raw.credentials);
        let credentials_file = ("credentials_file", raw.credentials_file);
        let credentials = Secret::resolve(&section, credentials, credentials_file, warnings)?;
        let secret = ("secret", raw.secret);
        let secret = Secret::resolve(&section, secret, ("secret_file", raw.secret_file), warnings)?;
        let user_id = raw.user_id;
        let kind = raw
            .kind
            .ok_or_else(|| section.lacks("type", "is required"))?;
        let alone = |rule: &str| section.fails(format!("{} takes {rule}", kind.value));
        match (kind.value.as_str(), credentials, user_id, secret) {
            ("none", None, None, None) if raw.header_name.is_none() => Ok(Self::None),
            ("none", ..) => Err(alone("no other key")),
            ("header", Some(credentials), None, None) => Ok(Self::Header { name, credentials }),
            ("header", ..) => Err(alone("credentials(_file), and may take header_name")),
            ("hmac", None, Some(id), Some(secret)) => {
                let user_id = user_id_of(&section, id)?;
                Ok(Self::Hmac {
                    name,
                    user_id,
                    secret,
                })
            }
            ("hmac", ..) => Err(alone("user_id and secret(_file), and may take header_name")),
            _ => Err(section.wrong("type", &kind, "must be none, header or hmac")),
        }
    }

    /// Whether a request carries the secret itself; a signature tells nobody.
    pub(super) const fn sends_secret(&self) -> bool {
        matches!(self, Self::Header { .. })
    }

    /// What proves whose a request is, if anything does.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::None => None,
            Self::Header { credentials, .. } => Some(credentials),
            Self::Hmac { secret, .. } => Some(secret),
        }
    }
}

fn header_name(
    section: &Section<'_>,
    typed: Option<&Spanned<String>>,
) -> Result<HeaderName, ConfigError> {
    let Some(typed) = typed else {
        return Ok(HEADER);
    };
    HeaderName::try_from(&typed.value)
        .map_err(|_error| section.wrong("header_name", typed, "must be the name of a header"))
}

fn user_id_of(section: &Section<'_>, typed: Spanned<String>) -> Result<String, ConfigError> {
    let plain = |c: char| c.is_ascii_graphic() && c != ':';
    if typed.value.is_empty() || !typed.value.chars().all(plain) {
        let rule = "must be of visible characters without a colon";
        return Err(section.wrong("user_id", &typed, rule));
    }
    Ok(typed.value)
}

fn status_map(
    section: &Section<'_>,
    typed: Typed<BTreeMap<String, Spanned<String>>>,
) -> Result<BTreeMap<String, Status>, ConfigError> {
    let Some(typed) = typed else {
        return Ok(BTreeMap::new());
    };
    let section = section.child("status_map", &typed);
    let mut map = BTreeMap::new();
    for (word, status) in typed.value {
        let known = Status::ALL
            .iter()
            .find(|known| known.as_str() == status.value);
        let Some(known) = known else {
            let words = Status::ALL.map(Status::as_str).join(", ");
            return Err(section.wrong(&word, &status, format!("must be one of: {words}")));
        };
        if map.insert(fold(&word), *known).is_some() {
            return Err(section.wrong(&word, &status, "is given twice, in another spelling"));
        }
    }
    Ok(map)
}
