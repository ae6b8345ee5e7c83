//! What can happen to an exporter.

use proptest::prelude::*;

use super::PART;
use super::world::{Act, act};

/// What happens, at the source, to the exporter or to its machine.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Source(Act),
    Poll(Poll),
    /// A poll that fails.
    Outage,
    Scrape,
    Pass(u64),
    /// This machine's clock is set.
    SetClock(i64),
    DiskFull(bool),
    /// A change of the disk fails, after so many.
    DiskFault(u64),
    /// A stop and a start.
    Restart,
    /// `kill -9` or a power failure, after so many changes of the disk in a poll.
    Crash(Option<(u64, Poll)>, u64),
}

/// How a poll goes.
#[derive(Debug, Clone)]
pub(super) struct Poll {
    pub(super) whole: bool,
    /// Whether the second part answers.
    pub(super) restores: bool,
    /// What happens while the pages are read.
    pub(super) meanwhile: Vec<Act>,
    /// By bits, the tasks that are shown as they were before that, those that
    /// are lost between two pages, and those that cannot be read by id.
    pub(super) before: u8,
    pub(super) lost: u8,
    pub(super) unreadable: u8,
}

fn poll() -> impl Strategy<Value = Poll> {
    let drift = prop_oneof![
        3 => Just((vec![], 0, 0, 0)),
        1 => (prop::collection::vec(act(), 0..4), any::<u8>(), any::<u8>(), any::<u8>()),
    ];
    let parts = (prop::bool::weighted(0.8), prop::bool::weighted(0.8));
    (parts, drift).prop_map(|(parts, (meanwhile, before, lost, unreadable))| Poll {
        whole: parts.0,
        restores: parts.1,
        meanwhile,
        before,
        lost: lost & before.rotate_left(3),
        unreadable: unreadable & lost,
    })
}

/// The second part of the source; every fourth task is in it.
pub(super) const RESTORES: &str = "restore";

pub(super) fn part(id: &str) -> &'static str {
    let number: u32 = id.trim_start_matches('t').parse().unwrap();
    if number % 4 == 3 { RESTORES } else { PART }
}

impl Poll {
    /// One that reads everything, with nothing happening meanwhile.
    pub(super) fn whole() -> Self {
        Self {
            whole: true,
            restores: true,
            meanwhile: Vec::new(),
            before: 0,
            lost: 0,
            unreadable: 0,
        }
    }

    /// The parts that answer, and whether they are read to their end.
    pub(super) fn parts(&self) -> Vec<(&'static str, bool)> {
        let restores = self.restores.then_some((RESTORES, true));
        [(PART, self.whole)].into_iter().chain(restores).collect()
    }
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let crash = prop::option::of((0..40_u64, poll()));
    prop_oneof![
        10 => act().prop_map(Step::Source),
        8 => poll().prop_map(Step::Poll),
        1 => Just(Step::Outage),
        4 => Just(Step::Scrape),
        2 => (1..90_u64).prop_map(Step::Pass),
        1 => prop_oneof![-4000..4000_i64, Just(-50 * 365 * 86_400), Just(400 * 86_400)].prop_map(Step::SetClock),
        1 => prop::bool::weighted(0.3).prop_map(Step::DiskFull),
        1 => (0..60_u64).prop_map(Step::DiskFault),
        1 => Just(Step::Restart),
        2 => (crash, any::<u64>()).prop_map(|(poll, seed)| Step::Crash(poll, seed)),
    ]
}
