//! A ledger's file in memory.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use redb::StorageBackend as _;
use redb::backends::InMemoryBackend;

use super::disk::{Bytes, Disk};

/// A file in memory, which outlives the ledger that is kept in it: to try what a
/// ledger makes of any bytes, thousands of times a second. Clones are the same file.
#[derive(Debug, Clone, Default)]
pub struct MemoryFile(Arc<Mutex<Names>>);

/// What there is under each name.
#[derive(Debug, Default)]
struct Names {
    file: Option<Bytes>,
    new: Option<Bytes>,
    aside: Option<Bytes>,
}

impl MemoryFile {
    /// A file of these bytes.
    ///
    /// # Errors
    /// None that is known: memory that is lacking ends the process.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let content = empty();
        content.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        content.write(0, bytes)?;
        let file = Self::default();
        file.names().file = Some(content);
        Ok(file)
    }

    /// What the file holds; nothing if there is none.
    ///
    /// # Errors
    /// None that is known.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        let content = self.names().file.clone();
        content.as_ref().map_or_else(|| Ok(Vec::new()), copy)
    }

    /// What was set aside because it could not be trusted.
    ///
    /// # Errors
    /// None that is known.
    pub fn aside(&self) -> io::Result<Option<Vec<u8>>> {
        let content = self.names().aside.clone();
        content.as_ref().map(copy).transpose()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for MemoryFile {
    fn open(&self, _write: bool) -> io::Result<Option<Bytes>> {
        Ok(self.names().file.clone())
    }

    fn create(&self) -> io::Result<Bytes> {
        let content = empty();
        self.names().new = Some(content.clone());
        Ok(content)
    }

    fn install(&self) -> io::Result<()> {
        let mut names = self.names();
        names.file = names.new.take();
        drop(names);
        Ok(())
    }

    fn set_aside(&self, _now: Timestamp) -> io::Result<String> {
        let mut names = self.names();
        names.aside = names.file.take();
        drop(names);
        Ok("aside".to_owned())
    }

    fn size(&self) -> io::Result<Option<u64>> {
        let content = self.names().file.clone();
        content.map(|content| content.len()).transpose()
    }
}

fn empty() -> Bytes {
    Bytes::new(InMemoryBackend::new())
}

fn copy(content: &Bytes) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(content.len()?).unwrap_or_default()];
    content.read(0, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_outlive_whoever_wrote_them_and_what_is_set_aside() {
        let file = MemoryFile::of(b"old").unwrap();
        let bytes = file.open(true).unwrap().unwrap();
        bytes.write(0, b"odd").unwrap();
        drop(bytes);
        assert_eq!(file.bytes().unwrap(), b"odd");
        let new = file.create().unwrap();
        new.set_len(3).unwrap();
        new.write(0, b"new").unwrap();
        file.set_aside(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(file.size().unwrap(), None);
        file.install().unwrap();
        assert_eq!(file.bytes().unwrap(), b"new");
        assert_eq!(file.aside().unwrap().unwrap(), b"odd");
    }
}
