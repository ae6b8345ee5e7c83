//! What the user typed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::{Error as YamlError, Location, Spanned};

use super::error::WebConfigError;
use super::reader::{Reader, place};
use crate::web::rate::Rate;

/// A text value; `None` if the key is absent or has no value.
pub(super) type Text = Option<Spanned<String>>;

/// The longest key that a message repeats, in bytes.
const LONGEST_KEY: usize = 60;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) tls_server_config: Option<Spanned<Tls>>,
    pub(super) http_server_config: Option<Http>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Spanned<String>>>,
    pub(super) rate_limit: Option<RateLimit>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert: Text,
    pub(super) key: Text,
    pub(super) client_ca: Text,
    pub(super) cert_file: Text,
    pub(super) key_file: Text,
    pub(super) client_ca_file: Text,
    pub(super) client_auth_type: Text,
    pub(super) client_allowed_sans: Option<Vec<Spanned<String>>>,
    pub(super) min_version: Text,
    pub(super) max_version: Text,
    pub(super) cipher_suites: Option<Vec<Spanned<String>>>,
    pub(super) curve_preferences: Option<Vec<Spanned<String>>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    /// HTTP/1.1 is spoken whatever this says, which every client can.
    #[expect(dead_code, reason = "the format has it, and it changes nothing")]
    http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimit {
    interval: Text,
    burst: Option<Spanned<u32>>,
}

impl File {
    pub(super) fn read(reader: &mut Reader) -> Result<Self, WebConfigError> {
        let text = reader.text()?;
        let options = serde_saphyr::options! { with_snippet: false };
        let read: Result<Option<Self>, _> = serde_saphyr::from_str_with_options(&text, options);
        read.map(Option::unwrap_or_default).map_err(|error| {
            let error = innermost(&error);
            let at = error.location().unwrap_or(Location::UNKNOWN);
            reader.at(place(at), "", rule(error))
        })
    }
}

fn innermost(error: &YamlError) -> &YamlError {
    match error.without_snippet() {
        YamlError::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

/// The reader's own words would repeat values, which may be secrets.
fn rule(error: &YamlError) -> String {
    match error {
        YamlError::SerdeUnknownField {
            field, expected, ..
        } => {
            let mut known = expected.clone();
            known.sort_unstable();
            let known = known.join(", ");
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if field.len() <= LONGEST_KEY && field.chars().all(plain) {
                format!("{field} is an unknown key, known are {known}")
            } else {
                format!("unknown key, known are {known}")
            }
        }
        YamlError::DuplicateMappingKey { .. } => "this key stands twice".to_owned(),
        YamlError::InvalidBooleanStrict { .. } => "must be true or false".to_owned(),
        YamlError::MultipleDocuments { .. } => "only one YAML document may be given".to_owned(),
        _ => "is not YAML, or a value has another type than it must".to_owned(),
    }
}

/// The rate limit, if there is one.
pub(super) fn rate(reader: &Reader, raw: RateLimit) -> Result<Option<Rate>, WebConfigError> {
    let Some(interval) = raw.interval else {
        return Ok(None);
    };
    let Some(length) = duration(&interval.value) else {
        let rule = "must be a duration such as 100ms, 1s or 1m30s";
        return Err(reader.wrong("rate_limit.interval", &interval, rule));
    };
    if length.is_zero() {
        return Ok(None);
    }
    match raw.burst {
        Some(burst) if burst.value > 0 => Ok(Some(Rate::new(length, burst.value))),
        Some(burst) => {
            let rule = "must be at least 1, or nobody is ever answered";
            Err(reader.wrong("rate_limit.burst", &burst, rule))
        }
        None => {
            let rule = "needs a burst of at least 1 beside it";
            Err(reader.wrong("rate_limit.interval", &interval, rule))
        }
    }
}

/// A duration as Go writes it, such as `1m30s` or `1.5h`; 0 needs no unit.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let length = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * length;
        rest = after;
    }
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let millis = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("1m30s"), Some(90_000));
        assert_eq!(millis("1.5s"), Some(1500));
        assert_eq!(millis("20ms"), Some(20));
        assert_eq!(millis("0"), Some(0));
        for nonsense in ["", "1", "s", "1d", "-1s", "1s2", "1..5s", "1 s"] {
            assert_eq!(millis(nonsense), None, "{nonsense}");
        }
    }
}
