//! How one source does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::metrics::SourcePage;
use crate::web::age;

/// How a source does, in a word: the worst of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// The last poll read everything.
    Up,
    /// The last poll could not read some part.
    Incomplete,
    /// The last poll failed.
    Failing,
    /// No poll has succeeded for so long that its tasks are not shown.
    Stale,
    /// The first poll has not ended.
    NotPolled,
}

/// How a source does.
#[derive(Debug, Serialize)]
pub(crate) struct SourceReport<'a> {
    /// Its name, as in the label `source`.
    pub(crate) name: &'a str,
    /// Its system, in the configuration's word.
    pub(crate) system: &'static str,
    /// Its url, without credentials.
    pub(crate) url: &'a str,
    /// How it does, in a word.
    pub(crate) state: State,
    /// Whether the last poll succeeded; null before the first.
    pub(crate) up: Option<bool>,
    /// Whether its tasks are not shown, as no poll has succeeded for too long.
    pub(crate) stale: bool,
    /// After how long without a successful poll that is.
    pub(crate) stale_after_seconds: u64,
    /// Whether the last successful poll read everything; null before it.
    pub(crate) listing_complete: Option<bool>,
    /// When the last successful poll ended.
    pub(crate) last_success: Option<Timestamp>,
    /// How long ago that was.
    pub(crate) last_success_age_seconds: Option<u64>,
    /// When the first of the polls that fail now ended; null while they succeed.
    pub(crate) failing_since: Option<Timestamp>,
    /// How many polls failed since the last that succeeded.
    pub(crate) failed_polls_in_a_row: u64,
    /// The last poll that failed, which may be long ago.
    pub(crate) last_error: Option<PollError<'a>>,
    /// How far its clock is ahead of the exporter's, where it says.
    pub(crate) clock_skew_seconds: Option<f64>,
    /// Whether its ledger can be written; its event metrics stand still while not.
    pub(crate) ledger_written: bool,
    /// The tasks that it lists, by status; null if they are too old or were never read.
    pub(crate) tasks: Option<BTreeMap<&'static str, u64>>,
    /// Its unfinished tasks, likewise.
    pub(crate) unfinished: Option<u64>,
    /// Its open failures, likewise.
    pub(crate) unresolved_failures: Option<u64>,
}

/// A poll that failed.
#[derive(Debug, Serialize)]
pub(crate) struct PollError<'a> {
    /// When it ended.
    pub(crate) time: Timestamp,
    /// Why, as in the label `reason`.
    pub(crate) reason: &'static str,
    /// The call that failed, as a path with its variable parts named.
    pub(crate) call: &'static str,
    /// What happened.
    pub(crate) message: &'a str,
}

impl<'a> SourceReport<'a> {
    pub(super) fn new(page: &'a SourcePage, time: Timestamp, now: Instant) -> Self {
        let (overview, fresh) = (page.overview(), page.is_fresh(now));
        let health = &overview.health;
        let counts = || overview.tasks.iter();
        let open = |unfinished: bool| {
            let open = overview.open.iter();
            let of_kind = open.filter(|((_, status), _)| status.is_unfinished() == unfinished);
            of_kind.map(|(_, count)| count).sum()
        };
        Self {
            name: page.name(),
            system: page.system(),
            url: &overview.url,
            state: state(page, fresh),
            up: health.up,
            stale: health.last_success.is_some() && !fresh,
            stale_after_seconds: overview.stale_after.as_secs(),
            listing_complete: health.complete,
            last_success: health.last_success,
            last_success_age_seconds: health.last_success.map(|then| age::seconds(then, time)),
            failing_since: health.failing_since,
            failed_polls_in_a_row: health.failed_in_a_row,
            last_error: health.last_failure.as_ref().map(|failed| PollError {
                time: failed.at,
                reason: failed.error.reason(),
                call: failed.error.endpoint,
                message: &failed.error.detail,
            }),
            clock_skew_seconds: overview.clock_skew.map(|skew| skew.as_secs_f64()),
            ledger_written: !page.commits_fail(),
            tasks: fresh.then(|| counts().map(|(status, n)| (status.as_str(), n)).collect()),
            unfinished: fresh.then(|| open(true)),
            unresolved_failures: fresh.then(|| open(false)),
        }
    }
}

fn state(page: &SourcePage, fresh: bool) -> State {
    let health = &page.overview().health;
    match (health.up, health.complete) {
        (None, _) => State::NotPolled,
        _ if health.last_success.is_some() && !fresh => State::Stale,
        (Some(false), _) => State::Failing,
        (Some(true), Some(false)) => State::Incomplete,
        (Some(true), _) => State::Up,
    }
}
