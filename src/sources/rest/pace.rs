//! How many calls a source has to bear.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// So many calls a second, and as many at once after a second of silence.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// When all that was sent would have been sent one by one.
    spent_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(most_per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / most_per_second.max(1),
            spent_until: None,
        }
    }

    /// Waits until the next call may be sent.
    pub(super) async fn turn(&mut self) {
        let now = Instant::now();
        let at = self.take(now);
        if at > now {
            sleep_until(at).await;
        }
    }

    /// When a call may be sent that is wanted now.
    fn take(&mut self, now: Instant) -> Instant {
        let spent = self.spent_until.map_or(now, |until| until.max(now));
        let spent = spent + self.interval;
        self.spent_until = Some(spent);
        let wait = (spent - now).saturating_sub(Duration::from_secs(1));
        now + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_a_second_has_may_come_at_once_and_the_rest_one_by_one() {
        let (mut pace, start) = (Pace::new(4), Instant::now());
        let waits = [(); 6].map(|()| (pace.take(start) - start).as_millis());
        assert_eq!(waits, [0, 0, 0, 0, 250, 500]);
        // A second later it is two that are still to be made up for.
        let later = start + Duration::from_secs(1);
        let waits = [(); 4].map(|()| (pace.take(later) - later).as_millis());
        assert_eq!(waits, [0, 0, 250, 500]);
        let much_later = start + Duration::from_secs(60);
        assert_eq!(pace.take(much_later), much_later);
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_calls_take_their_time() {
        let (mut pace, start) = (Pace::new(100), Instant::now());
        for _ in 0..1000 {
            pace.turn().await;
        }
        let took = start.elapsed().as_millis();
        assert!((8_900..9_200).contains(&took), "{took}");
    }
}
