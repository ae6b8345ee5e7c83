//! What is wrong with a web configuration.

use std::io;
use std::path::PathBuf;

use crate::visible;

/// A reason to refuse a web configuration: one line without secrets.
#[derive(Debug, thiserror::Error)]
pub enum WebConfigError {
    /// The file cannot be read.
    #[error("--web.config.file: {}: cannot read: {source}", visible::path(file))]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file breaks a rule.
    #[error("--web.config.file: {}", visible::line(&format!("{place}: {rule}")))]
    Invalid {
        /// `FILE:LINE:COLUMN: KEY`, as far as they are known.
        place: String,
        /// The rule.
        rule: String,
    },
}
