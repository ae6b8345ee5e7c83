//! Headers of every answer.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde_saphyr::Spanned;

use super::error::WebConfigError;
use super::reader::Reader;

/// The headers that may be set, and the values of those that know only some.
const KNOWN: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

pub(super) fn resolve(
    reader: &Reader,
    raw: BTreeMap<String, Spanned<String>>,
) -> Result<HeaderMap, WebConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in raw {
        let Some((known, values)) = KNOWN.iter().find(|(known, _)| *known == name) else {
            let known = KNOWN.map(|(known, _)| known).join(", ");
            let rule = format!("this header cannot be set, those are {known}");
            return Err(reader.wrong("http_server_config.headers", &value, rule));
        };
        let key = format!("http_server_config.headers.{known}");
        if !values.is_empty() && !values.contains(&value.value.as_str()) {
            let rule = format!("must be {}", values.join(" or "));
            return Err(reader.wrong(&key, &value, rule));
        }
        let header = HeaderValue::from_str(&value.value);
        let header = header
            .map_err(|_no_header| reader.wrong(&key, &value, "is not the value of a header"))?;
        let name = HeaderName::from_bytes(known.as_bytes());
        headers.insert(name.expect("these are names"), header);
    }
    Ok(headers)
}
