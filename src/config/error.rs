//! What is wrong with a configuration, and where.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::visible;

/// A reason to refuse a configuration: one line, without any value from the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read: {source}", visible::path(file))]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file breaks a rule.
    #[error("{place}: {}", visible::line(rule))]
    Invalid {
        /// Where.
        place: Place,
        /// The rule, as words for the user.
        rule: String,
    },
}

/// A place in a configuration file, written `FILE:LINE:COLUMN: KEY.PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The keys that lead there, such as `sources[1].url`; empty for the file as a whole.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = visible::path(&self.file);
        write!(f, "{file}:{}:{}", self.line, self.column)?;
        if self.path.is_empty() {
            return Ok(());
        }
        // A key of a map may be any text.
        write!(f, ": {}", visible::line(&self.path))
    }
}

/// An error about the first place of a key that the source's system does not have.
pub(super) fn not_of_this_system(
    places: impl IntoIterator<Item = Option<Place>>,
) -> Result<(), ConfigError> {
    let Some(place) = places.into_iter().flatten().next() else {
        return Ok(());
    };
    let rule = "is a key of another system".to_owned();
    Err(ConfigError::Invalid { place, rule })
}
