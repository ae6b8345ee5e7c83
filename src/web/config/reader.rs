//! Reads files and remembers what was in them, so that a change is seen.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_saphyr::{Location, Spanned};

use super::error::WebConfigError;
use crate::config;

/// One reading of a web configuration.
#[derive(Debug)]
pub(crate) struct Reader {
    file: PathBuf,
    read: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl Reader {
    pub(crate) fn new(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            read: Vec::new(),
        }
    }

    /// The web configuration itself.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// For another reading of the same file.
    pub(crate) fn again(&self) -> Self {
        Self::new(&self.file)
    }

    /// Whether all that was read would be read again.
    pub(crate) fn still_holds(&self) -> bool {
        let mut files = self.read.iter();
        files.all(|(path, bytes)| fs::read(path).ok() == *bytes)
    }

    /// What is written in it.
    pub(super) fn text(&mut self) -> Result<String, WebConfigError> {
        let file = self.file.clone();
        let bytes = self.bytes(&file);
        let bytes = bytes.map_err(|source| WebConfigError::Read { file, source })?;
        config::text(bytes).map_err(|place| self.at(place, "", "is not UTF-8 text"))
    }

    /// The file that the value of `key` names, relative to the folder.
    pub(super) fn named(
        &mut self,
        key: &str,
        name: &Spanned<String>,
    ) -> Result<Vec<u8>, WebConfigError> {
        let folder = self.file.parent().unwrap_or_else(|| Path::new(""));
        let path = folder.join(&name.value);
        self.bytes(&path).map_err(|error| {
            let rule = format!("cannot read {}: {error}", path.display());
            self.wrong(key, name, rule)
        })
    }

    fn bytes(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let read = fs::read(path);
        let kept = read.as_ref().ok().cloned();
        self.read.push((path.to_owned(), kept));
        read
    }

    /// An error about `value`, the value of `key`.
    pub(super) fn wrong<T>(
        &self,
        key: &str,
        value: &Spanned<T>,
        rule: impl Into<String>,
    ) -> WebConfigError {
        self.at(place(value.defined), key, rule)
    }

    /// An error about a line and a column of the file.
    pub(super) fn at(
        &self,
        (line, column): (u64, u64),
        key: &str,
        rule: impl Into<String>,
    ) -> WebConfigError {
        let file = self.file.display();
        let key = if key.is_empty() {
            String::new()
        } else {
            format!(": {key}")
        };
        WebConfigError::Invalid {
            place: format!("{file}:{line}:{column}{key}"),
            rule: rule.into(),
        }
    }
}

/// A line and a column of the file, both from 1.
pub(super) fn place(at: Location) -> (u64, u64) {
    (at.line().max(1), at.column().max(1))
}
