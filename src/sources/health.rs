//! How reading a source goes.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Reason, SourceError};
use crate::histogram::Histogram;
use crate::task::Unreadable;

/// The upper bounds of the poll duration buckets, in seconds.
pub const POLL_BUCKETS: [f64; 10] = [0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 120.0, 600.0, 1_800.0];

/// The polls of one source since the start.
#[derive(Debug, Clone)]
pub struct Health {
    /// Whether the last poll succeeded; `None` before the first.
    pub up: Option<bool>,
    /// When the last successful poll ended.
    pub last_success: Option<Timestamp>,
    /// The same on the clock that nobody can set.
    pub last_success_at: Option<Instant>,
    /// When the last successful full poll ended.
    pub last_full_poll: Option<Timestamp>,
    /// Whether the last successful full poll read everything.
    pub complete: Option<bool>,
    /// Whether a limit ended its listing.
    pub listing_cut: bool,
    /// Elements of it that were skipped.
    pub skipped: u64,
    /// Polls that read everything, failed ones included.
    pub full_polls: u64,
    /// Polls that read what was new, failed ones included.
    pub steady_polls: u64,
    /// Failed polls by reason.
    pub failures: BTreeMap<Reason, u64>,
    /// How long polls took, failed ones included.
    pub durations: Histogram,
    /// What could not be read, each such task once a full poll.
    pub unreadable: Unreadable,
    /// How often reading the source panicked.
    pub panics: u64,
    /// The last poll that failed, if any did.
    pub last_failure: Option<FailedPoll>,
    /// When the polls began to fail; `None` while they succeed.
    pub failing_since: Option<Timestamp>,
    /// How many polls failed since the last that succeeded.
    pub failed_in_a_row: u64,
}

/// A poll that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPoll {
    /// When it ended.
    pub at: Timestamp,
    /// Why, by which call, and what happened.
    pub error: SourceError,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            up: None,
            last_success: None,
            last_success_at: None,
            last_full_poll: None,
            complete: None,
            listing_cut: false,
            skipped: 0,
            full_polls: 0,
            steady_polls: 0,
            failures: BTreeMap::new(),
            durations: Histogram::new(&POLL_BUCKETS),
            unreadable: Unreadable::default(),
            panics: 0,
            last_failure: None,
            failing_since: None,
            failed_in_a_row: 0,
        }
    }
}

impl Health {
    /// Counts a full poll that took so long, whatever its end.
    pub fn polled_in_full(&mut self, took: Duration) {
        self.full_polls += 1;
        self.durations.observe(took.as_secs_f64());
    }

    /// Counts a steady poll that took so long, whatever its end.
    pub fn polled_steadily(&mut self, took: Duration) {
        self.steady_polls += 1;
        self.durations.observe(took.as_secs_f64());
    }

    /// Takes in that a poll succeeded.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.up = Some(true);
        self.last_success = Some(now);
        self.last_success_at = Some(Instant::now());
        self.failing_since = None;
        self.failed_in_a_row = 0;
    }

    /// Takes in what a full poll that succeeded could read, and what not.
    pub fn read_all(&mut self, now: Timestamp, complete: bool, unreadable: &Unreadable) {
        self.last_full_poll = Some(now);
        self.complete = Some(complete);
        self.listing_cut = unreadable.cut;
        self.skipped = unreadable.skipped.values().sum();
        self.unreadable.status += unreadable.status;
        self.unreadable.timestamps += unreadable.timestamps;
        for (reason, count) in &unreadable.skipped {
            *self.unreadable.skipped.entry(*reason).or_default() += count;
        }
    }

    /// Takes in that a poll failed.
    pub fn failed(&mut self, now: Timestamp, error: &SourceError) {
        self.up = Some(false);
        self.failing_since.get_or_insert(now);
        self.failed_in_a_row += 1;
        self.last_failure = Some(FailedPoll {
            at: now,
            error: error.clone(),
        });
        *self.failures.entry(error.reason).or_default() += 1;
    }
}
