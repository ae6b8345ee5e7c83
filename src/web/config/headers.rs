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

/// The longest name that a message repeats, in bytes.
const LONGEST_NAME: usize = 60;

pub(super) fn resolve(
    reader: &Reader,
    raw: BTreeMap<String, Spanned<String>>,
) -> Result<HeaderMap, WebConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in raw {
        let Some((known, values)) = KNOWN.iter().find(|(known, _)| *known == name) else {
            let known = KNOWN.map(|(known, _)| known).join(", ");
            let rule = format!("this header cannot be set, those are {known}");
            return Err(reader.wrong(&key_of(&name), &value, rule));
        };
        let key = key_of(known);
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

/// The key of a header; what is no header's name is not repeated.
fn key_of(name: &str) -> String {
    let section = "http_server_config.headers";
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(_) if name.len() <= LONGEST_NAME => format!("{section}.{name}"),
        _ => section.to_owned(),
    }
}
