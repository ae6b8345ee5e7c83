//! The files under `dashboards/`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}

/// The text of a file.
pub(super) fn text(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a sub-folder with an extension, read, each with its name.
pub(super) fn all(sub: &str, extension: &str) -> Vec<(String, Value)> {
    let entries = fs::read_dir(folder().join(sub)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty(), "{sub}: no {extension}");
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let value = if extension == "json" {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            serde_saphyr::from_str(&text).map_err(|error| error.to_string())
        };
        let value = value.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, value)
    };
    paths.into_iter().map(read).collect()
}

/// The elements of a list; none if there is none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text; empty if there is none.
pub(super) fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What stands between two marks, each time.
pub(super) fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .map(|part| {
            part.split_once(close)
                .map_or(part, |(inside, _)| inside)
                .trim()
        })
        .collect()
}
