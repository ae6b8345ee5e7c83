//! How long a source has been watched.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What passes at most between two polls: the clock of a machine may jump by
/// years, as at the start of one that has no battery.
const LONGEST_STEP: SignedDuration = SignedDuration::from_hours(1);

/// A clock that goes on only while the source is polled, and never jumps.
///
/// What was unlisted is kept for a time on this clock: a step of the machine's
/// clock would else forget everything at once, and count it again later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Observed {
    milliseconds: i64,
    last: Option<Timestamp>,
}

impl Observed {
    /// Takes in that the source was polled at `now`.
    pub(super) fn poll(&mut self, now: Timestamp) {
        let step = self.last.map(|last| now.duration_since(last));
        let step = step.unwrap_or_default();
        let step = step.clamp(SignedDuration::ZERO, LONGEST_STEP);
        let step = i64::try_from(step.as_millis()).unwrap_or_default();
        self.milliseconds = self.milliseconds.saturating_add(step);
        self.last = Some(now);
    }

    /// The seconds that were observed; from 1, so that 0 can be none.
    pub(super) fn seconds(self) -> u32 {
        u32::try_from(self.milliseconds / 1000 + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_clock_is_an_hour_at_most() {
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let mut observed = Observed::default();
        observed.poll(start);
        assert_eq!(observed.seconds(), 1);
        observed.poll(start + SignedDuration::from_secs(90));
        assert_eq!(observed.seconds(), 91);
        observed.poll(start + SignedDuration::from_hours(24 * 365));
        assert_eq!(observed.seconds(), 91 + 3600);
        observed.poll(start);
        assert_eq!(observed.seconds(), 91 + 3600);
    }
}
