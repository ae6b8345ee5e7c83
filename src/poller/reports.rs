//! What a poller logs.

use tracing::{debug, info, warn};

use super::Poller;
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

    /// Logs when a source starts to fail, and with another reason, and when it recovers.
    pub(super) fn report(&self, error: Option<&SourceError>, failing: &mut Option<Reason>) {
        let source = &self.facts.name;
        match (error, *failing) {
            (Some(error), before) if before != Some(error.reason) => {
                warn!(
                    %source,
                    call = error.endpoint,
                    reason = error.reason(),
                    error = %error.detail,
                    "the source cannot be polled"
                );
            }
            (Some(error), _) => debug!(%source, %error, reason = error.reason(), "still failing"),
            (None, Some(reason)) => {
                info!(%source, reason = reason.as_str(), "the source can be polled again");
            }
            (None, None) => {}
        }
        *failing = error.map(|error| error.reason);
    }
}
