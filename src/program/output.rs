//! Where a command writes what it was asked for: all of it or nothing.

use std::fmt::Display;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::visible;

/// Why something cannot be written.
#[derive(Debug, Error)]
pub enum OutputError {
    /// The file is none that can be replaced; known before anything is polled.
    #[error("--output: {file}: {why}")]
    Unusable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// Writing failed.
    #[error("cannot write {place}: {error}")]
    Write {
        /// Standard output, or the file.
        place: String,
        /// Why.
        error: io::Error,
    },
    /// The program was asked to stop before everything was written.
    #[error("stopped before everything was written")]
    Stopped,
}

/// A place to write one text to.
#[derive(Debug)]
pub(super) enum Output {
    /// Standard output.
    Stdout,
    /// A file, which is replaced.
    File {
        /// Its name as it was given.
        file: PathBuf,
        /// The folder that it is in.
        folder: PathBuf,
    },
}

impl Output {
    /// A file that can be written as far as can be told now.
    pub(super) fn file(file: &Path) -> Result<Self, OutputError> {
        let unusable = |why: String| OutputError::Unusable {
            file: file.display().to_string(),
            why,
        };
        // A folder, a device or a pipe cannot be replaced.
        let replaces = match fs::metadata(file) {
            Ok(found) => found.is_file(),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        if !replaces || file.file_name().is_none() {
            return Err(unusable("is no regular file".to_owned()));
        }
        let folder = match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // It has no name, so nothing stays if the program is killed.
        tempfile::tempfile_in(folder)
            .map_err(|error| unusable(format!("cannot write in {}: {error}", folder.display())))?;
        Ok(Self::File {
            file: file.to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// Writes the text. A reader of standard output that has had enough is no
    /// error; one that reads slowly does not keep the program from stopping.
    pub(super) async fn write(
        self,
        text: String,
        stop: &CancellationToken,
    ) -> Result<(), OutputError> {
        let writing = spawn_blocking(move || self.write_now(&text));
        tokio::select! {
            biased;
            written = writing => written.unwrap_or_else(|ended| {
                std::panic::resume_unwind(ended.into_panic())
            }),
            () = stop.cancelled() => Err(OutputError::Stopped),
        }
    }

    fn write_now(&self, text: &str) -> Result<(), OutputError> {
        let (place, written) = match self {
            Self::Stdout => ("standard output".to_owned(), print(text)),
            Self::File { file, folder } => {
                (file.display().to_string(), replace(file, folder, text))
            }
        };
        written.map_err(|error| OutputError::Write { place, error })
    }
}

/// Says something on standard output, if anybody listens.
pub(super) fn say(line: impl Display) {
    writeln!(io::stdout(), "{}", visible::escape(&line.to_string())).unwrap_or_default();
}

/// Says on standard error what is wrong, if anybody listens.
pub(super) fn complain(line: impl Display) {
    writeln!(io::stderr(), "{}", visible::escape(&line.to_string())).unwrap_or_default();
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Puts a new file in the place of an old one. Its temporary name does not end as
/// those that node_exporter reads.
fn replace(file: &Path, folder: &Path, text: &str) -> io::Result<()> {
    /// For those who read it are other users.
    const MODE: u32 = 0o644;
    let mut new = tempfile::Builder::new()
        .prefix(".virt-task-exporter-")
        .suffix(".tmp")
        .tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file()
        .set_permissions(Permissions::from_mode(MODE))?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("virt.prom");
        for text in ["a 1\n", "b 2\n"] {
            Output::file(&file).unwrap().write_now(text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o644);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_replaced_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing/virt.prom");
        for file in [
            folder.path(),
            Path::new("/dev/null"),
            &missing,
            Path::new(""),
        ] {
            let error = Output::file(file).unwrap_err();
            assert!(matches!(error, OutputError::Unusable { .. }), "{error}");
        }
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("virt.prom");
        let output = Output::file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(matches!(
            output.write_now("a 1\n"),
            Err(OutputError::Write { .. })
        ));
        assert!(file.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
