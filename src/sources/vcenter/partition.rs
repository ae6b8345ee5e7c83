//! Which list calls cover all services: found by splitting, and remembered.
//!
//! A list call must name services, all of one provider, and must not match more
//! than a thousand tasks; nothing says which service belongs to which provider,
//! or exists at all (API specification 9.1, `Tasks.FilterSpec`). So one call for
//! all is tried first and split where it fails: services in halves, then by
//! status, then by operation. Services whose calls answered are put together
//! again where a probe shows that they have one provider.
//!
//! Pure: time is an argument, and whoever makes the calls says how they went.

mod failure;
mod filter;
mod finish;
mod group;
mod node;
mod probe;
mod service;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) use filter::{Filter, Statuses};
use group::Group;
use service::Service;

/// Up to how many tasks are put together into one call again; well below the
/// thousand at which it would be split.
const SMALL: usize = 800;

/// How many calls of a poll may find a provider unavailable, or fail without
/// saying why, before those that are likely to fail likewise are left to the next
/// poll; and the poll is given up if none answered by then.
const PATIENCE: Patience = Patience {
    unavailable: 8,
    unclear: 24,
};

/// For how long services that could not be asked for together are kept apart.
const APART: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
struct Patience {
    unavailable: u32,
    unclear: u32,
}

/// Why a list call failed, as far as that tells how to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It matches more tasks than a call may.
    Capped,
    /// It cannot be answered as it is: several providers, or an unknown service.
    Refused,
    /// A provider does not work.
    Unavailable,
    /// There was no answer.
    Lost,
    /// One of these; the answer does not say.
    Unclear,
}

/// How much of a service was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coverage {
    /// All of it.
    Whole,
    /// All that has not ended, and not all that has.
    Unfinished,
    /// It answered at some time, but could not be read whole now.
    Partial,
}

/// The services, and the calls that cover them.
#[derive(Debug)]
pub(super) struct Partition {
    services: BTreeMap<Arc<str>, Service>,
    groups: Vec<Group>,
    /// How many providers are told apart.
    providers: usize,
    /// Whether a service answered for the first time, so that others may be
    /// back as well.
    returning: bool,
    /// Whether none was awake since.
    lost: bool,
    /// The groups as they were before the poll, if calls answered then.
    before: Vec<Group>,
    poll: Poll,
}

/// What is to be done in one poll, and how it went so far.
#[derive(Debug, Default)]
struct Poll {
    queue: VecDeque<Filter>,
    asked: Option<Asked>,
    /// Calls for a part of a service, none of which has answered yet, that may be
    /// split further once one has.
    held: Vec<Filter>,
    answers: u32,
    failures: u32,
    unavailable: u32,
    unclear: u32,
    probes_end: bool,
    given_up: Vec<(Arc<str>, Coverage)>,
}

/// The call that is under way.
#[derive(Debug, Clone)]
enum Asked {
    Tasks(Filter),
    /// Whether the service is of the provider.
    Provider(Arc<str>, usize),
}

impl Partition {
    /// The services, each with its known operations, in an order in which those
    /// of one provider are likely to stand together.
    pub(super) fn new(services: impl IntoIterator<Item = (Arc<str>, Vec<Arc<str>>)>) -> Self {
        let mut names = Vec::new();
        let mut known = BTreeMap::new();
        for (name, operations) in services {
            names.push(Arc::clone(&name));
            known.insert(name, Service::new(operations));
        }
        Self {
            services: known,
            groups: vec![Group::new(names)],
            providers: 0,
            returning: false,
            lost: false,
            before: Vec::new(),
            poll: Poll::default(),
        }
    }

    /// Takes in that a service answered another process.
    pub(super) fn expect(&mut self, service: &str) {
        if let Some(service) = self.services.get_mut(service) {
            service.answered = true;
        }
    }

