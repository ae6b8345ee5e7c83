//! Ledgers' files with any bytes in them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;
use virt_task_exporter::ledger::storage::{Folder, Identity};
use virt_task_exporter::ledger::{KeptLedger, Limits, Now};
use virt_task_exporter::sources::sddc_manager;
use virt_task_exporter::task::{Call, Listing};

use super::bytes::{Bytes, noon};

const FILE: &str = "a.redb";

const LIST: &str = include_str!("../../tests/fixtures/sddc_manager/nested.json");

/// A good file, and what it holds.
static GOOD: LazyLock<(Vec<u8>, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let mut kept = open(folder.path());
    poll(&mut kept, "[]");
    poll(&mut kept, LIST);
    kept.close(noon());
    let file = fs::read(folder.path().join(FILE)).expect("it was written");
    (file, held(&open(folder.path())))
});

/// A file of these bytes, or a good one that they damage, is read as it was or set
/// aside; either way the ledger goes on, and the next process reads it.
pub fn recovery(bytes: &[u8]) {
    let (good, held_before) = &*GOOD;
    let scratch = tempfile::tempdir().expect("there is a folder for temporary files");
    let folder = scratch.path();
    let damaged = damaged(good, Bytes::new(bytes));
    fs::write(folder.join(FILE), &damaged).expect("it can be written to");
    let mut kept = open(folder);
    let found = held(&kept);
    let aside = fs::read_dir(folder)
        .expect("it is there")
        .filter_map(Result::ok);
    let aside = aside.filter(|entry| {
        let name = entry.file_name();
        name != FILE && name != ".lock"
    });
    match aside.map(|entry| fs::read(entry.path())).next() {
        Some(kept) => {
            assert!(
                kept.is_ok_and(|kept| kept == damaged),
                "it is set aside as it was"
            );
            assert_ne!(&found, held_before, "it was read and set aside");
        }
        None => assert_eq!(&found, held_before, "it was read otherwise"),
    }
    poll(&mut kept, LIST);
    assert_eq!(kept.commit_failures(), 0);
    let went_on = held(&kept);
    kept.close(noon());
    drop(kept);
    assert_eq!(held(&open(folder)), went_on);
}

/// The bytes themselves, or the good file with some of its bytes changed and its
/// end cut off.
fn damaged(good: &[u8], mut bytes: Bytes<'_>) -> Vec<u8> {
    if bytes.next() == 0 {
        return bytes.rest().to_vec();
    }
    let mut file = good.to_vec();
    if bytes.next() == 0 {
        file.truncate(bytes.number() % (good.len() + 1));
    }
    while !bytes.is_empty() && !file.is_empty() {
        let (at, value) = (bytes.number() % file.len(), bytes.next());
        file[at] = value;
    }
    file
}

fn open(folder: &Path) -> KeptLedger {
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
    let folder = Folder::lock(folder).expect("nobody else uses it");
    KeptLedger::open(&folder, identity, limits, noon()).expect("any file is read or set aside")
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
