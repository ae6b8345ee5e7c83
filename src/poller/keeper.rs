//! Works on the ledger where a slow disk holds up nobody else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tokio::task::spawn_blocking;

use super::panic_message;
use crate::clock::Clock;
use crate::ledger::KeptLedger;

/// The ledger, which is away while it is worked on.
#[derive(Debug)]
pub(super) struct Keeper {
    kept: Option<Box<KeptLedger>>,
    clock: Clock,
}

impl Keeper {
    pub(super) fn new(ledger: KeptLedger, clock: Clock) -> Self {
        Self {
            kept: Some(Box::new(ledger)),
            clock,
        }
    }

    /// The ledger, between two pieces of work.
    pub(super) fn kept(&self) -> &KeptLedger {
        self.kept.as_deref().expect("no work was given up half way")
    }

    /// Takes in that a page of what is committed is served now, instead of one
    /// that was scraped first at `before`, if ever.
    pub(super) fn published(&mut self, before: Option<Instant>) {
        if let Some(kept) = &mut self.kept {
            kept.published(before);
        }
    }

    /// Changes the ledger in memory, which takes no time.
    pub(super) fn update(&mut self, change: impl FnOnce(&mut KeptLedger)) {
        if let Some(kept) = &mut self.kept {
            change(kept);
        }
    }

    /// Works on the ledger in a thread that may block. The future must not be
    /// dropped before it is done.
    ///
    /// # Errors
    /// If the work panics; what it says is returned. The ledger is as it was
    /// last committed then, as far as it can be read.
    pub(super) async fn work<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut KeptLedger) -> R + Send + 'static,
    ) -> Result<R, String> {
        let mut ledger = self.kept.take().expect("no work was given up half way");
        let clock = self.clock.clone();
        let worked = spawn_blocking(move || {
            let result = catch_unwind(AssertUnwindSafe(|| work(&mut ledger)));
            if result.is_err() {
                ledger.roll_back(clock.now());
            }
            (ledger, result)
        });
        let (ledger, result) = worked.await.expect("panics are caught within");
        self.kept = Some(ledger);
        result.map_err(|panic| panic_message(&*panic).to_owned())
    }
}
