//! A ledger, and the file that keeps it.

use std::time::Instant;

use jiff::Timestamp;
use tracing::{error, info};

use super::storage::{Folder, Identity, MemoryFile, Storage, StorageError};
use super::{Change, Ledger, Limits, Now};
use crate::task::Listing;

/// How a source differs from what its ledger was of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moved {
    /// Not in what a ledger goes by.
    Not,
    /// It has another url: its next listing is a baseline.
    Elsewhere,
    /// It is another system: nothing that is remembered is of it.
    Replaced,
}

/// A ledger whose changes are committed to a file, or kept in memory alone.
#[derive(Debug)]
pub struct KeptLedger {
    ledger: Ledger,
    storage: Option<Storage>,
    commit_failures: u64,
    /// Whether the last commit failed.
    failing: bool,
    /// Of the file as of the last commit, in bytes.
    size: Option<u64>,
    #[cfg(test)]
    pub(crate) faults: super::Faults,
}

impl KeptLedger {
    /// A ledger that ends with the process.
    pub fn in_memory(limits: Limits) -> Self {
        Self::keep(Ledger::new(limits), None)
    }

    /// The ledger of a source as the folder keeps it, or a new one. A file that
    /// cannot be trusted is set aside, and the source starts from a baseline.
    ///
    /// # Errors
    /// If there is a file and the disk does not let us read it or set it aside.
    pub fn open(
        folder: &Folder,
        identity: Identity,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        Self::load(Storage::new(folder, identity), limits, now)
    }

    /// The same of a file in memory.
    ///
    /// # Errors
    /// None that is known: any file can be read, and any set aside.
    pub fn open_in_memory(
        file: &MemoryFile,
        identity: Identity,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let storage = Storage::on(Box::new(file.clone()), identity);
        Self::load(storage, limits, now)
    }

    pub(super) fn load(
        mut storage: Storage,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        let ledger = read(&mut storage, limits, now)?;
        Ok(Self::keep(ledger, Some(storage)))
    }

    fn keep(ledger: Ledger, storage: Option<Storage>) -> Self {
        let size = storage.as_ref().and_then(Storage::size);
        Self {
            ledger,
            storage,
            commit_failures: 0,
            failing: false,
            size,
            #[cfg(test)]
            faults: super::Faults::default(),
        }
    }

    /// The ledger, to be looked at.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Goes on as the ledger of a source whose configuration is another one now.
    ///
    /// Doing so again, after a fault of ours half way, ends up the same.
    pub fn hand_over(&mut self, identity: Identity, limits: Limits, moved: Moved) {
        match moved {
            Moved::Not => self.ledger.set_limits(limits),
            Moved::Elsewhere => {
                self.ledger.set_limits(limits);
                announce_baseline(&identity);
                self.ledger.parts.start_over(|_| false);
            }
            Moved::Replaced => self.ledger = Ledger::new(limits),
        }
        if let Some(storage) = &mut self.storage {
            storage.hand_over(identity);
        }
        #[cfg(test)]
        self.faults.visit("hand over");
    }

    /// Takes out of the state what belongs to parts that the source is not read
    /// in any more; what was counted of them stays.
    pub fn retire(&mut self, stays: impl Fn(&str) -> bool) {
        self.ledger.retire(stays);
    }

    /// The parts of the source that were read before, by this process or another.
    pub fn known_parts(&self) -> impl Iterator<Item = &str> {
        self.ledger.parts.known()
    }

    /// Takes in what a poll showed; see [`Ledger::apply`].
    pub fn apply(&mut self, listing: Listing, now: Now) -> Vec<Change> {
        let changes = self.ledger.apply(listing, now);
        #[cfg(test)]
        self.faults.visit("apply");
        changes
    }

    /// The ledger, to be looked at closely.
    #[cfg(test)]
    pub(super) fn ledger_mut(&mut self) -> &mut Ledger {
        &mut self.ledger
    }

    /// Takes in when the page that is served now was scraped first, if ever.
    pub fn scraped(&mut self, at: Option<Instant>) {
        if let Some(at) = at {
            self.ledger.totals.scraped(at);
        }
    }

    /// Takes in that a page of what is committed is served now, instead of one
    /// that was scraped first at `before`, if ever.
    pub fn published(&mut self, before: Option<Instant>) {
        self.ledger.totals.published(before);
        #[cfg(test)]
        self.faults.visit("published");
    }

