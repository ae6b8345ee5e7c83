//! A token bucket over all requests.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often one may ask.
#[derive(Debug)]
pub(super) struct Rate {
    interval: Duration,
    burst: u32,
    /// When the bucket would be full again; `None` if it was never used.
    full_at: Mutex<Option<Instant>>,
}

impl Rate {
    /// One request an interval, and a burst of some at once.
    pub(super) fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            full_at: Mutex::new(None),
        }
    }

    /// Takes a token, if there is one.
    pub(super) fn allows(&self, now: Instant) -> bool {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let last = full_at.map_or(now, |at| at.max(now));
        let Some(next) = last.checked_add(self.interval) else {
            return false;
        };
        let room = self.interval.saturating_mul(self.burst);
        let allowed = next.duration_since(now) <= room;
        if allowed {
            *full_at = Some(next);
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let (rate, start) = (Rate::new(Duration::from_secs(10), 3), Instant::now());
        let at = |seconds| rate.allows(start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(9), at(10), at(11)], [false, true, false]);
        // It fills up to the burst, and no further.
        assert_eq!([at(99), at(99), at(99), at(99)], [true, true, true, false]);
    }
}
