//! One source on the page.

use jiff::Timestamp;

use super::{Text, When};
use crate::web::age;
use crate::web::report::{PollError, SourceReport, State};

/// How a source does.
pub(super) struct SourceCard<'a> {
    pub(super) name: Text<'a>,
    pub(super) system: &'static str,
    pub(super) url: Text<'a>,
    /// For the style.
    pub(super) class: &'static str,
    /// In words.
    pub(super) state: &'static str,
    pub(super) last_success: Option<When>,
    /// What was too long ago, if it is stale.
    pub(super) stale_after: Option<String>,
    pub(super) incomplete: bool,
    /// Whether its ledger cannot be written.
    pub(super) stands_still: bool,
    pub(super) counts: Option<Counts>,
    pub(super) failing: Option<Failing>,
    pub(super) error: Option<ErrorLine<'a>>,
}

/// Its tasks in numbers.
pub(super) struct Counts {
    pub(super) tasks: u64,
    pub(super) unfinished: u64,
    pub(super) failures: u64,
}

/// Since when its polls fail.
pub(super) struct Failing {
    pub(super) since: When,
    pub(super) polls: u64,
}

/// The last poll that failed.
pub(super) struct ErrorLine<'a> {
    pub(super) when: When,
    pub(super) reason: &'static str,
    pub(super) call: &'static str,
    pub(super) message: Text<'a>,
}

impl<'a> SourceCard<'a> {
    pub(super) fn new(report: SourceReport<'a>, now: Timestamp) -> Self {
        let when = |time| When::new(time, age::seconds(time, now));
        let (class, state) = match report.state {
            State::Up => ("good", "up"),
            State::Incomplete => ("fair", "listing incomplete"),
            State::Failing => ("bad", "failing"),
            State::Stale => ("bad", "stale"),
            State::NotPolled => ("dull", "not polled yet"),
        };
        let line = |error: PollError<'a>| ErrorLine {
            when: when(error.time),
            reason: error.reason,
            call: error.call,
            message: Text(error.message),
        };
        let counts = report.tasks.map(|tasks| Counts {
            tasks: tasks.values().sum(),
            unfinished: report.unfinished.unwrap_or_default(),
            failures: report.unresolved_failures.unwrap_or_default(),
        });
        Self {
            name: Text(report.name),
            system: report.system,
            url: Text(report.url),
            class,
            state,
            last_success: report.last_success.map(when),
            stale_after: report.stale.then(|| age::span(report.stale_after_seconds)),
            stands_still: !report.ledger_written,
            incomplete: report.listing_complete == Some(false),
            counts,
            failing: report.failing_since.map(|since| Failing {
                since: when(since),
                polls: report.failed_polls_in_a_row,
            }),
            error: report.last_error.map(line),
        }
    }
}
