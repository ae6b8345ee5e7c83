//! What one list call asks for, and how it can ask for less.

use std::sync::Arc;

/// What one list call asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sources::vcenter) struct Filter {
    /// Of these services, at least one; all of one provider, or the call fails.
    pub(in crate::sources::vcenter) services: Vec<Arc<str>>,
    /// In these statuses.
    pub(in crate::sources::vcenter) statuses: Statuses,
    /// Of these operations, without `$task`; of any if there are none.
    pub(in crate::sources::vcenter) operations: Vec<Arc<str>>,
}

/// A set of statuses that is asked for in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources::vcenter) enum Statuses {
    /// Any, words that are not known yet included.
    Any,
    /// All in which a task has not ended.
    Unfinished,
    /// All in which it has.
    Ended,
    /// One alone.
    Pending,
    /// One alone.
    Blocked,
    /// One alone.
    Running,
    /// One alone.
    Succeeded,
    /// One alone.
    Failed,
}

impl Statuses {
    /// The words to ask for; none for any.
    pub(in crate::sources::vcenter) const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Any => &[],
            Self::Unfinished => &["PENDING", "RUNNING", "BLOCKED"],
            Self::Ended => &["SUCCEEDED", "FAILED"],
            Self::Pending => &["PENDING"],
            Self::Blocked => &["BLOCKED"],
            Self::Running => &["RUNNING"],
            Self::Succeeded => &["SUCCEEDED"],
            Self::Failed => &["FAILED"],
        }
    }

    /// Smaller sets, in the order in which a task goes through them: one that
    /// moves on between two calls is then in the later one at the latest.
    const fn parts(self) -> &'static [Self] {
        match self {
            Self::Any => &[Self::Unfinished, Self::Ended],
            Self::Unfinished => &[Self::Pending, Self::Blocked, Self::Running],
            Self::Ended => &[Self::Succeeded, Self::Failed],
            _ => &[],
        }
    }
}

impl Filter {
    /// All tasks of the services.
    pub(super) fn of(services: Vec<Arc<str>>) -> Self {
        Self {
            services,
            statuses: Statuses::Any,
            operations: Vec::new(),
        }
    }

    /// Whether it asks for one service, of which it names the operations if it
    /// is split further.
    pub(super) fn is_by_operations(&self) -> bool {
        self.services.len() == 1 && self.statuses.parts().is_empty()
    }

    /// Filters that together ask for the same, unless for operations that are
    /// not `known`; none if it cannot be split further.
    pub(super) fn split(&self, known: &[Arc<str>]) -> Vec<Self> {
        if self.services.len() > 1 {
            let services = |services| Self {
                services,
                ..self.clone()
            };
            return halves(&self.services).map(services).collect();
        }
        if !self.is_by_operations() {
            let parts = self.statuses.parts().iter();
            let status = |statuses: &Statuses| Self {
                statuses: *statuses,
                ..self.clone()
            };
            return parts.map(status).collect();
        }
        let operations = |operations| Self {
            operations,
            ..self.clone()
        };
        match (self.operations.as_slice(), known) {
            ([_], _) | ([], []) => Vec::new(),
            ([], [only]) => vec![operations(vec![Arc::clone(only)])],
            ([], known) => halves(known).map(operations).collect(),
            (all, _) => halves(all).map(operations).collect(),
        }
    }
}

/// The two halves of at least two.
fn halves(all: &[Arc<str>]) -> impl Iterator<Item = Vec<Arc<str>>> {
    let (first, second) = all.split_at(all.len() / 2);
    [first.to_vec(), second.to_vec()].into_iter()
}
