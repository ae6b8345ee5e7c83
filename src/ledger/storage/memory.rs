//! A ledger's file in memory.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::disk::{Bytes, Disk};

/// A file in memory, which outlives the ledger that is kept in it: to try what a
/// ledger makes of any bytes, thousands of times a second. Clones are the same file.
#[derive(Debug, Clone, Default)]
pub struct MemoryFile(Arc<Mutex<Names>>);

/// What there is under each name.
#[derive(Debug, Default)]
struct Names {
    file: Option<Content>,
    new: Option<Content>,
    aside: Option<Content>,
}

/// The bytes of a file, which may be open more than once.
#[derive(Debug, Clone, Default)]
struct Content(Arc<InMemoryBackend>);

impl MemoryFile {
    /// A file of these bytes.
    ///
    /// # Errors
    /// None that is known: memory that is lacking ends the process.
    pub fn of(bytes: &[u8]) -> io::Result<Self> {
        let content = Content::default();
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
        content.map_or_else(|| Ok(Vec::new()), |content| content.bytes())
    }

    /// What was set aside because it could not be trusted.
    ///
    /// # Errors
    /// None that is known.
    pub fn aside(&self) -> io::Result<Option<Vec<u8>>> {
        let content = self.names().aside.clone();
        content.map(|content| content.bytes()).transpose()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for MemoryFile {
    fn open(&self, _write: bool) -> io::Result<Option<Bytes>> {
        Ok(self.names().file.clone().map(Bytes::new))
    }

    fn create(&self) -> io::Result<Bytes> {
        let content = Content::default();
        self.names().new = Some(content.clone());
        Ok(Bytes::new(content))
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

impl Content {
    fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.len()?).unwrap_or_default()];
        self.read(0, &mut bytes)?;
        Ok(bytes)
    }
}

impl StorageBackend for Content {
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
