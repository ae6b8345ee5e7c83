//! Ended tasks of the past.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::course::{self, Fate};
use super::options::VsShape;
use super::task::VsTask;
use crate::simulator::stamp::later;

/// How long ago the oldest began, in milliseconds: a week.
const LONGEST: i64 = 7 * 24 * 3600 * 1000;

/// How long ago the youngest began, in milliseconds: an hour.
const SHORTEST: i64 = 3600 * 1000;

/// How many of a hundred failed.
const FAILED: u32 = 8;

/// `count` ended tasks, the oldest first.
pub(super) fn past_tasks(
    count: usize,
    shape: VsShape,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Vec<VsTask> {
    let mut ages: Vec<i64> = (0..count).map(|_| rng.i64(SHORTEST..=LONGEST)).collect();
    ages.sort_unstable_by_key(|age| Reverse(*age));
    let born = ages.into_iter().map(|age| later(now, -age));
    born.map(|at| past_task(shape, at, rng)).collect()
}

/// A task that was created at a time and took some minutes.
fn past_task(shape: VsShape, created: Timestamp, rng: &mut fastrand::Rng) -> VsTask {
    let failed = rng.u32(..100) < FAILED;
    let fate = if failed { Fate::Fails } else { Fate::Succeeds };
    let kind = course::kind(shape, fate, rng);
    let mut task = course::task(kind, rng).created(created).changed(created);
    let mut at = created;
    for (word, log) in course::moves(shape, kind, fate, rng) {
        at = later(at, rng.i64(1_000..=120_000));
        task.move_to(word, &log, at);
    }
    task
}
