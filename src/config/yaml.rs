//! From YAML text to what the user typed; every error becomes one line without a value of the file in it.

use std::path::Path;

use serde_path_to_error::Segment;
use serde_saphyr::{Error as YamlError, Location};

use super::error::ConfigError;
use super::raw::File;
use super::section::{join, place};

/// Two keys this many letters apart are taken for a typing error.
const NEAR: usize = 2;

/// The longest key that a message repeats, in bytes.
const LONGEST_KEY: usize = 60;

/// Reads `text`, the content of `file`.
pub(super) fn read(text: &str, file: &Path) -> Result<File, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let mut path = String::new();
    let read = |deserializer: serde_saphyr::Deserializer<'_, '_>| {
        let read: Result<Option<File>, _> = serde_path_to_error::deserialize(deserializer);
        read.map_err(|error| {
            path = key_path(error.path());
            error.into_inner()
        })
    };
    match serde_saphyr::with_deserializer_from_str_with_options(text, options, read) {
        Ok(read) => Ok(read.unwrap_or_default()),
        Err(error) => {
            let error = innermost(&error);
            let at = error.location().unwrap_or(Location::UNKNOWN);
            let place = place(file, path_to(error, path), at);
            let rule = rule(error);
            Err(ConfigError::Invalid { place, rule })
        }
    }
}

fn innermost(error: &YamlError) -> &YamlError {
    match error.without_snippet() {
        YamlError::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

/// The path in the file: `Spanned` adds a `value` of its own to each.
fn key_path(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .fold(String::new(), |text, segment| match segment {
            Segment::Seq { index } => format!("{text}[{index}]"),
            Segment::Map { key } if key != "value" && is_key(key) => join(&text, key),
            _ => text,
        })
}

/// The reader knows the place of a key that stands twice, but not its path.
fn path_to(error: &YamlError, path: String) -> String {
    match error {
        YamlError::DuplicateMappingKey { key: Some(key), .. } if is_key(key) => join(&path, key),
        _ => path,
    }
}

/// Whether `text` may be repeated as a key: in `{password:hunter2}` the key is the secret.
fn is_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.len() <= LONGEST_KEY && text.chars().all(plain)
}

fn rule(error: &YamlError) -> String {
    match error {
        YamlError::SerdeUnknownField {
            field, expected, ..
        } => unknown_key(field, expected),
        YamlError::DuplicateMappingKey { .. } => "this key stands twice".to_owned(),
        YamlError::Unexpected { expected, .. } => wrong_type(expected).to_owned(),
        YamlError::InvalidScalar { .. } | YamlError::InvalidBooleanStrict { .. } => {
            "must be true or false".to_owned()
        }
        YamlError::TaggedScalarCannotDeserializeIntoString { .. }
        | YamlError::InvalidBinaryBase64 { .. }
        | YamlError::BinaryNotUtf8 { .. } => "must be a text".to_owned(),
        YamlError::UnknownAnchor { .. } => "this alias has no anchor before it".to_owned(),
        YamlError::RecursiveReferencesRequireWeakTypes { .. } => {
            "this alias stands within its own anchor".to_owned()
        }
        YamlError::MergeValueNotMapOrSeqOfMaps { .. } => "<< needs a mapping".to_owned(),
        YamlError::MultipleDocuments { .. } => "only one YAML document may be given".to_owned(),
        YamlError::ExternalMessage { msg, .. } => format!("is not YAML: {}", one_line(msg)),
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. } => {
            "is too large, too deeply nested or has too many aliases".to_owned()
        }
        _ => "cannot be understood".to_owned(),
    }
}

fn wrong_type(expected: &str) -> &'static str {
    match expected {
        "mapping start" => "must be a mapping",
        "sequence start" => "must be a list",
        "string scalar" => "must be a text",
        _ => "must be another type",
    }
}

/// The parser's own words name single characters at most.
fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect()
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    if key.contains(':') {
        return "unknown key; a blank must follow the colon".to_owned();
    }
    let near = known.iter().map(|word| (distance(key, word), word)).min();
    match near {
        Some((steps, word)) if steps <= NEAR => format!("unknown key, did you mean {word}?"),
        _ => {
            let mut known = known.to_vec();
            known.sort_unstable();
            format!("unknown key, known are {}", known.join(", "))
        }
    }
}

/// How many letters must be put in, left out or changed to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    if one.len() > LONGEST_KEY {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut left = above + 1;
        let mut next = vec![left];
        let pairs = row.iter().zip(row.iter().skip(1));
        for ((diagonal, up), b) in pairs.zip(other.chars()) {
            left = (diagonal + usize::from(a != b)).min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
