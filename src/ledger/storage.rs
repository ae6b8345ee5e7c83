//! The ledger's file on disk: what outlives the process.
//!
//! One file a source, one transaction a commit, in two phases. A file is looked at
//! through an overlay first, whole and with redb's integrity check, and is only
//! written to once it is known to be sound and ours; one that is not is set aside as
//! it was found.

mod database;
mod disk;
mod error;
mod exposure;
mod folder;
mod memory;
mod overlay;
mod rows;

use jiff::Timestamp;
use redb::{Database, StorageBackend as _};
use serde::{Deserialize, Serialize};
use tracing::{error, warn};

pub(super) use database::Header;
pub(super) use disk::{Bytes, Disk};
pub use error::StorageError;
pub use folder::{Folder, FolderError};
pub use memory::MemoryFile;
pub(super) use rows::{RowError, RowResult, Rows, WriteRow, decode, encode};

use super::Observed;
use disk::FolderDisk;
use error::guarded;
use overlay::Overlay;

/// The tables of a ledger by name.
pub(super) type Tables<'a> = Vec<(&'static str, &'a mut dyn Rows)>;

/// Whose ledger a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The source's name.
    pub source: String,
    /// Its system, in the configuration's word.
    pub system: String,
    /// Its url, without credentials.
    pub url: String,
}

/// The file of one ledger.
#[derive(Debug)]
pub(super) struct Storage {
    disk: Box<dyn Disk>,
    identity: Identity,
    /// Of the last commit that went well; 0 if there is no file yet.
    sequence: u64,
    /// Open for writing; `None` before the first commit and after one that failed.
    database: Option<Database>,
}

impl Storage {
    /// The file of this source in the folder.
    pub(super) fn new(folder: &Folder, identity: Identity) -> Self {
        let disk = FolderDisk::new(folder, &identity.source);
        Self::on(Box::new(disk), identity)
    }

    /// The file on this disk.
    pub(super) fn on(disk: Box<dyn Disk>, identity: Identity) -> Self {
        Self {
            disk,
            identity,
            sequence: 0,
            database: None,
        }
    }

    /// Whose file it is.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Goes on as the file of the same source as it is now; that of another
    /// system is set aside at the next commit.
    pub(super) fn hand_over(&mut self, identity: Identity) {
        if identity.system != self.identity.system {
            self.sequence = 0;
            self.database = None;
        }
        self.identity = identity;
    }

    /// Reads the file into the tables, and returns its header; `None` if there
    /// is no file.
    ///
    /// # Errors
    /// If the disk does not let us read what is there, or that cannot be
    /// trusted: the tables are not to be used then.
    pub(super) fn load(&mut self, tables: Tables<'_>) -> Result<Option<Header>, StorageError> {
        self.sequence = 0;
        let header = guarded(|| {
            let Some(bytes) = self.present(false)? else {
                return Ok(None);
            };
            self.settle(&bytes);
            let (database, header) = self.look(bytes)?;
            database::read(&database, tables)?;
            Ok(Some(header))
        })?;
        self.sequence = header.as_ref().map_or(0, |header| header.sequence);
        Ok(header)
    }

    /// Makes sure that what a process that was killed left to the system is on
    /// the disk before it is shown; a broken disk keeps nobody from serving.
    fn settle(&self, bytes: &Bytes) {
        if let Err(error) = bytes.sync_data() {
            let source = &self.identity.source;
            warn!(%source, %error, "what the ledger holds may not outlive a power failure");
        }
    }

    /// Gives a file that cannot be used another name.
    pub(super) fn set_aside(
        &mut self,
        why: &StorageError,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let set_aside = self.disk.set_aside(now);
        let kept_as = set_aside.map_err(|error| StorageError::Stuck {
            why: why.to_string(),
            error,
        })?;
        let source = &self.identity.source;
        if let StorageError::Foreign(why) = why {
            error!(
                %source, why, kept_as,
                "the file of the ledger is of another source and was set aside; \
                 to go on with it, stop the exporter and give it the name of that source"
            );
        } else {
            error!(%source, %why, kept_as, "the file of the ledger cannot be trusted and was set aside");
        }
        Ok(())
    }

