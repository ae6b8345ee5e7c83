//! When to poll next: on time with some jitter, later after failures.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::sources::SourceError;

/// The longest pause after failures, unless the source asks for more.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// The shortest pause after a rejected login: accounts lock.
pub(super) const LOGIN_PAUSE: Duration = Duration::from_secs(60);

/// The longest one.
const LONGEST_LOGIN_PAUSE: Duration = Duration::from_secs(30 * 60);

/// The pauses between the polls of one source.
#[derive(Debug)]
pub(super) struct Pauses {
    interval: Duration,
    after_failure: ExponentialBackoff,
    after_rejection: ExponentialBackoff,
}

impl Pauses {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            after_failure: doubling(interval, LONGEST.max(interval)),
            after_rejection: doubling(LOGIN_PAUSE.max(interval), LONGEST_LOGIN_PAUSE.max(interval)),
        }
    }

    /// From the start of a poll to the start of the next, if all goes well.
    pub(super) fn on_time(&self) -> Duration {
        jittered(self.interval)
    }

    /// Takes in that a poll succeeded.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.interval);
    }

    /// From the end of a failed poll to the start of the next; never less than
    /// the source asked for.
    pub(super) fn after_failure(&mut self, error: &SourceError) -> Duration {
        let pauses = if error.login_rejected {
            &mut self.after_rejection
        } else {
            &mut self.after_failure
        };
        let pause = pauses.next().unwrap_or(LONGEST);
        let pause = jittered(pause).max(if error.login_rejected {
            pause
        } else {
            Duration::ZERO
        });
        pause.max(error.retry_after.unwrap_or_default())
    }
}

fn doubling(from: Duration, to: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_factor(2.0)
        .with_min_delay(from)
        .with_max_delay(to)
        .without_max_times()
        .build()
}

/// Up to a tenth more or less, so that sources are not polled in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::Reason;

    fn error(login_rejected: bool) -> SourceError {
        SourceError {
            login_rejected,
            ..SourceError::new(Reason::Connect, "/v1/tasks", "refused")
        }
    }

    fn near(pause: Duration, seconds: u64) -> bool {
        let expected = Duration::from_secs(seconds);
        pause >= expected.mul_f64(0.89) && pause <= expected.mul_f64(1.11)
    }

    #[test]
    fn pauses_double_to_five_minutes_and_start_again_after_a_success() {
        let mut pauses = Pauses::new(Duration::from_secs(30));
        for seconds in [30, 60, 120, 240, 300, 300] {
            let pause = pauses.after_failure(&error(false));
            assert!(near(pause, seconds), "{pause:?} {seconds}");
        }
        pauses.reset();
        assert!(near(pauses.on_time(), 30));
        assert!(near(pauses.after_failure(&error(false)), 30));
    }

    #[test]
    fn a_rejected_login_waits_from_one_to_thirty_minutes() {
        let mut pauses = Pauses::new(Duration::from_secs(30));
        for minutes in [1, 2, 4, 8, 16, 30, 30] {
            let pause = pauses.after_failure(&error(true));
            assert!(pause >= Duration::from_secs(60 * minutes), "{pause:?}");
            assert!(near(pause, 60 * minutes), "{pause:?} {minutes}");
        }
    }

    #[test]
    fn the_source_is_left_alone_for_as_long_as_it_asked() {
        let mut pauses = Pauses::new(Duration::from_secs(30));
        let asked = SourceError {
            retry_after: Some(Duration::from_secs(900)),
            ..error(false)
        };
        assert_eq!(pauses.after_failure(&asked), Duration::from_secs(900));
    }
}
