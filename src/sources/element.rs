//! One element of a listing, read so that a bad one spoils no other.

use std::sync::LazyLock;

use regex::Regex;
use serde::de::DeserializeOwned;

use crate::task::Skipped;

/// How deep JSON may be nested; `serde_json` goes no deeper either.
const DEEPEST: usize = 127;

/// The largest element, in bytes: no task is a thousandth of it.
const LARGEST: usize = 4 << 20;

/// The most objects of one element: sub-tasks, errors and so on.
pub(super) const MOST_OBJECTS: usize = 50_000;

/// An escape that is half of a character; only looked for where parsing failed.
static SURROGATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}").expect("the pattern is valid"));

/// Reads one element of a listing, which was cut out as it is.
pub(super) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Skipped> {
    if !json.trim_start().starts_with('{') {
        return Err(Skipped::NotAnObject);
    }
    read(json)
}

/// Reads what is within an element, which was cut out likewise.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Skipped> {
    if is_too_large(json) {
        let deep = depth(json) > DEEPEST;
        return Err(if deep {
            Skipped::TooDeep
        } else {
            Skipped::TooLarge
        });
    }
    serde_json::from_str(json).or_else(|_error| {
        if depth(json) > DEEPEST {
            return Err(Skipped::TooDeep);
        }
        // A key that stands twice is refused by the derived code; here the last one
        // wins. Half a surrogate pair is no character, and spoils its text alone.
        serde_json::from_str::<serde_json::Value>(&SURROGATE.replace_all(json, r"\ufffd"))
            .and_then(serde_json::from_value)
            .map_err(|_error| Skipped::NotAnObject)
    })
}

fn is_too_large(json: &str) -> bool {
    let objects = || json.bytes().filter(|byte| *byte == b'{').count();
    json.len() > LARGEST || (json.len() > MOST_OBJECTS && objects() > MOST_OBJECTS)
}

/// How deep the JSON is nested.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_no_brackets_in_texts() {
        assert_eq!(depth(r#"{"a":"[[[{\"[[","b":[1,[2]]}"#), 3);
    }
}
