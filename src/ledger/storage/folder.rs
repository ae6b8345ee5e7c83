//! The folder of the ledgers, which one exporter has for itself.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use thiserror::Error;
use tracing::warn;

use super::exposure::{Exposure, exposures};

/// The file whose lock is the folder's.
const LOCK: &str = ".lock";

/// Why a folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Another exporter uses it.
    #[error("--storage.path: {folder}: in use by another exporter{}; each needs a folder of its own",
        .process.as_deref().map(|id| format!(" (process {id})")).unwrap_or_default())]
    InUse {
        /// The folder.
        folder: String,
        /// The other one's process, where it says so.
        process: Option<String>,
    },
    /// It cannot be made, or not be read.
    #[error(
        "--storage.path: {folder}: {error}; name another folder, or an empty one for memory only"
    )]
    Unusable {
        /// The folder.
        folder: String,
        /// Why.
        error: io::Error,
    },
}

/// A folder that no other exporter can use while this value lives; the system
/// lets go of the lock when the process ends, however it does.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Arc<Lock>,
}

/// The lock of a folder; open while the folder is read-only.
#[derive(Debug)]
pub(super) struct Lock {
    folder: PathBuf,
    held: Mutex<Option<File>>,
}

impl Folder {
    /// Makes the folder where it is missing, for its owner alone, and locks it.
    ///
    /// # Errors
    /// If another exporter uses it, or it cannot be used at all.
    pub fn lock(path: &Path) -> Result<Self, FolderError> {
        let unusable = |error| FolderError::Unusable {
            folder: path.display().to_string(),
            error,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let lock = Lock {
            folder: path.to_owned(),
            held: Mutex::new(None),
        };
        match lock.take() {
            Ok(()) => {}
            // Nobody can write there, so nobody can be disturbed.
            Err(FolderError::Unusable { error, .. })
                if error.kind() == io::ErrorKind::ReadOnlyFilesystem =>
            {
                warn!(folder = %path.display(), "the folder of the ledgers is read-only");
            }
            Err(error) => return Err(error),
        }
        warn_of(&exposures(path).map_err(unusable)?);
        Ok(Self {
            path: path.to_owned(),
            lock: Arc::new(lock),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its lock, to be taken before anything is written.
    pub(super) fn guard(&self) -> Weak<Lock> {
        Arc::downgrade(&self.lock)
    }
}

impl Lock {
    /// Takes the lock, if that could not be done before.
    pub(super) fn take(&self) -> Result<(), FolderError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some(self.open().and_then(|file| take(file, &self.folder))?);
        }
        drop(held);
        Ok(())
    }

    fn open(&self) -> Result<File, FolderError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.folder.join(LOCK));
        file.map_err(|error| FolderError::Unusable {
            folder: self.folder.display().to_string(),
            error,
        })
    }
}

/// Modes are left as they are: somebody may have wanted them.
fn warn_of(exposures: &[Exposure]) {
    for exposure in exposures {
        warn!(
            path = %exposure.path.display(),
            mode = format_args!("{:04o}", exposure.mode),
            wanted = format_args!("{:04o}", exposure.wanted),
            "others than the exporter can read or change the ledgers"
        );
    }
}

/// Takes the lock, and writes who has it.
fn take(mut lock: File, folder: &Path) -> Result<File, FolderError> {
    let path = folder.display().to_string();
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let process = lock
                .read_to_string(&mut process)
                .ok()
                .map(|_| process.trim().to_owned())
                .filter(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()));
            return Err(FolderError::InUse {
                folder: path,
                process,
            });
        }
        Err(TryLockError::Error(error)) => {
            return Err(FolderError::Unusable {
                folder: path,
                error,
            });
        }
    }
    // Who has the lock is told for comfort; a full disk may not take it.
    let told = lock
        .set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()));
    if let Err(error) = told {
        warn!(folder = path, %error, "the lock of the ledgers cannot be written");
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_is_made_for_its_owner_alone_and_had_once() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("deep/data");
        let folder = Folder::lock(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let error = Folder::lock(&path).unwrap_err().to_string();
        let process = format!(
            "in use by another exporter (process {})",
            std::process::id()
        );
        assert!(error.contains(&process), "{error}");
        drop(folder);
        Folder::lock(&path).unwrap();
    }

    #[test]
    fn a_folder_that_became_writable_is_locked_before_it_is_written_to() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().to_owned();
        let late = || Lock {
            folder: path.clone(),
            held: Mutex::new(None),
        };
        let (first, second) = (late(), late());
        first.take().unwrap();
        first.take().unwrap();
        let error = second.take().unwrap_err().to_string();
        assert!(error.contains("in use by another exporter"), "{error}");
        drop(first);
        second.take().unwrap();
    }

    #[test]
    fn a_file_is_no_folder() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("data");
        fs::write(&path, "").unwrap();
        let error = Folder::lock(&path).unwrap_err().to_string();
        assert!(error.contains("name another folder"), "{error}");
    }
}
