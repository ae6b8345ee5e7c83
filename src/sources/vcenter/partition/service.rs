//! One service, and whether it is worth asking for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Fault;

/// How long a service that never answered is left alone at first; it may be
/// that the system is about to start.
const REST: Duration = Duration::from_secs(10 * 60);

/// How long a service is left alone that the system did not know several times.
const LONGEST_REST: Duration = Duration::from_secs(2 * 60 * 60);

/// Operations beyond are in no split; a service has some dozens at most.
const MOST_OPERATIONS: usize = 500;

/// What is known of one service.
#[derive(Debug)]
pub(super) struct Service {
    operations: Vec<Arc<str>>,
    /// Whether it ever answered.
    pub(super) answered: bool,
    /// Since when the system does not know it any more.
    refused_since: Option<Instant>,
    /// Until when it is asked for in one call alone.
    whole_until: Option<Instant>,
    /// Whether it rested since it last answered.
    tried_again: bool,
    rest: Option<Rest>,
    /// How long it is to rest if it is unknown again.
    next_rest: Duration,
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    /// Whether it was unavailable, and not unknown.
    silent: bool,
}

impl Service {
    pub(super) fn new(operations: Vec<Arc<str>>) -> Self {
        Self {
            operations,
            answered: false,
            refused_since: None,
            whole_until: None,
            tried_again: false,
            rest: None,
            next_rest: REST,
        }
    }

    /// Its operations, without `$task`: those built in, and those met.
    pub(super) fn operations(&self) -> &[Arc<str>] {
        &self.operations
    }

    /// Takes in an operation that a task was met with.
    pub(super) fn met(&mut self, operation: &str) {
        let known = self.operations.iter().any(|known| **known == *operation);
        if !known && self.operations.len() < MOST_OPERATIONS {
            self.operations.push(operation.into());
        }
    }

    /// Takes in that it answered; whether that is news.
    pub(super) fn answered(&mut self) -> bool {
        let news = !self.answered || self.tried_again;
        (self.answered, self.tried_again) = (true, false);
        (self.refused_since, self.whole_until) = (None, None);
        news
    }

    /// Asks for it in one call alone for a while, as no smaller one answered.
    pub(super) fn keep_whole(&mut self, now: Instant) {
        self.whole_until = Some(now + REST);
    }

    /// Whether smaller calls for it may answer.
    pub(super) fn may_be_split(&self, now: Instant) -> bool {
        self.whole_until.is_none_or(|until| until <= now)
    }

    /// Takes in that it was refused, though it answered before; whether that is so
    /// for long enough to believe that the system does not have it any more.
    pub(super) fn refused(&mut self, now: Instant) -> bool {
        let since = *self.refused_since.get_or_insert(now);
        if now.duration_since(since) < LONGEST_REST {
            return false;
        }
        (self.answered, self.refused_since) = (false, None);
        true
    }

    /// Leaves it alone for a while.
    pub(super) fn rest(&mut self, fault: Fault, now: Instant) {
        let silent = fault != Fault::Refused;
        let long = match (self.answered, silent) {
            // Those that answered before are tried in turn, one a poll.
            (true, _) => Duration::ZERO,
            (false, true) => REST,
            (false, false) => self.next_rest,
        };
        self.rest = Some(Rest {
            until: now + long,
            silent,
        });
        if !silent && !self.answered {
            self.next_rest = LONGEST_REST.min(self.next_rest * 2);
        }
    }

    pub(super) fn wake(&mut self) {
        self.rest = None;
        self.tried_again = true;
    }

    pub(super) fn is_resting(&self) -> bool {
        self.rest.is_some()
    }

    /// Until when it rests, to sort by; the last if it does not.
    pub(super) fn rests_until(&self) -> (bool, Option<Instant>) {
        let until = self.rest.as_ref().map(|rest| rest.until);
        (until.is_none(), until)
    }

    /// Whether its rest is over.
    pub(super) fn has_rested(&self, now: Instant) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.until <= now)
    }

    /// Whether it rests because it was unavailable.
    pub(super) fn may_be_back(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.silent)
    }
}
