//! How busy a vCenter is.

use std::time::Duration;

/// Tasks that come to be and move on by themselves.
///
/// What happens depends on the seed and the time only, and not on how often
/// the clock is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct VcWorkload {
    /// New tasks a minute; 0 for none.
    pub rate: f64,
    /// The share of tasks that fail, from 0 to 1.
    pub failing: f64,
    /// The share of tasks that are canceled, where they can be.
    pub canceled: f64,
    /// The share of tasks that wait in the middle for a while.
    pub blocked: f64,
    /// The unit of the tasks' lengths: a clone takes 10 to 30 of them.
    pub pace: Duration,
    /// How long it has gone on when first looked at, so that there are tasks
    /// in all states at once.
    pub lead: Duration,
    /// The seed of what happens.
    pub seed: u64,
}

impl Default for VcWorkload {
    fn default() -> Self {
        Self {
            rate: 12.0,
            failing: 0.1,
            canceled: 0.05,
            blocked: 0.1,
            pace: Duration::from_secs(1),
            lead: Duration::from_secs(60),
            seed: 0,
        }
    }
}
