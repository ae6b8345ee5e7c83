//! Where the file of a ledger lies.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use redb::StorageBackend;
use redb::backends::FileBackend;

use super::folder::{Folder, FolderError, Lock};

/// The bytes of a file. Clones are the same file.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Bytes(Arc<dyn StorageBackend>);

/// One file that can be replaced as a whole; behind a trait, so that tests can
/// have a disk that fails.
pub(in crate::ledger) trait Disk: Debug + Send {
    /// The file, to read and, if `write`, to change; `None` if there is none.
    fn open(&self, write: bool) -> io::Result<Option<Bytes>>;
    /// A new empty file beside it.
    fn create(&self) -> io::Result<Bytes>;
    /// Puts the new file in its place, where there must be none.
    fn install(&self) -> io::Result<()>;
    /// Gives the file another name, and returns that.
    fn set_aside(&self, now: Timestamp) -> io::Result<String>;
    /// How large the file is, in bytes; `None` if there is none.
    fn size(&self) -> io::Result<Option<u64>>;
}

impl Bytes {
    pub(in crate::ledger) fn new(backend: impl StorageBackend) -> Self {
        Self(Arc::new(backend))
    }
}

/// Locks are left out: the folder is locked as a whole.
impl StorageBackend for Bytes {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

/// How the names of ledgers end.
pub(super) const ENDING: &str = "redb";

/// A file in a folder.
#[derive(Debug)]
pub(super) struct FolderDisk {
    folder: PathBuf,
    /// Held by the folder, and for as long as that lives.
    lock: Weak<Lock>,
    name: String,
}

impl FolderDisk {
    /// The file for the ledger of `source`, whose name is safe as a file's.
    pub(super) fn new(folder: &Folder, source: &str) -> Self {
        Self {
            folder: folder.path().to_owned(),
            lock: folder.guard(),
            name: format!("{source}.{ENDING}"),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn new_path(&self) -> PathBuf {
        self.folder.join(format!("{}.new", self.name))
    }

    /// Makes sure that no other exporter writes here.
    fn guard(&self) -> io::Result<()> {
        let taken = self.lock.upgrade().map(|lock| lock.take());
        taken.transpose().map(drop).map_err(|error| match error {
            FolderError::Unusable { error, .. } => error,
            in_use @ FolderError::InUse { .. } => {
                io::Error::new(io::ErrorKind::ResourceBusy, in_use)
            }
        })
    }

    /// Makes sure that a change of names outlives a crash.
    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

impl Disk for FolderDisk {
    fn open(&self, write: bool) -> io::Result<Option<Bytes>> {
        if write {
            self.guard()?;
        }
        match OpenOptions::new().read(true).write(write).open(self.path()) {
            Ok(file) => bytes(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn create(&self) -> io::Result<Bytes> {
        self.guard()?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.new_path())?;
        bytes(file)
    }

    fn install(&self) -> io::Result<()> {
        fs::rename(self.new_path(), self.path())?;
        self.sync_folder()
    }

    fn set_aside(&self, now: Timestamp) -> io::Result<String> {
        self.guard()?;
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        let ending = |end: &str| format!("{}.damaged-{stamp}{end}", self.name);
        let names = std::iter::once(ending("")).chain((2..).map(|n| ending(&format!("-{n}"))));
        for name in names {
            let path = self.folder.join(&name);
            // Renaming would replace a file of that name.
            if !fs::exists(&path)? {
                fs::rename(self.path(), path)?;
                self.sync_folder()?;
                return Ok(name);
            }
        }
        unreachable!("the names do not end")
    }

    fn size(&self) -> io::Result<Option<u64>> {
        match fs::metadata(self.path()) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn bytes(file: File) -> io::Result<Bytes> {
    let backend = FileBackend::new(file).map_err(io::Error::other)?;
    Ok(Bytes::new(backend))
}
