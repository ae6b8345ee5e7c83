//! Ledgers' files with any bytes in them.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;
use virt_task_exporter::ledger::storage::{Identity, MemoryFile};
use virt_task_exporter::ledger::{KeptLedger, Limits, Now};
use virt_task_exporter::sources::sddc_manager;
use virt_task_exporter::task::{Call, Listing};

use super::bytes::{Bytes, noon};

const LIST: &str = include_str!("../../tests/fixtures/sddc_manager/nested.json");

/// A good file.
#[derive(Debug)]
struct Good {
    file: Vec<u8>,
    /// Where the file is not zero, which is a small part of it.
    used: Vec<usize>,
    /// What it holds.
    held: String,
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let memory = MemoryFile::default();
    let mut kept = open(&memory);
    poll(&mut kept, "[]");
    poll(&mut kept, LIST);
    kept.close(noon());
    drop(kept);
    let file = memory.bytes().expect("there is memory for it");
    let used = (0..file.len()).filter(|at| file[*at] != 0).collect();
    Good {
        file,
        used,
        held: held(&open(&memory)),
    }
});

/// A file of these bytes, or a good one that they damage, is read as it was or set
/// aside; either way the ledger goes on, and the next process reads it. With a file
/// set aside that is the same each time, and only done for some of the bytes.
pub fn recovery(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let choice = bytes.next();
    let damaged = if choice.is_multiple_of(2) {
        bytes.rest().to_vec()
    } else {
        damaged(&GOOD, bytes)
    };
    let file = MemoryFile::of(&damaged).expect("there is memory for it");
    let mut kept = open(&file);
    let found = held(&kept);
    match file.aside().expect("there is memory for it") {
        Some(aside) => {
            assert!(aside == damaged, "it is set aside as it was");
            assert_ne!(found, GOOD.held, "it was read and set aside");
            if choice % 16 > 1 {
                return;
            }
        }
        None => assert_eq!(found, GOOD.held, "it was read otherwise"),
    }
    poll(&mut kept, LIST);
    assert_eq!(kept.commit_failures(), 0);
    let went_on = held(&kept);
    kept.close(noon());
    drop(kept);
    assert_eq!(held(&open(&file)), went_on);
}

/// The good file with some of its bytes changed and its end cut off.
fn damaged(good: &Good, mut bytes: Bytes<'_>) -> Vec<u8> {
    let mut file = good.file.clone();
    if bytes.next() == 0 {
        file.truncate(bytes.number() % (file.len() + 1));
    }
    while !bytes.is_empty() && !file.is_empty() {
        let (anywhere, number, value) = (bytes.next(), bytes.number(), bytes.next());
        let at = if anywhere.is_multiple_of(8) {
            number
        } else {
            good.used[number % good.used.len()]
        };
        let within = at % file.len();
        file[within] = value;
    }
    file
}

fn open(file: &MemoryFile) -> KeptLedger {
    let limits = Limits {
        retention: Duration::from_secs(86_400),
        failure_open_for: Duration::from_secs(30 * 86_400),
        birth_hold: Duration::ZERO,
        operations: 8,
        subtask_names: 8,
        error_codes: 8,
    };
    let identity = Identity {
        source: "a".to_owned(),
        system: "sddc_manager".to_owned(),
        url: "https://a.example".to_owned(),
    };
    let opened = KeptLedger::open_in_memory(file, identity, limits, noon());
    opened.expect("any file is read or set aside")
}

fn poll(kept: &mut KeptLedger, list: &str) {
    let mut listing = Listing::new();
    let tasks = sddc_manager::decode(list, noon()).unwrap_or_default();
    for task in tasks.into_iter().flatten() {
        listing.meet("tasks", Call::List, task);
    }
    listing.read("tasks", true);
    let now = Now {
        here: noon(),
        there: noon(),
    };
    kept.apply(listing, now);
    kept.commit(Instant::now().into_std(), now.here);
}

/// All that can be seen of a ledger.
fn held(kept: &KeptLedger) -> String {
    let ledger = kept.ledger();
    let counts: Vec<_> = ledger.totals().counts().collect();
    let open: Vec<_> = ledger.open().map(|open| &open.task).collect();
    let parts: Vec<_> = kept.known_parts().collect();
    format!("{} {counts:?} {open:?} {parts:?}", ledger.len())
}
