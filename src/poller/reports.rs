//! What a poller logs.

use std::collections::BTreeSet;
use std::sync::Arc;

use tracing::{debug, info, warn};

use super::Poller;
use super::plan::Mode;
use crate::ledger::{Change, Event};
use crate::metrics::OverLimit;
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

    /// Logs when a limit starts to cut something, and when it no longer does.
    pub(super) fn report_limits(&mut self) {
        let (source, page) = (&self.facts.name, Arc::clone(&self.publish.borrow()));
        for (limit, over) in self.reached.news(page.over_limits().all()) {
            if over == 0 {
                info!(%source, limit, "nothing is cut any more");
            } else {
                warn!(%source, limit, over, "a limit cuts what is shown");
            }
        }
    }

    /// Logs when a source starts to fail, and with another reason, and when it
    /// recovers. Full polls that fail while steady ones go on are told apart.
    pub(super) fn report(&self, mode: Mode, error: Option<&SourceError>, failing: &mut Failing) {
        let source = &self.facts.name;
        let Some(error) = error else {
            for (reason, what) in failing.recovers(mode) {
                info!(%source, reason = reason.as_str(), "{what}");
            }
            return;
        };
        let apart = mode == Mode::Full && self.source.keeps_order();
        let Some(what) = failing.fails(apart, error.reason) else {
            debug!(%source, %error, reason = error.reason(), "still failing");
            return;
        };
        let (call, detail) = (error.endpoint, &error.detail);
        warn!(%source, call, reason = error.reason(), error = %detail, "{what}");
    }
}

/// The limits that are reached, as was logged last.
#[derive(Debug, Default)]
pub(super) struct Reached(BTreeSet<&'static str>);

impl Reached {
    /// What to log of these limits: what is over one that was not reached before,
    /// nothing over one that was.
    pub(super) fn news(&mut self, limits: impl Iterator<Item = OverLimit>) -> Vec<OverLimit> {
        let is_new = |(limit, over): &OverLimit| match over {
            0 => self.0.remove(limit),
            _ => self.0.insert(limit),
        };
        limits.filter(is_new).collect()
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

    /// What to log of a poll that failed; nothing where the log says it already.
    ///
    /// `apart` is a full poll with steady ones between.
    pub(super) fn fails(&mut self, apart: bool, reason: Reason) -> Option<&'static str> {
        let (before, what) = if apart {
            (&mut self.full, "the source cannot be polled in full")
        } else {
            (&mut self.polls, "the source cannot be polled")
        };
        (before.replace(reason) != Some(reason)).then_some(what)
    }

    /// What to log of a poll that succeeded, with why those before it failed.
    pub(super) fn recovers(
        &mut self,
        mode: Mode,
    ) -> impl Iterator<Item = (Reason, &'static str)> + use<> {
        let polls = self.polls.take();
        let full = (mode == Mode::Full).then(|| self.full.take()).flatten();
        let polls = polls.map(|reason| (reason, "the source can be polled again"));
        let full = full.map(|reason| (reason, "the source can be polled in full again"));
        polls.into_iter().chain(full)
    }
}
