//! From the ledger's tables to bytes and back.
//!
//! Rows are `MessagePack` with the names of their fields, so that a later version
//! with other fields reads what this one wrote.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a row cannot be read or written.
#[derive(Debug, Error)]
pub(in crate::ledger) enum RowError {
    /// It cannot be made into bytes.
    #[error("a row cannot be encoded: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// The bytes are no row of this table.
    #[error("a row cannot be decoded: {0}")]
    Decode(#[from] rmp_serde::decode::Error),
    /// The file cannot be read or written.
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
}

/// The bytes of a key and of its value.
pub(in crate::ledger) type RowResult = Result<(Vec<u8>, Vec<u8>), RowError>;

/// Takes the bytes of a key, and of its value or none if it was removed.
pub(in crate::ledger) type WriteRow<'a> =
    dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), RowError> + 'a;

/// A table that can be kept in a file.
pub(in crate::ledger) trait Rows {
    /// Whether a row is not saved yet.
    fn has_changed(&self) -> bool;
    /// Writes the rows that are not saved yet.
    fn write_changed(&self, write: &mut WriteRow<'_>) -> Result<(), RowError>;
    /// Writes every row.
    fn write_all(&self, write: &mut WriteRow<'_>) -> Result<(), RowError>;
    /// Replaces all rows by those in a file.
    fn read(&mut self, rows: &mut dyn Iterator<Item = RowResult>) -> Result<(), RowError>;
    /// Takes every row as saved.
    fn set_saved(&mut self);
}

/// A value as bytes.
pub(in crate::ledger) fn encode(value: &impl Serialize) -> Result<Vec<u8>, RowError> {
    Ok(rmp_serde::to_vec_named(value)?)
}

/// A value from its bytes.
pub(in crate::ledger) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RowError> {
    Ok(rmp_serde::from_slice(bytes)?)
}