    /// Writes what changed in one transaction, which is on the disk when this
    /// returns; everything, where the file is not the one last written to.
    ///
    /// # Errors
    /// If the disk is full, read-only or broken. A later call with the same
    /// tables makes up for it.
    pub(super) fn commit(
        &mut self,
        tables: &Tables<'_>,
        observed: Observed,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let header = Header {
            identity: self.identity.clone(),
            sequence: self.sequence + 1,
            observed,
        };
        let result = self.write(tables, &header, now);
        match result {
            Ok(()) => self.sequence = header.sequence,
            // After an error redb refuses everything until it is opened again.
            Err(_) => self.database = None,
        }
        result
    }

    fn write(
        &mut self,
        tables: &Tables<'_>,
        header: &Header,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        // A file that somebody took away is written anew, and not to where nobody finds it.
        if self.disk.size()?.is_none() {
            self.database = None;
        }
        let unusable = match self.reopen() {
            Ok(()) => None,
            Err(error @ (StorageError::Untrusted(_) | StorageError::Foreign(_))) => Some(error),
            Err(error) => return Err(error),
        };
        if let Some(database) = &self.database {
            return guarded(|| database::write(database, tables, false, header));
        }
        // Everything is in the new file before another one loses its name.
        let database = guarded(|| {
            let database = database::create(self.disk.create()?)?;
            database::write(&database, tables, true, header)?;
            Ok(database)
        })?;
        if let Some(why) = unusable {
            self.set_aside(&why, now)?;
        }
        self.disk.install()?;
        self.database = Some(database);
        Ok(())
    }

    /// How large the file is, in bytes; `None` if there is none.
    pub(super) fn size(&self) -> Option<u64> {
        self.disk.size().ok().flatten()
    }

    /// Opens the file for writing, if there is one and it holds what was last
    /// committed; a commit that failed may have reached the disk all the same.
    ///
    /// # Errors
    /// If the disk does not let us, or the file cannot be trusted: what it held
    /// is in memory then, and is to be written anew.
    fn reopen(&mut self) -> Result<(), StorageError> {
        if self.database.is_some() {
            return Ok(());
        }
        self.database = guarded(|| {
            let Some(bytes) = self.present(true)? else {
                return Ok(None);
            };
            let found = self.look(bytes.clone())?.1.sequence;
            if (self.sequence..=self.sequence + 1).contains(&found) {
                return database::open(bytes).map(Some);
            }
            let why = format!("it holds commit {found} instead of {}", self.sequence);
            Err(StorageError::Untrusted(why))
        })?;
        Ok(())
    }

    /// Looks at a file and leaves it as it is; it is sound and ours if this goes well.
    fn look(&self, bytes: Bytes) -> Result<(Database, Header), StorageError> {
        let database = database::open(Overlay::new(bytes)?)?;
        let header = database::read_header(&database)?;
        self.check(&header.identity)?;
        Ok((database, header))
    }

    /// The file's bytes; redb would take an empty file for a new one.
    fn present(&self, write: bool) -> Result<Option<Bytes>, StorageError> {
        if self.disk.size()? == Some(0) {
            return Err(StorageError::Untrusted("it is empty".to_owned()));
        }
        Ok(self.disk.open(write)?)
    }

    /// A file is a source's if it has its name, whatever its url was, or its
    /// url, whatever it was called.
    fn check(&self, found: &Identity) -> Result<(), StorageError> {
        let ours = &self.identity;
        let same = found.source == ours.source || found.url == ours.url;
        if same && found.system == ours.system {
            return Ok(());
        }
        Err(StorageError::Foreign(format!(
            "it is of the source {} ({}, {})",
            found.source, found.system, found.url
        )))
    }
}

#[cfg(test)]
mod tests;