    /// Begins a poll.
    pub(super) fn begin(&mut self, now: Instant) {
        self.wake(now);
        self.poll = Poll::default();
        self.before.clear();
        if self.groups.iter().any(|group| group.proven) {
            self.before.clone_from(&self.groups);
        }
        let mut doubtful = Vec::new();
        for group in &mut self.groups {
            let known = only(group.services()).and_then(|name| self.services.get(name));
            group.node.begin(known.map_or(&[], Service::operations));
            let leaves = group.node.leaves().into_iter();
            let calls = leaves.map(|leaf| leaf.filter.clone());
            if group.is_sound() {
                self.poll.queue.extend(calls);
            } else {
                doubtful.extend(calls.map(|call| (group.misses, call)));
            }
        }
        // What fails for ever shall not stand before what was not tried yet.
        doubtful.sort_by_key(|(misses, _)| *misses);
        self.poll
            .queue
            .extend(doubtful.into_iter().map(|(_, call)| call));
    }

    /// Lets services be tried again: one that rested long enough; those that
    /// were unavailable as soon as another one is back, or if none is awake;
    /// all, if one is back after none was.
    fn wake(&mut self, now: Instant) {
        let back = std::mem::take(&mut self.returning);
        let idle = self.groups.is_empty();
        let all = back && self.lost;
        let wakes = |service: &Service| match (all, back || idle) {
            (true, _) => service.is_resting(),
            (false, together) => together && service.may_be_back(),
        };
        let services = self.services.iter();
        let together = services.filter(|(_, service)| wakes(service));
        let mut awake: Vec<_> = together.map(|(name, _)| Arc::clone(name)).collect();
        if awake.is_empty() {
            let services = self.services.iter();
            let longest = services.min_by_key(|(_, service)| service.rests_until());
            let due = longest.filter(|(_, service)| idle || service.has_rested(now));
            awake.extend(due.map(|(name, _)| Arc::clone(name)));
        }
        self.lost = idle || self.lost && !back;
        for name in &awake {
            self.services
                .entry(Arc::clone(name))
                .and_modify(Service::wake);
        }
        if !awake.is_empty() {
            self.groups.push(Group::new(awake));
        }
    }

    /// The next call to make; `None` when the poll is over.
    pub(super) fn next(&mut self) -> Option<Filter> {
        if let Some(filter) = self.poll.queue.pop_front() {
            self.poll.asked = Some(Asked::Tasks(filter.clone()));
            return Some(filter);
        }
        let (name, provider, neighbour) = self.next_probe()?;
        self.poll.asked = Some(Asked::Provider(Arc::clone(&name), provider));
        // One status, as only the error tells: few tasks have not begun.
        Some(Filter {
            statuses: Statuses::Pending,
            ..Filter::of(vec![neighbour, name])
        })
    }

    /// Takes in that the call answered with so many tasks.
    pub(super) fn answered(&mut self, count: usize) {
        self.poll.answers += 1;
        match self.poll.asked.take() {
            Some(Asked::Tasks(filter)) => self.read(&filter, count),
            Some(Asked::Provider(name, provider)) => self.found(&name, provider),
            None => {}
        }
    }

    fn read(&mut self, filter: &Filter, count: usize) {
        for name in &filter.services {
            if let Some(service) = self.services.get_mut(name) {
                self.returning |= service.answered();
            }
        }
        let group = self.groups.iter_mut().find(|group| group.covers(filter));
        if let Some(group) = group {
            group.answered(filter, count);
        }
        let own = |held: &mut Filter| held.services == filter.services;
        let held: Vec<_> = self.poll.held.extract_if(.., own).collect();
        for held in held.into_iter().rev() {
            self.split(&held);
        }
    }

    /// Takes in an operation that a task was met with.
    pub(super) fn met(&mut self, service: &str, operation: &str) {
        if let Some(service) = self.services.get_mut(service) {
            service.met(operation);
        }
    }

    /// How many calls a poll makes.
    pub(super) fn calls(&self) -> usize {
        self.groups
            .iter()
            .map(|group| group.node.leaves().len())
            .sum()
    }

    /// The services that rest because they never answered.
    pub(super) fn resting(&self) -> impl Iterator<Item = &str> {
        let services = self.services.iter();
        let resting = services.filter(|(_, service)| service.is_resting());
        resting.map(|(name, _)| &**name)
    }
}

/// The one service, if it is one.
fn only(services: &[Arc<str>]) -> Option<&Arc<str>> {
    match services {
        [one] => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
