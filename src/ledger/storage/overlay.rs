//! A look at a file that leaves it as it is.
//!
//! To open a database after a crash is to repair it. A file that then turns
//! out to be damaged shall be kept as it was, and one on a read-only disk shall
//! be readable all the same; so what is written lands in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

/// How much of the file is held in one piece once it was written to.
const BLOCK: usize = 4096;

/// A file, and in memory what was written over it.
#[derive(Debug)]
pub(super) struct Overlay<B> {
    base: B,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    length: u64,
    /// The file is untouched up to here, but for the blocks.
    base_length: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

impl<B: StorageBackend> Overlay<B> {
    pub(super) fn new(base: B) -> io::Result<Self> {
        let length = base.len()?;
        Ok(Self {
            base,
            written: Mutex::new(Written {
                length,
                base_length: length,
                blocks: BTreeMap::new(),
            }),
        })
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a block as they are now.
    fn block(&self, written: &Written, number: u64) -> io::Result<Box<[u8; BLOCK]>> {
        if let Some(block) = written.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = Box::new([0; BLOCK]);
        let start = number * size(BLOCK);
        let there = written.base_length.saturating_sub(start).min(size(BLOCK));
        let there = usize::try_from(there).unwrap_or(BLOCK);
        if let Some(bytes) = block.get_mut(..there).filter(|bytes| !bytes.is_empty()) {
            self.base.read(start, bytes)?;
        }
        Ok(block)
    }
}

impl<B: StorageBackend> StorageBackend for Overlay<B> {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset.saturating_add(size(out.len())) > written.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, piece) in pieces(offset, out) {
            let block = self.block(&written, number)?;
            let bytes = block.get(within..within + piece.len());
            piece.copy_from_slice(bytes.expect("a piece lies within its block"));
        }
        drop(written);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        if length < written.length {
            // What lies beyond is zero if it ever comes back.
            let last = length / size(BLOCK);
            let mut block = self.block(&written, last)?;
            let within = usize::try_from(length % size(BLOCK)).unwrap_or_default();
            block.iter_mut().skip(within).for_each(|byte| *byte = 0);
            written.blocks.retain(|number, _| *number < last);
            written.blocks.insert(last, block);
            written.base_length = written.base_length.min(length);
        }
        written.length = length;
        drop(written);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let mut data = data.to_vec();
        for (number, within, piece) in pieces(offset, &mut data) {
            let mut block = self.block(&written, number)?;
            let bytes = block.get_mut(within..within + piece.len());
            bytes
                .expect("a piece lies within its block")
                .copy_from_slice(piece);
            written.blocks.insert(number, block);
        }
        drop(written);
        Ok(())
    }
}

/// The parts of the bytes at `offset` that lie in one block each: the block's
/// number, where in it the part begins, and the part.
fn pieces(offset: u64, mut bytes: &mut [u8]) -> Vec<(u64, usize, &mut [u8])> {
    let mut pieces = Vec::new();
    let mut number = offset / size(BLOCK);
    let mut within = usize::try_from(offset % size(BLOCK)).unwrap_or_default();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at_mut((BLOCK - within).min(bytes.len()));
        pieces.push((number, within, piece));
        (bytes, within) = (rest, 0);
        number += 1;
    }
    pieces
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    fn base(bytes: &[u8]) -> InMemoryBackend {
        let base = InMemoryBackend::new();
        base.set_len(size(bytes.len())).unwrap();
        base.write(0, bytes).unwrap();
        base
    }

    fn read(backend: &impl StorageBackend, offset: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![9; length];
        backend.read(offset, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_and_the_base_stays() {
        let bytes = vec![1; 3 * BLOCK];
        let overlay = Overlay::new(base(&bytes)).unwrap();
        let start = size(BLOCK) - 2;
        overlay.write(start, &[2; 4]).unwrap();
        assert_eq!(read(&overlay, start - 1, 6), [1, 2, 2, 2, 2, 1]);
        assert_eq!(read(&overlay.base, 0, bytes.len()), bytes);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zeros() {
        let overlay = Overlay::new(base(&[1; 2 * BLOCK])).unwrap();
        overlay.write(size(BLOCK), &[2; 8]).unwrap();
        overlay.set_len(3).unwrap();
        assert!(overlay.read(0, &mut [0; 4]).is_err());
        overlay.set_len(3 * size(BLOCK)).unwrap();
        assert_eq!(read(&overlay, 0, 6), [1, 1, 1, 0, 0, 0]);
        assert_eq!(read(&overlay, size(BLOCK), 8), [0; 8]);
        assert_eq!(overlay.len().unwrap(), 3 * size(BLOCK));
    }
}
