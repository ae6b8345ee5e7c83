//! Which poll is due when: pure, as the time is an argument.
//!
//! Where a source keeps its newest tasks first, every poll is a steady one but
//! for a full one now and then; elsewhere every poll is a full one. A full poll
//! that takes long gives way to the steady polls that fall due meanwhile.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff::{LOGIN_PAUSE, Pauses};
use crate::sources::{Reason, SourceError};

/// When a source is polled, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// From the start of one poll to the start of the next, before jitter.
    pub interval: Duration,
    /// How long a steady poll may take.
    pub timeout: Duration,
    /// From the start of one full poll to the start of the next, where steady
    /// ones come between.
    pub full_interval: Duration,
    /// How long a full poll may take.
    pub full_timeout: Duration,
}

/// How much a poll reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Everything.
    Full,
    /// The newest tasks, and by id what else is open.
    Steady,
}

/// The polls of one source to come.
#[derive(Debug)]
pub(super) struct Plan {
    schedule: Schedule,
    pauses: Pauses,
    full_pauses: Pauses,
    /// When the poll after the one that began last is due.
    due: Instant,
    full_began: Instant,
    full_due: Instant,
    /// Whether a full poll gave way and goes on after the next steady one.
    under_way: bool,
    /// Whether the last poll was a full one that failed.
    full_failed: bool,
    /// Whether the last full poll failed.
    full_failing: bool,
    /// When a reload ended a back-off last, if the login is rejected ever since.
    hurried: Option<Instant>,
}

impl Plan {
    pub(super) fn new(schedule: Schedule, now: Instant) -> Self {
        Self {
            schedule,
            pauses: Pauses::new(schedule.interval),
            full_pauses: Pauses::new(schedule.interval),
            due: now,
            full_began: now,
            full_due: now,
            under_way: false,
            full_failed: false,
            full_failing: false,
            hurried: None,
        }
    }

    /// The poll that begins `now`, or goes on; `ordered` says whether it can be
    /// a steady one, and `wanted` whether a full one shall come before its time.
    pub(super) fn begin(&mut self, now: Instant, ordered: bool, wanted: bool) -> Mode {
        let full = if self.under_way {
            now < self.due
        } else {
            let early = wanted && !self.full_failing;
            // A full poll that fails half way holds up no steady one.
            (early || self.full_due <= now) && !self.full_failed
        };
        let mode = if full || !ordered {
            Mode::Full
        } else {
            Mode::Steady
        };
        if mode == Mode::Steady || !self.under_way {
            self.due = now + self.pauses.on_time();
        }
        if !self.under_way {
            // A steady poll may become a full one.
            self.full_began = now;
        }
        mode
    }

    /// When a full poll that has begun gives way to the next steady one.
    pub(super) fn gives_way_at(&self) -> Instant {
        self.due
    }

    /// Takes in that the full poll gave way: it goes on later.
    pub(super) fn gave_way(&mut self) {
        self.under_way = true;
    }

    /// Takes in how a poll ended at `now`, and says when the next one begins.
    pub(super) fn ended(
        &mut self,
        mode: Mode,
        now: Instant,
        error: Option<&SourceError>,
    ) -> Instant {
        let rejected = error.is_some_and(|error| error.login_rejected);
        self.hurried = self.hurried.filter(|_| rejected);
        if mode == Mode::Full {
            self.under_way = false;
            self.full_failed = error.is_some();
            self.full_failing = error.is_some();
            self.full_due = match error {
                None => self.full_began + self.schedule.full_interval,
                Some(error) => now + self.full_pauses.after_failure(error),
            };
        } else {
            self.full_failed = false;
        }
        let Some(error) = error else {
            return self.succeeded(mode, now);
        };
        if error.reason == Reason::Timeout && mode == Mode::Steady {
            // There may be more news than a steady poll has time for.
            self.full_due = now;
        }
        let next = now + self.pauses.after_failure(error);
        // What a steady poll lost is no reason to let a full one wait for ever.
        self.due = next + self.schedule.interval;
        next
    }

    /// From when on a reload may end the back-off: who reloads again and again
    /// shall not lock the account that is rejected.
    pub(super) fn may_hurry_from(&self, now: Instant) -> Instant {
        self.hurried
            .map_or(now, |last| (last + LOGIN_PAUSE).max(now))
    }

    /// Takes in that the configuration was loaded again, which ends back-offs.
    pub(super) fn reloaded(&mut self, now: Instant) {
        self.hurried = Some(now);
        self.pauses.reset();
        self.full_pauses.reset();
        if self.full_failing {
            self.full_failed = false;
            self.full_due = now;
        }
    }

    /// Whether full polls back off.
    pub(super) fn full_backs_off(&self) -> bool {
        self.full_failing
    }

    fn succeeded(&mut self, mode: Mode, now: Instant) -> Instant {
        self.pauses.reset();
        if mode == Mode::Full {
            self.full_pauses.reset();
        }
        // A poll that took longer than the interval leaves the source some rest.
        self.due = self.due.max(now + self.schedule.interval / 10);
        if self.under_way { now } else { self.due }
    }
}

#[cfg(test)]
mod tests;
