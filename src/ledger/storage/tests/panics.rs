//! Commits that panic half way.

use super::*;
use crate::ledger::Observed;
use crate::ledger::storage::{MemoryFile, RowError, RowResult, Rows, Storage, WriteRow};

/// A row that changes with each commit, and panics in the third.
#[derive(Debug, Default)]
struct Counted(u8);

impl Rows for Counted {
    fn has_changed(&self) -> bool {
        true
    }

    fn write_changed(&self, write: &mut WriteRow<'_>) -> Result<(), RowError> {
        write(b"key", Some(&[self.0]))?;
        assert!(self.0 != 3, "commit {}", self.0);
        Ok(())
    }

    fn write_all(&self, write: &mut WriteRow<'_>) -> Result<(), RowError> {
        self.write_changed(write)
    }

    fn read(&mut self, rows: &mut dyn Iterator<Item = RowResult>) -> Result<(), RowError> {
        for row in rows {
            self.0 = row?.1[0];
        }
        Ok(())
    }

    fn set_saved(&mut self) {}
}

fn storage(file: &MemoryFile) -> Storage {
    Storage::on(Box::new(file.clone()), identity())
}

#[test]
fn a_panic_in_a_commit_leaves_what_was_committed_and_its_two_phases() {
    let file = MemoryFile::default();
    let mut writer = storage(&file);
    // The number of each commit, whether it is done, and what the file holds then.
    for (commit, done, sequence, value) in [
        (1, true, 1, 1),
        (2, true, 2, 2),
        (3, false, 2, 2),
        (4, true, 3, 4),
    ] {
        let mut rows = Counted(commit);
        let result = writer.commit(&vec![("rows", &mut rows)], Observed::default(), now());
        assert_eq!(result.is_ok(), done, "{result:?}");
        assert_ne!(
            file.bytes().unwrap()[FLAGS] & TWO_PHASES,
            0,
            "after commit {commit}"
        );
        let mut read = Counted::default();
        let header = storage(&file).load(vec![("rows", &mut read)]).unwrap();
        let found = (header.unwrap().sequence, read.0);
        assert_eq!(found, (sequence, value));
    }
    assert_eq!(file.aside().unwrap(), None);
}
