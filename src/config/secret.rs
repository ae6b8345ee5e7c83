//! A secret: typed into the configuration, or in a file of its own.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_saphyr::Spanned;

use super::error::ConfigError;
use super::raw::{Text, Typed};
use super::section::Section;
use super::warnings::Warnings;
use crate::visible;

/// The largest secret file, in bytes: a path that leads to a log or a device must not fill the memory.
const LARGEST: u64 = 64 * 1024;

/// Where a secret is. Its `Debug` never shows it.
#[derive(Clone, Debug)]
pub enum Secret {
    /// Typed into the configuration.
    Inline(SecretString),
    /// In this file, which is read at each use.
    File(PathBuf),
}

/// Why a secret cannot be had; never says what was read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", visible::path(file))]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is empty, but for a newline.
    #[error("{} is empty", visible::path(.0))]
    Empty(PathBuf),
    /// The file is larger than 64 KiB.
    #[error("{} is too large for a secret", visible::path(.0))]
    TooLarge(PathBuf),
    /// The file is not UTF-8.
    #[error("{} is not UTF-8 text", visible::path(.0))]
    NotText(PathBuf),
}

/// Whether the configuration says the same of both; no file is read.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(one), Self::Inline(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            (Self::File(one), Self::File(other)) => one == other,
            _ => false,
        }
    }
}

impl Secret {
    /// Reads the secret; a file is read anew at each call, and one newline at its end is not part of the secret.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(file) => read(file),
        }
    }

    /// Takes the one of `key` and `file_key` that is given.
    pub(super) fn resolve(
        section: &Section<'_>,
        (key, typed): (&str, Typed<SecretString>),
        (file_key, file): (&str, Text),
        warnings: &mut Warnings,
    ) -> Result<Option<Self>, ConfigError> {
        match (typed, file) {
            (None, None) => Ok(None),
            (Some(typed), None) => Self::inline(section, key, typed, warnings).map(Some),
            (None, Some(file)) => Self::in_file(section, file_key, &file).map(Some),
            (Some(_), Some(file)) => {
                let rule = format!("only one of {key} and {file_key} may be given");
                Err(section.wrong(file_key, &file, rule))
            }
        }
    }

    /// The secret typed under `key`.
    pub(super) fn inline(
        section: &Section<'_>,
        key: &str,
        typed: Spanned<SecretString>,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        let place = section.place(key, &typed);
        let secret = Self::harmless(section, key, typed)?;
        warnings.secret_at(&place);
        Ok(secret)
    }

    /// What is typed under `key` and may be known, though it is kept like a secret.
    pub(super) fn harmless(
        section: &Section<'_>,
        key: &str,
        typed: Spanned<SecretString>,
    ) -> Result<Self, ConfigError> {
        if typed.value.expose_secret().is_empty() {
            return Err(section.wrong(key, &typed, "must not be empty"));
        }
        Ok(Self::Inline(typed.value))
    }

    /// The secret in the file that `key` names.
    pub(super) fn in_file(
        section: &Section<'_>,
        key: &str,
        name: &Spanned<String>,
    ) -> Result<Self, ConfigError> {
        section.file_name(key, name).map(Self::File)
    }
}

fn read(file: &Path) -> Result<SecretString, SecretError> {
    let bytes = read_bytes(file).map_err(|source| SecretError::Read {
        file: file.to_owned(),
        source,
    })?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > LARGEST) {
        return Err(SecretError::TooLarge(file.to_owned()));
    }
    let not_text = SecretError::NotText(file.to_owned());
    let text = SecretString::from(String::from_utf8(bytes).or(Err(not_text))?);
    let secret = without_newline(text.expose_secret());
    if secret.is_empty() {
        return Err(SecretError::Empty(file.to_owned()));
    }
    Ok(SecretString::from(secret))
}

fn read_bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn without_newline(text: &str) -> &str {
    let line = text.strip_suffix('\n').unwrap_or(text);
    if line.len() == text.len() {
        return text;
    }
    line.strip_suffix('\r').unwrap_or(line)
}
