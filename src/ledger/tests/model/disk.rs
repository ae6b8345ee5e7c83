//! A disk in memory that fills up, fails, and loses what was not synced.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::ledger::storage::{Bytes, Disk};

/// What outlives the processes of a history.
#[derive(Debug, Clone, Default)]
pub(super) struct FakeDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    file: Option<Arc<Mutex<File>>>,
    new: Option<Arc<Mutex<File>>>,
    /// Files that were set aside: none must ever be.
    aside: usize,
    /// How many more changes there are until the power fails.
    until_crash: Option<u64>,
    crashed: bool,
    full: bool,
    /// How many more changes there are until one fails.
    until_fault: Option<u64>,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// What was changed since the last sync, oldest first.
    unsynced: Vec<Change>,
}

/// Where bytes were written, and what stood there and stands there now.
#[derive(Debug)]
struct Change {
    offset: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl FakeDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn aside(&self) -> usize {
        self.state().aside
    }

    pub(super) fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Lets one change fail after so many, and none after it.
    pub(super) fn fail_after(&self, changes: u64) {
        self.state().until_fault = Some(changes);
    }

    /// Lets the power fail after so many changes.
    pub(super) fn crash_after(&self, changes: u64) {
        self.state().until_crash = Some(changes);
    }

    /// Starts the machine again: of what was not synced, each change has
    /// reached the disk whole, in half or not at all.
    pub(super) fn reboot(&self, seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut state = self.state();
        (state.crashed, state.until_crash, state.until_fault) = (false, None, None);
        if random.bool() {
            state.new = None;
        }
        if let Some(file) = &state.file {
            file.lock().unwrap().lose(&mut random);
        }
    }

    /// Lets a change happen, or not.
    fn allow(&self) -> io::Result<()> {
        self.allow_sync()?;
        if self.state().full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    /// Lets bytes reach the disk, full or not, that were taken before.
    fn allow_sync(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.until_crash == Some(0) {
            state.crashed = true;
        }
        if let Some(left) = &mut state.until_crash {
            *left = left.saturating_sub(1);
        }
        if state.crashed {
            return Err(io::Error::other("the power failed"));
        }
        if let Some(left) = state.until_fault.take() {
            state.until_fault = left.checked_sub(1);
            if state.until_fault.is_none() {
                return Err(io::Error::other("a bad block"));
            }
        }
        drop(state);
        Ok(())
    }

    fn handle(&self, file: &Arc<Mutex<File>>, write: bool) -> Bytes {
        Bytes::new(Handle {
            disk: self.clone(),
            file: Arc::clone(file),
            write,
        })
    }
}

impl Disk for FakeDisk {
    fn open(&self, write: bool) -> io::Result<Option<Bytes>> {
        let file = self.state().file.clone();
        Ok(file.map(|file| self.handle(&file, write)))
    }

    fn create(&self) -> io::Result<Bytes> {
        self.allow()?;
        let file = Arc::<Mutex<File>>::default();
        self.state().new = Some(Arc::clone(&file));
        Ok(self.handle(&file, true))
    }

    fn install(&self) -> io::Result<()> {
        self.allow()?;
        let mut state = self.state();
        let new = state.new.take();
        assert!(state.file.is_none() && new.is_some());
        state.file = new;
        drop(state);
        Ok(())
    }

    fn set_aside(&self, _now: jiff::Timestamp) -> io::Result<String> {
        self.allow()?;
        let mut state = self.state();
        state.aside += 1;
        state.file = None;
        drop(state);
        Ok("aside".to_owned())
    }

    fn size(&self) -> io::Result<Option<u64>> {
        let file = self.state().file.clone();
        Ok(file.map(|file| length(&file.lock().unwrap().bytes)))
    }
}

impl File {
    fn change(&mut self, offset: usize, after: Vec<u8>) {
        let before = self.bytes[offset..offset + after.len()].to_vec();
        self.bytes[offset..offset + after.len()].copy_from_slice(&after);
        self.unsynced.push(Change {
            offset,
            before,
            after,
        });
    }

    fn lose(&mut self, random: &mut fastrand::Rng) {
        let changes = std::mem::take(&mut self.unsynced);
        for change in changes.iter().rev() {
            self.put(change.offset, &change.before);
        }
        for change in &changes {
            let survives = match random.u8(..4) {
                0 => change.after.len() / 2,
                1 => 0,
                _ => change.after.len(),
            };
            self.put(change.offset, &change.after[..survives]);
        }
    }

    /// Puts bytes, as far as the file has not become shorter.
    fn put(&mut self, offset: usize, bytes: &[u8]) {
        let there = self.bytes.iter_mut().skip(offset);
        there.zip(bytes).for_each(|(there, byte)| *there = *byte);
    }
}

/// A file that is open.
#[derive(Debug)]
struct Handle {
    disk: FakeDisk,
    file: Arc<Mutex<File>>,
    write: bool,
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(length(&self.file.lock().unwrap().bytes))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let file = self.file.lock().unwrap();
        let bytes = file.bytes.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        drop(file);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.allow()?;
        // The length is taken as synced at once; the bytes are what matters.
        let length = usize::try_from(length).unwrap();
        let mut file = self.file.lock().unwrap();
        file.bytes.resize(length, 0);
        drop(file);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        // Bad blocks are for who writes: a start has no second try.
        if self.write {
            self.disk.allow_sync()?;
        }
        self.file.lock().unwrap().unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.allow()?;
        let offset = usize::try_from(offset).unwrap();
        self.file.lock().unwrap().change(offset, data.to_vec());
        Ok(())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}
