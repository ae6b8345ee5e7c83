//! Works on the ledger where a slow disk holds up nobody else.

use std::future::pending;
use std::time::Instant;

use tokio::task::spawn_blocking;
use tracing::error;

use crate::clock::Clock;
use crate::ledger::{KeptLedger, Ledger};
use crate::panics::caught;

/// The ledger, which is away while it is worked on.
#[derive(Debug)]
pub(super) struct Keeper {
    held: Option<Box<Held>>,
    clock: Clock,
}

/// Why a piece of work on the ledger came to nothing.
#[derive(Debug)]
pub(super) struct Broken {
    /// What happened, as the end of a sentence.
    pub(super) why: String,
    /// How many panics that were.
    pub(super) panics: u64,
}

/// A ledger that no panic leaves half changed.
#[derive(Debug)]
struct Held {
    kept: KeptLedger,
    /// Whether a panic may have left it half changed, so that it must be set
    /// right before anything else.
    in_doubt: bool,
    /// As it was before, if it is in memory alone.
    before: Option<Box<Ledger>>,
}

impl Keeper {
    pub(super) fn new(kept: KeptLedger, clock: Clock) -> Self {
        let held = Held {
            kept,
            in_doubt: false,
            before: None,
        };
        Self {
            held: Some(Box::new(held)),
            clock,
        }
    }

    /// The ledger, between two pieces of work.
    pub(super) fn kept(&self) -> &KeptLedger {
        let held = self.held.as_deref();
        &held.expect("no work was given up half way").kept
    }

    /// Whether the ledger may be shown: it is not left half changed.
    pub(super) fn is_sound(&self) -> bool {
        self.held.as_deref().is_some_and(|held| !held.in_doubt)
    }

    /// Takes in that a page of what is committed is served now, instead of one
    /// that was scraped first at `before`, if ever.
    ///
    /// # Errors
    /// If that panics.
    pub(super) fn published(&mut self, before: Option<Instant>) -> Result<(), Broken> {
        let Some(held) = &mut self.held else {
            return Ok(());
        };
        // What a ledger in memory alone would go back to is as it is now, but for
        // how long values are held back.
        let done = caught(|| held.kept.published(before));
        done.map_err(|message| {
            held.in_doubt = !held.kept.is_in_memory();
            Broken::panicked(&message)
        })
    }

    /// Changes the ledger in memory, which takes no time.
    ///
    /// # Errors
    /// If the change panics; the ledger is set right by the next [`Keeper::work`].
    pub(super) fn update(&mut self, change: impl FnOnce(&mut KeptLedger)) -> Result<(), Broken> {
        match &mut self.held {
            Some(held) if held.in_doubt => Err(Broken {
                why: "failed: the ledger must be set right first".to_owned(),
                panics: 0,
            }),
            Some(held) => held.try_to(change),
            None => Ok(()),
        }
    }

    /// Works on the ledger in a thread that may block. The future must not be
    /// dropped before it is done.
    ///
    /// # Errors
    /// If the work panics, or the ledger cannot be read after one before that
    /// did. The ledger is as it was last committed then, or in doubt.
    pub(super) async fn work<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut KeptLedger) -> R + Send + 'static,
    ) -> Result<R, Broken> {
        let mut held = self.held.take().expect("no work was given up half way");
        let clock = self.clock.clone();
        let worked = spawn_blocking(move || {
            let result = held.work(work, &clock);
            (held, result)
        });
        let (held, result) = match worked.await {
            Ok(done) => done,
            // Panics are caught within: the runtime ends, and with it whoever waits.
            Err(_cut_off) => pending().await,
        };
        self.held = Some(held);
        result
    }
}

impl Held {
    /// Works on a sound ledger, and leaves one behind if that can be.
    fn work<R>(
        &mut self,
        work: impl FnOnce(&mut KeptLedger) -> R,
        clock: &Clock,
    ) -> Result<R, Broken> {
        self.set_right(clock)?;
        let mut result = self.try_to(work);
        if let Err(broken) = &mut result
            && let Err(again) = self.set_right(clock)
        {
            broken.panics += again.panics;
        }
        result
    }

    fn try_to<R>(&mut self, work: impl FnOnce(&mut KeptLedger) -> R) -> Result<R, Broken> {
        let tried = caught(|| {
            if self.kept.is_in_memory() {
                self.before = Some(Box::new(self.kept.ledger().clone()));
            }
            self.in_doubt = true;
            work(&mut self.kept)
        });
        if tried.is_ok() {
            (self.in_doubt, self.before) = (false, None);
        }
        tried.map_err(|message| Broken::panicked(&message))
    }

    /// Goes back to what was last committed, if the ledger is in doubt.
    fn set_right(&mut self, clock: &Clock) -> Result<(), Broken> {
        if !self.in_doubt {
            return Ok(());
        }
        let before = self.before.as_deref();
        let read = caught(|| self.kept.roll_back(before, clock.now()));
        let read = read.map_err(|message| Broken::panicked(&message))?;
        read.map_err(|error| {
            error!(%error, "the ledger cannot be read again");
            Broken {
                why: format!("failed: the ledger cannot be read again: {error}"),
                panics: 0,
            }
        })?;
        (self.in_doubt, self.before) = (false, None);
        Ok(())
    }
}

impl Broken {
    pub(super) fn panicked(message: &str) -> Self {
        Self {
            why: format!("panicked: {message}"),
            panics: 1,
        }
    }
}
