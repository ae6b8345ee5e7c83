//! How busy a VirtShell server is.

use std::time::Duration;

/// Tasks that come to be and move on by themselves.
///
/// What happens depends on the seed and the time only, and not on how often
/// the clock is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct VsWorkload {
    /// New tasks a minute; 0 for none.
    pub rate: f64,
    /// The share of tasks that fail, from 0 to 1.
    pub failing: f64,
    /// The share of tasks that stay in a working status for ever, as those do
    /// whose agent fails.
    pub stuck: f64,
    /// The share of failed tasks that are put back to `pending` and then go well.
    pub rerun: f64,
    /// The unit of the tasks' lengths: a task takes 10 to 40 of them.
    pub pace: Duration,
    /// How long it has gone on when first looked at, so that there are tasks
    /// in all states at once.
    pub lead: Duration,
    /// The seed of what happens.
    pub seed: u64,
}

impl Default for VsWorkload {
    fn default() -> Self {
        Self {
            rate: 12.0,
            failing: 0.1,
            stuck: 0.02,
            rerun: 0.2,
            pace: Duration::from_secs(1),
            lead: Duration::from_secs(60),
            seed: 0,
        }
    }
}