    /// When there is something to commit without a poll: a value that was held
    /// back, or what a full disk did not take.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        /// How soon a commit that failed is tried again.
        const AGAIN: std::time::Duration = std::time::Duration::from_secs(30);
        let again = self.failing.then(|| now + AGAIN);
        let due = self.ledger.totals.due(now);
        again.into_iter().chain(due).min()
    }

    /// Writes what changed, if anything did, and lets it be shown.
    ///
    /// When the disk does not take it, the event metrics stand still, and the
    /// next call makes up for it.
    pub fn commit(&mut self, instant: Instant, now: Timestamp) {
        self.ledger.totals.advance(instant);
        self.write(now);
    }

    /// Shows the event metrics as they are, without the hold after a birth, for a
    /// process that is not scraped: what another one shows later is not touched.
    /// While a commit fails they stand still.
    pub fn reveal(&mut self) {
        if !self.failing {
            self.ledger.totals.reveal();
        }
    }

    /// Commits for the last time, after the last scrape: what nobody saw is
    /// shown as it was after the next start.
    pub fn close(&mut self, now: Timestamp) {
        #[cfg(test)]
        self.faults.visit("close");
        self.ledger.totals.take_back();
        self.write(now);
        self.storage = None;
    }

    /// Whether it ends with the process.
    pub fn is_in_memory(&self) -> bool {
        self.storage.is_none()
    }

    /// Goes back to what was last committed, after a fault of ours half way; in
    /// memory alone, to `before`.
    ///
    /// # Errors
    /// If the file cannot be read: what is in memory is not to be used then.
    pub fn roll_back(
        &mut self,
        before: Option<&Ledger>,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        #[cfg(test)]
        self.faults.visit("roll back");
        if let Some(storage) = &mut self.storage {
            self.ledger = read(storage, self.ledger.limits, now)?;
        } else if let Some(before) = before {
            self.ledger = before.clone();
        }
        Ok(())
    }

    fn write(&mut self, now: Timestamp) {
        let observed = self.ledger.observed;
        let tables = self.ledger.tables();
        if !tables.iter().any(|(_, rows)| rows.has_changed()) {
            return;
        }
        let result = match &mut self.storage {
            Some(storage) => storage.commit(&tables, observed, now),
            None => Ok(()),
        };
        #[cfg(test)]
        self.faults.visit("commit");
        self.report(result.as_ref().err());
        if result.is_ok() {
            self.size = self.storage.as_ref().and_then(Storage::size);
            self.ledger.totals.committed();
            for (_, rows) in self.ledger.tables() {
                rows.set_saved();
            }
        }
    }

    /// Counts a commit that failed, and logs the first one and the end of them.
    fn report(&mut self, error: Option<&StorageError>) {
        let source = self
            .storage
            .as_ref()
            .map(|storage| &storage.identity().source);
        match error {
            Some(error) => {
                self.commit_failures += 1;
                if !self.failing {
                    error!(source, %error, "the ledger cannot be written; its counters stand still");
                }
            }
            None if self.failing => info!(source, "the ledger can be written again"),
            None => {}
        }
        self.failing = error.is_some();
    }

    /// Whether the last commit failed, so that what is shown stands still.
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    /// How many commits failed.
    pub fn commit_failures(&self) -> u64 {
        self.commit_failures
    }

    /// How large the file is, in bytes; `None` if there is none.
    pub fn size(&self) -> Option<u64> {
        self.size
    }
}

/// The ledger in the file, or a new one if there is none that can be trusted.
fn read(storage: &mut Storage, limits: Limits, now: Timestamp) -> Result<Ledger, StorageError> {
    match read_trusted(storage, limits) {
        Err(error @ (StorageError::Untrusted(_) | StorageError::Foreign(_))) => {
            storage.set_aside(&error, now)?;
            Ok(Ledger::new(limits))
        }
        read => read,
    }
}

fn read_trusted(storage: &mut Storage, limits: Limits) -> Result<Ledger, StorageError> {
    let mut ledger = Ledger::new(limits);
    let Some(header) = storage.load(ledger.tables())? else {
        return Ok(ledger);
    };
    ledger.observed = header.observed;
    if !ledger.index() {
        let why = "its rows do not fit together".to_owned();
        return Err(StorageError::Untrusted(why));
    }
    if header.identity.url != storage.identity().url {
        announce_baseline(storage.identity());
        ledger.parts.start_over(|_| false);
    }
    Ok(ledger)
}

fn announce_baseline(identity: &Identity) {
    let source = &identity.source;
    info!(%source, "the url is another one: the next listing is a baseline");
}
