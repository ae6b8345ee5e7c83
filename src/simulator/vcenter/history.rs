//! Ended tasks of the past.

use std::time::Duration;

use jiff::Timestamp;

use super::error::VcError;
use super::options::VcenterOptions;
use super::recipes::{self, Recipe};
use super::task::VcTask;
use crate::simulator::stamp::later;

/// How long back tasks go that are kept for ever.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How many of a hundred failed.
const FAILED: u32 = 6;

/// How many of a hundred were canceled, where they can be.
const CANCELED: u32 = 4;

/// `count` ended tasks, none so old that its provider has forgotten it.
pub(super) fn past_tasks(
    count: usize,
    options: &VcenterOptions,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Vec<VcTask> {
    (0..count)
        .map_while(|_| {
            let recipe = recipes::pick(options, rng)?;
            let kept = options.retention_of(recipe.service).unwrap_or(LONGEST);
            let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
            // Not so close to the end of its time that the next minute takes most of them away.
            let age = kept / 1000 * rng.i64(5..=900);
            Some(past_task(recipe, later(now, -age), rng))
        })
        .collect()
}

/// A task of a recipe that ended at a time.
fn past_task(recipe: &Recipe, end: Timestamp, rng: &mut fastrand::Rng) -> VcTask {
    let (least, most) = recipe.length;
    // A unit of a recipe was ten seconds then.
    let took = rng.i64(i64::from(least) * 10_000..=i64::from(most) * 10_000);
    let mut task = recipe.build(rng);
    let start = later(end, -took);
    task.begin(start);
    let fate = rng.u32(..100);
    if fate < FAILED {
        task.reach(rng.i64(10..90), start);
        task.fail(recipe.failure(rng), end);
    } else if fate < FAILED + CANCELED && recipe.cancelable {
        task.reach(rng.i64(10..90), start);
        task.fail(VcError::canceled(), end);
    } else {
        task.succeed(end);
    }
    task
}
