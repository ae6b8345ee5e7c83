//! How much memory a damaged file asks for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::damage::Original;
use super::*;
use crate::ledger::storage::{StorageError, database, guarded};

/// Where redb's header has its slots, and in them where the numbers of the roots end.
const SLOTS: [usize; 2] = [64, 192];
const ROOTS: [usize; 2] = [8 + 7, 40 + 7];
const PAGE: usize = 4096;

/// The highest five bits of a page's number are its order: 2^17 pages are 512 MB.
const ORDER: u8 = 17 << 3;

/// A file of which is known how much was read of it at once: redb has the memory
/// for it before it reads.
#[derive(Debug, Clone, Default)]
struct Watched {
    file: Arc<InMemoryBackend>,
    most: Arc<AtomicUsize>,
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.most.fetch_max(out.len(), Ordering::Relaxed);
        let end = offset + u64::try_from(out.len()).unwrap();
        if end > self.len()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}

/// Opens a file of these bytes, and returns whether they can be trusted. Not one
/// read may be longer than they are.
fn opens(bytes: &[u8], what: &str) -> bool {
    let file = Watched::default();
    file.set_len(u64::try_from(bytes.len()).unwrap()).unwrap();
    file.write(0, bytes).unwrap();
    let opened = guarded(|| database::open(file.clone()));
    let most = file.most.load(Ordering::Relaxed);
    assert!(most <= bytes.len(), "{what}: {most} bytes");
    match opened {
        Ok(_) => true,
        Err(StorageError::Untrusted(_)) => false,
        Err(error) => panic!("{what}: {error}"),
    }
}

/// Where the number of a page may end: eight bytes that are one of a page in the file.
/// Many of them are something else.
fn numbers(bytes: &[u8]) -> Vec<usize> {
    let pages = u64::try_from(bytes.len() / PAGE).unwrap();
    let is_page = |number: &[u8]| {
        let number = u64::from_le_bytes(number.try_into().unwrap());
        let (order, index) = (number >> 59, number & 0x07ff_ffff_ffff_ffff);
        index != 0 && order < 8 && index < pages
    };
    let windows = bytes.windows(8).enumerate();
    let numbers = windows.filter(|(_, number)| is_page(number));
    numbers.map(|(at, _)| at + 7).collect()
}

#[test]
fn a_damaged_page_number_asks_for_no_more_memory_than_the_file_is_long() {
    let original = Original::new();
    for bytes in [original.closed, original.open] {
        let numbers = numbers(&bytes);
        for root in ROOTS {
            let slot = SLOTS[usize::from(bytes[FLAGS] & 1)];
            assert!(numbers.contains(&(slot + root)), "{numbers:?}");
        }
        let mut found = 0;
        for at in numbers {
            let mut damaged = bytes.clone();
            damaged[at] = ORDER;
            found += usize::from(!opens(&damaged, &format!("byte {at}")));
        }
        assert!(found > 100, "{found} of the places matter");
    }
}

#[test]
fn one_phase_leads_to_no_slot_that_nobody_checked() {
    let original = Original::new();
    for mut bytes in [original.closed, original.open] {
        bytes[FLAGS] &= !TWO_PHASES;
        assert!(opens(&bytes, "in one phase"));
        let other = SLOTS[usize::from(bytes[FLAGS] & 1 == 0)];
        bytes[other + ROOTS[0]] = ORDER;
        assert!(opens(&bytes, "with a slot that nobody needs"));
        let pages = bytes.iter_mut().skip(PAGE).step_by(PAGE);
        pages.for_each(|byte| *byte ^= 1);
        assert!(!opens(&bytes, "with pages damaged"));
    }
}
