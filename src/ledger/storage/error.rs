//! Why a ledger cannot be read or written.

use std::io;

use thiserror::Error;

use super::RowError;
use crate::panics::caught;

/// Why a ledger cannot be read or written.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The disk does not let us.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file cannot be trusted.
    #[error("{0}")]
    Untrusted(String),
    /// The file is another source's.
    #[error("{0}")]
    Foreign(String),
    /// The file cannot be used, and the disk does not let us set it aside.
    #[error("the file cannot be used ({why}) and cannot be set aside: {error}")]
    Stuck {
        /// Why it cannot be used.
        why: String,
        /// What the disk says.
        error: io::Error,
    },
}

impl StorageError {
    /// What redb says, as a fault of the disk or of the file.
    pub(super) fn of(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::Io(error) if !is_about_content(&error) => Self::Io(error),
            error => Self::Untrusted(error.to_string()),
        }
    }
}

impl From<RowError> for StorageError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Storage(error) => Self::of(error),
            error => Self::Untrusted(error.to_string()),
        }
    }
}

/// Whether an error of reading says that the file is not what it should be.
fn is_about_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// Runs what reads or writes a file: redb may panic over one that is damaged.
pub(super) fn guarded<T>(
    work: impl FnOnce() -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    caught(work).unwrap_or_else(|why| {
        let why = format!("using it failed: {why}");
        Err(StorageError::Untrusted(why))
    })
}
