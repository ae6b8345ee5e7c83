//! Services that are asked for together.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use super::filter::Filter;
use super::node::Node;
use super::{APART, SMALL};

/// How often in a row a group may be unavailable before its services are tried
/// apart: it may be one of them that hangs.
const MISSES: u32 = 3;

/// Services that are asked for in one call, or in the calls it was split into.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) node: Node,
    /// Whether a call with all of these services ever answered.
    pub(super) proven: bool,
    /// The provider, once it is told apart from the others.
    pub(super) provider: Option<usize>,
    /// The providers that it is not of.
    pub(super) others: BTreeSet<usize>,
    /// How often in a row it was unavailable.
    pub(super) misses: u32,
    /// Until when it is asked for alone, as it failed together with others.
    apart_until: Option<Instant>,
}

impl Group {
    pub(super) fn new(services: Vec<Arc<str>>) -> Self {
        Self {
            node: Node::new(Filter::of(services)),
            proven: false,
            provider: None,
            others: BTreeSet::new(),
            misses: 0,
            apart_until: None,
        }
    }

    pub(super) fn services(&self) -> &[Arc<str>] {
        &self.node.filter.services
    }

    /// Whether a call asks for some of this group.
    pub(super) fn covers(&self, filter: &Filter) -> bool {
        filter
            .services
            .iter()
            .all(|service| self.services().contains(service))
    }

    /// Whether it answered when it was last asked.
    pub(super) fn is_sound(&self) -> bool {
        self.proven && self.misses == 0
    }

    /// Takes in that one of its calls answered with so many tasks.
    pub(super) fn answered(&mut self, filter: &Filter, count: usize) {
        self.proven = true;
        self.misses = 0;
        if let Some(node) = self.node.find(filter) {
            node.answered(count);
        }
    }

    /// Takes in that it is unavailable; whether that is so for long enough to
    /// try its services apart.
    pub(super) fn missed(&mut self) -> bool {
        self.failed() || !self.proven
    }

    /// Takes in that it failed; whether that is so for long enough to leave it
    /// alone.
    pub(super) fn failed(&mut self) -> bool {
        self.misses += 1;
        // That it failed together with others was its own fault.
        self.apart_until = None;
        self.misses >= MISSES
    }

    /// Two groups in its place, each with half of its services. They are known
    /// to belong together if the whole did, and nothing speaks against it.
    pub(super) fn halves(&self, belong_together: bool, now: Instant) -> Vec<Self> {
        let half = |filter: Filter| Self {
            proven: belong_together && self.proven,
            provider: self.provider.filter(|_| belong_together),
            misses: self.misses.min(MISSES - 1),
            apart_until: (belong_together && self.proven).then(|| now + APART),
            ..Self::new(filter.services)
        };
        self.node.filter.split(&[]).into_iter().map(half).collect()
    }

    /// Whether both can be asked for in one call.
    pub(super) fn admits(&self, other: &Self, now: Instant) -> bool {
        let apart = |group: &Self| group.apart_until.is_some_and(|until| until > now);
        if apart(self) || apart(other) {
            return false;
        }
        let leaves = self.node.is_leaf() && other.node.is_leaf();
        let same = self.provider.is_some() && self.provider == other.provider;
        let count = self.node.count().zip(other.node.count());
        leaves && same && count.is_some_and(|(one, other)| one + other <= SMALL)
    }

    /// Takes in the services of another.
    pub(super) fn admit(&mut self, other: &Self) {
        let services = [self.services(), other.services()].concat();
        let counts = [&self.node, &other.node].map(|node| node.count().unwrap_or_default());
        self.node = Node::joined(Filter::of(services), counts.iter().sum());
    }
}
