//! What stays known of an operation after its tasks have left the source.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::task::Status;

/// How many of the newest successes give the typical duration.
const SUCCESSES: usize = 20;

/// The newest ends and durations of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recency {
    last_success: Option<Timestamp>,
    last_failure: Option<Timestamp>,
    /// Of the newest task in each outcome: when it ended, and how long it took.
    last_durations: BTreeMap<Status, (Timestamp, Duration)>,
    /// Of the newest successes, oldest first: when they ended, how long they took.
    successes: VecDeque<(Timestamp, Duration)>,
}

impl Recency {
    /// Takes in that a task ended.
    pub(super) fn ended(&mut self, status: Status, at: Timestamp, duration: Option<Duration>) {
        if status.is_success() {
            self.last_success = self.last_success.max(Some(at));
        } else if status == Status::Failed {
            self.last_failure = self.last_failure.max(Some(at));
        }
        let Some(duration) = duration else { return };
        let last = self.last_durations.entry(status).or_insert((at, duration));
        if at >= last.0 {
            *last = (at, duration);
        }
        if status.is_success() {
            let place = self.successes.partition_point(|(end, _)| *end <= at);
            self.successes.insert(place, (at, duration));
            if self.successes.len() > SUCCESSES {
                self.successes.pop_front();
            }
        }
    }

    /// When the newest success ended.
    pub fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }

    /// When the newest failure ended.
    pub fn last_failure(&self) -> Option<Timestamp> {
        self.last_failure
    }

    /// How long the newest task took, by outcome.
    pub fn last_durations(&self) -> impl Iterator<Item = (Status, Duration)> + '_ {
        let durations = self.last_durations.iter();
        durations.map(|(status, (_, duration))| (*status, *duration))
    }

    /// The median duration of the newest successes.
    pub fn typical_duration(&self) -> Option<Duration> {
        let mut durations: Vec<_> = self.successes.iter().map(|(_, took)| *took).collect();
        durations.sort_unstable();
        let middle = durations.len() / 2;
        let upper = *durations.get(middle)?;
        if durations.len() % 2 == 1 {
            return Some(upper);
        }
        let lower = durations.get(middle.checked_sub(1)?)?;
        Some((*lower + upper) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_newest_end_counts_in_whatever_order_they_come() {
        let mut recency = Recency::default();
        for (end, took) in [(30, 3), (10, 1), (20, 2)] {
            let took = Duration::from_secs(took);
            recency.ended(Status::Succeeded, at(end), Some(took));
        }
        recency.ended(Status::Warning, at(40), None);
        recency.ended(Status::Failed, at(5), None);
        assert_eq!(recency.last_success(), Some(at(40)));
        assert_eq!(recency.last_failure(), Some(at(5)));
        assert_eq!(
            recency.last_durations().collect::<Vec<_>>(),
            [(Status::Succeeded, Duration::from_secs(3))]
        );
    }

    #[test]
    fn the_typical_duration_is_the_median_of_the_newest_twenty() {
        let mut recency = Recency::default();
        assert_eq!(recency.typical_duration(), None);
        for second in 1..=30 {
            let took = Duration::from_secs(u64::try_from(second).unwrap());
            recency.ended(Status::Succeeded, at(second), Some(took));
        }
        // The newest twenty took 11 to 30 seconds.
        assert_eq!(
            recency.typical_duration(),
            Some(Duration::from_millis(20_500))
        );
    }
}
