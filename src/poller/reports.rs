//! What a poller logs.

use tracing::{debug, info, warn};

use super::Poller;
use super::plan::Mode;
use crate::ledger::{Change, Event};
use crate::sources::{Reason, Source, SourceError};

impl<S: Source> Poller<S> {
    /// One line for each counted failure, so that log-based tools can alert too.
    pub(super) fn log_failure(&self, change: &Change) {
        let Event::Failed {
            task_id,
            error_code,
            place,
        } = &change.event
        else {
            return;
        };
        let ledger = self.keeper.kept().ledger();
        info!(
            source = %self.facts.name,
            operation = %ledger.operations().value(change.operation),
            task_id = %task_id,
            failed_subtask = %place.join(" / "),
            error_code = %ledger.error_codes().value(*error_code),
            "a task failed"
        );
    }

    /// Logs when a source starts to fail, and with another reason, and when it
    /// recovers. Full polls that fail while steady ones go on are told apart.
    pub(super) fn report(&self, mode: Mode, error: Option<&SourceError>, failing: &mut Failing) {
        let source = &self.facts.name;
        let Some(error) = error else {
            if let Some(reason) = failing.polls.take() {
                info!(%source, reason = reason.as_str(), "the source can be polled again");
            }
            let full = (mode == Mode::Full).then(|| failing.full.take()).flatten();
            if let Some(reason) = full {
                info!(%source, reason = reason.as_str(), "the source can be polled in full again");
            }
            return;
        };
        let apart = mode == Mode::Full && self.source.keeps_order();
        let (before, what) = if apart {
            (&mut failing.full, "the source cannot be polled in full")
        } else {
            (&mut failing.polls, "the source cannot be polled")
        };
        if before.replace(error.reason) == Some(error.reason) {
            debug!(%source, %error, reason = error.reason(), "still failing");
            return;
        }
        let (call, detail) = (error.endpoint, &error.detail);
        warn!(%source, call, reason = error.reason(), error = %detail, "{what}");
    }
}

/// Why the polls of a source fail, as was logged last.
#[derive(Debug, Default)]
pub(super) struct Failing {
    polls: Option<Reason>,
    /// Full polls, while steady ones come between.
    full: Option<Reason>,
}

impl Failing {
    /// Whether polls of any kind fail.
    pub(super) fn at_all(&self) -> bool {
        self.polls.is_some() || self.full.is_some()
    }
}
