//! A call, or the smaller ones that took its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::filter::{Filter, Statuses};
use super::{Coverage, SMALL};

/// A call that is made, or was split into others.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) filter: Filter,
    /// What it was split into; none if it is a leaf.
    children: Vec<Self>,
    /// How many tasks the last good answer showed.
    count: Option<usize>,
    /// Whether it answered in this poll.
    read: bool,
    /// Whether it failed as a whole although it was small.
    stays_split: bool,
}

impl Node {
    pub(super) fn new(filter: Filter) -> Self {
        Self {
            filter,
            children: Vec::new(),
            count: None,
            read: false,
            stays_split: false,
        }
    }

    /// One call in the place of several that answered with `count` tasks.
    pub(super) fn joined(filter: Filter, count: usize) -> Self {
        Self {
            count: Some(count),
            read: true,
            ..Self::new(filter)
        }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// The calls to make, in their order.
    pub(super) fn leaves(&self) -> Vec<&Self> {
        if self.is_leaf() {
            return vec![self];
        }
        self.children.iter().flat_map(Self::leaves).collect()
    }

    /// The node of a filter.
    pub(super) fn find(&mut self, filter: &Filter) -> Option<&mut Self> {
        if self.filter == *filter {
            return Some(self);
        }
        self.children
            .iter_mut()
            .find_map(|child| child.find(filter))
    }

    /// Begins a poll: nothing is read yet, and a split by operations that lacks
    /// one that is known by now is undone.
    pub(super) fn begin(&mut self, known: &[Arc<str>]) {
        self.read = false;
        if self.filter.is_by_operations() && self.filter.operations.is_empty() && !self.is_leaf() {
            let leaves = self.leaves().into_iter();
            let covered: BTreeSet<_> = leaves.flat_map(|leaf| &leaf.filter.operations).collect();
            if known.iter().any(|operation| !covered.contains(operation)) {
                self.children.clear();
            }
        }
        for child in &mut self.children {
            child.begin(known);
        }
    }

    /// Takes in a good answer.
    pub(super) fn answered(&mut self, count: usize) {
        self.read = true;
        self.count = Some(count);
    }

    /// Splits the call of a filter, and returns what to ask for instead; none if
    /// that is impossible.
    pub(super) fn split_at(&mut self, filter: &Filter, known: &[Arc<str>]) -> Vec<Filter> {
        let Some(node) = self.find(filter) else {
            return Vec::new();
        };
        let filters = filter.split(known);
        node.stays_split |= node.count.is_some_and(|count| count <= SMALL);
        node.children = filters.iter().cloned().map(Self::new).collect();
        filters
    }

    /// Whether all of it answered in this poll.
    pub(super) fn is_read(&self) -> bool {
        if self.is_leaf() {
            return self.read;
        }
        self.children.iter().all(Self::is_read)
    }

    /// How much of it answered in this poll.
    pub(super) fn coverage(&self) -> Coverage {
        // What has not ended is the first part, and one of its own.
        let unfinished = self.children.first().is_some_and(Self::is_read);
        match self.is_read() {
            true => Coverage::Whole,
            false if unfinished && self.filter.statuses == Statuses::Any => Coverage::Unfinished,
            false => Coverage::Partial,
        }
    }

    /// Makes it one call again.
    pub(super) fn collapse(&mut self) {
        self.children.clear();
    }

    /// Whether any of it answered in this poll.
    pub(super) fn is_partly_read(&self) -> bool {
        self.leaves().iter().any(|leaf| leaf.read)
    }

    /// How many tasks there are, if all of it answered in this poll.
    pub(super) fn count(&self) -> Option<usize> {
        if self.is_leaf() {
            return self.count.filter(|_| self.read);
        }
        self.children.iter().map(Self::count).sum()
    }

    /// Undoes splits of what got small.
    pub(super) fn merge(&mut self) {
        self.children.iter_mut().for_each(Self::merge);
        let small = |count: &usize| *count <= SMALL && !self.is_leaf() && !self.stays_split;
        if let Some(count) = self.count().filter(small) {
            *self = Self::joined(self.filter.clone(), count);
        }
    }
}
