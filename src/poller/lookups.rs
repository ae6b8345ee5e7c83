//! What is read by id: open tasks that a listing does not show, each in its turn.
//!
//! A call that fails is of one task as long as that can be: it costs the task its
//! turn, not the poll what it has read. Time is shared so that one that hangs
//! leaves the others some.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::debug;

use super::Poller;
use super::plan::Mode;
use super::reading::Limits;
use super::turns::Lookup;
use crate::sources::{Found, Reason, Source, SourceError};
use crate::task::Listing;

/// How long one call may take, if that is not too much of what is left.
const LONGEST: Duration = Duration::from_secs(5);

/// How long one call may take, if so much is left.
const SHORTEST: Duration = Duration::from_secs(1);

/// Calls without an answer after which no more tasks of a kind are tried.
const MOST_UNANSWERED: usize = 2;

impl<S: Source> Poller<S> {
    /// Reads by id what the listing lacks, as far as there is time.
    pub(super) async fn look_up(&mut self, mode: Mode, listing: &mut Listing, limits: Limits) {
        let ledger = self.keeper.kept().ledger();
        if mode == Mode::Full {
            self.turns.read_in_full(listing, ledger, limits.began);
        }
        let agenda = self.turns.agenda(listing, ledger, mode);
        if self.turns.rests(Instant::now()) {
            return;
        }
        let mut unanswered = BTreeMap::<_, usize>::new();
        for lookup in agenda {
            let left = limits.end().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // What hangs on one kind of tasks says little of the other.
            let unanswered = unanswered.entry(lookup.wheel.kind()).or_default();
            if *unanswered >= MOST_UNANSWERED {
                continue;
            }
            match self.find(&lookup, share(left)).await {
                Ok(found) => {
                    let ledger = self.keeper.kept().ledger();
                    self.wants_full |= self.turns.take_in(listing, &lookup, found, ledger);
                }
                Err(error) => {
                    debug!(source = %self.facts.name, %error, "a task cannot be read by its id");
                    if error.reason == Reason::RateLimited || error.retry_after.is_some() {
                        return;
                    }
                    self.turns.not_told(&lookup);
                    *unanswered += usize::from(!error.reason.is_of_one_call());
                }
            }
        }
    }

    async fn find(&mut self, lookup: &Lookup, limit: Duration) -> Result<Found, SourceError> {
        // Before the call, so that one that is given up has had its turn too.
        self.turns.had(lookup);
        let found = timeout(limit, self.source.find(&lookup.part, &lookup.id)).await;
        let found = found.unwrap_or_else(|_elapsed| {
            let detail = format!("no answer in {limit:?}");
            Err(SourceError::new(Reason::Timeout, "task by id", detail))
        });
        found.inspect_err(|error| self.turns.failed(error))
    }
}

/// How long one call may take of the time that is left.
fn share(left: Duration) -> Duration {
    (left / 4).clamp(SHORTEST.min(left), LONGEST)
}
