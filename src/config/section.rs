//! A mapping of the file while it is judged: knows its own place, and so that of each of its keys.

use std::path::{Path, PathBuf};

use serde_saphyr::{Location, Spanned};

use super::error::{ConfigError, Place};

/// One mapping of the configuration file.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    file: &'a Path,
    path: String,
    at: Location,
}

impl<'a> Section<'a> {
    /// The file's top level.
    pub(super) fn top(file: &'a Path) -> Self {
        let path = String::new();
        let at = Location::UNKNOWN;
        Self { file, path, at }
    }

    /// The section under `key`.
    pub(super) fn child<T>(&self, key: &str, value: &Spanned<T>) -> Self {
        let path = self.path_of(key);
        Self {
            file: self.file,
            path,
            at: value.defined,
        }
    }

    /// The section that is element `index` of the list under `key`.
    pub(super) fn element<T>(&self, key: &str, index: usize, value: &Spanned<T>) -> Self {
        self.child(&format!("{key}[{index}]"), value)
    }

    /// The place of `value`, the value of `key`.
    pub(super) fn place<T>(&self, key: &str, value: &Spanned<T>) -> Place {
        place(self.file, self.path_of(key), value.defined)
    }

    /// Its own place.
    pub(super) fn here(&self) -> Place {
        place(self.file, self.path.clone(), self.at)
    }

    /// An error about `value`, the value of `key`.
    pub(super) fn wrong<T>(
        &self,
        key: &str,
        value: &Spanned<T>,
        rule: impl Into<String>,
    ) -> ConfigError {
        let place = self.place(key, value);
        let rule = rule.into();
        ConfigError::Invalid { place, rule }
    }

    /// An error about `key`, which is not there.
    pub(super) fn lacks(&self, key: &str, rule: impl Into<String>) -> ConfigError {
        let place = place(self.file, self.path_of(key), self.at);
        let rule = rule.into();
        ConfigError::Invalid { place, rule }
    }

    /// An error about the section itself.
    pub(super) fn fails(&self, rule: impl Into<String>) -> ConfigError {
        let place = self.here();
        let rule = rule.into();
        ConfigError::Invalid { place, rule }
    }

    /// A file name in the configuration is relative to the configuration's folder.
    pub(super) fn file_name(
        &self,
        key: &str,
        value: &Spanned<String>,
    ) -> Result<PathBuf, ConfigError> {
        if value.value.is_empty() {
            return Err(self.wrong(key, value, "must not be empty"));
        }
        if value.value.contains('\0') {
            return Err(self.wrong(key, value, "must not contain a NUL character"));
        }
        let folder = self.file.parent().unwrap_or_else(|| Path::new(""));
        Ok(folder.join(&value.value))
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

/// The key path that leads on from `path` to `key`.
pub(super) fn join(path: &str, key: &str) -> String {
    match path {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    }
}

/// The place in `file` of what has the key path `path`.
pub(super) fn place(file: &Path, path: String, at: Location) -> Place {
    Place {
        file: file.to_owned(),
        line: at.line().max(1),
        column: at.column().max(1),
        path,
    }
}
