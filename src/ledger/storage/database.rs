//! The tables of a ledger as redb's.

use std::io;

use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, StorageBackend,
    TableDefinition, TableError, WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::error::guarded;
use super::{Identity, RowError, RowResult, Rows, StorageError, Tables, decode, encode};
use crate::ledger::Observed;

/// The version of the layout. A field added to the end of a row is no new
/// version; one that changes its meaning is.
pub(super) const FORMAT: u32 = 1;

/// What redb may hold of a file in memory, in bytes. The ledger itself is in
/// memory, so this serves the commits alone.
const CACHE: usize = 4 << 20;

/// Where redb's header has its flags, and the one of a commit in two phases (redb 4.5,
/// docs/design.md).
const FLAGS: u64 = 9;
const TWO_PHASES: u8 = 1 << 2;

pub(super) type Table = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// What the file says of itself: the version of its layout, and the header.
pub(super) const ABOUT: Table = Table::new("about");
pub(super) const FORMAT_KEY: &[u8] = b"format";
const HEADER_KEY: &[u8] = b"header";

/// What a file says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::ledger) struct Header {
    /// Whose ledger it is.
    pub(in crate::ledger) identity: Identity,
    /// Rises with each commit, from 1.
    pub(super) sequence: u64,
    /// The ledger's own clock, as of the commit.
    pub(in crate::ledger) observed: Observed,
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE);
    builder
}

/// Makes a database of an empty file.
pub(super) fn create(backend: impl StorageBackend) -> Result<Database, StorageError> {
    let database = builder().create_with_backend(backend);
    database.map_err(StorageError::of)
}

/// Opens a database and checks all of it; each page before what it points to is read.
pub(super) fn open(backend: impl StorageBackend) -> Result<Database, StorageError> {
    let settled = settle_for_the_last(&backend);
    settled.map_err(|error| StorageError::of(redb::StorageError::from(error)))?;
    let mut builder = builder();
    builder.set_check_integrity_on_open(true);
    let database = builder.create_with_backend(backend);
    database.map_err(StorageError::of)
}

/// After a commit in one phase redb may take another one for the last, and follow that
/// without a look at its checksum. Ours are in two phases, but for one that redb may
/// make when it closes after a panic.
fn settle_for_the_last(backend: &impl StorageBackend) -> io::Result<()> {
    let mut flags = [0];
    backend.read(FLAGS, &mut flags)?;
    if flags[0] & TWO_PHASES == 0 {
        backend.write(FLAGS, &[flags[0] | TWO_PHASES])?;
    }
    Ok(())
}

/// Reads the header.
pub(super) fn read_header(database: &Database) -> Result<Header, StorageError> {
    let transaction = database.begin_read().map_err(StorageError::of)?;
    let table = transaction.open_table(ABOUT).map_err(StorageError::of)?;
    let row = |key| {
        let row = table.get(key).map_err(StorageError::of)?;
        let missing = || StorageError::Untrusted("it is no ledger".to_owned());
        row.map(|row| row.value().to_vec()).ok_or_else(missing)
    };
    let format: u32 = decode(&row(FORMAT_KEY)?)?;
    if format != FORMAT {
        let why = format!("its format is {format}, and this version knows {FORMAT}");
        return Err(StorageError::Untrusted(why));
    }
    Ok(decode(&row(HEADER_KEY)?)?)
}

/// Reads all rows.
pub(super) fn read(database: &Database, tables: Tables<'_>) -> Result<(), StorageError> {
    let transaction = database.begin_read().map_err(StorageError::of)?;
    for (name, rows) in tables {
        read_table(&transaction, name, rows)?;
    }
    Ok(())
}

fn read_table(
    transaction: &ReadTransaction,
    name: &'static str,
    rows: &mut dyn Rows,
) -> Result<(), StorageError> {
    let table = match transaction.open_table(Table::new(name)) {
        Ok(table) => table,
        // A later version may have more tables.
        Err(TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(error) => return Err(StorageError::of(error)),
    };
    let mut found = table.iter().map_err(StorageError::of)?.map(|row| {
        let (key, value) = row.map_err(RowError::Storage)?;
        RowResult::Ok((key.value().to_vec(), value.value().to_vec()))
    });
    Ok(rows.read(&mut found)?)
}

/// Writes the header and the rows that changed, or all, in one transaction.
pub(super) fn write(
    database: &Database,
    tables: &Tables<'_>,
    all: bool,
    header: &Header,
) -> Result<(), StorageError> {
    let mut transaction = database.begin_write().map_err(StorageError::of)?;
    transaction.set_two_phase_commit(true);
    // A panic that goes through the transaction makes redb commit in one phase when it closes.
    guarded(|| {
        for (name, rows) in tables {
            if all || rows.has_changed() {
                write_table(&transaction, name, &**rows, all)?;
            }
        }
        write_header(&transaction, header)
    })?;
    transaction.commit().map_err(StorageError::of)
}

fn write_table(
    transaction: &WriteTransaction,
    name: &'static str,
    rows: &dyn Rows,
    all: bool,
) -> Result<(), StorageError> {
    let table = transaction.open_table(Table::new(name));
    let mut table = table.map_err(StorageError::of)?;
    let mut write = |key: &[u8], value: Option<&[u8]>| {
        match value {
            Some(value) => drop(table.insert(key, value)?),
            None => drop(table.remove(key)?),
        }
        Ok(())
    };
    let written = if all {
        rows.write_all(&mut write)
    } else {
        rows.write_changed(&mut write)
    };
    Ok(written?)
}

fn write_header(transaction: &WriteTransaction, header: &Header) -> Result<(), StorageError> {
    let mut table = transaction.open_table(ABOUT).map_err(StorageError::of)?;
    for (key, value) in [
        (FORMAT_KEY, encode(&FORMAT)?),
        (HEADER_KEY, encode(header)?),
    ] {
        let before = table.insert(key, value.as_slice());
        drop(before.map_err(StorageError::of)?);
    }
    Ok(())
}
