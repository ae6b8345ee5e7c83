//! Failed episodes: what is counted of them, and until when they are open.

use jiff::Timestamp;

use super::open::Failure;
use super::{Event, Ledger, NameId, OpenTask, Poll};
use crate::task::{FailedNode, Status, Task, TaskKey, label};

impl Ledger {
    /// Counts a failed episode by its error code and by where it failed.
    pub(super) fn fail(&mut self, task: &Task, operation: NameId, poll: &mut Poll) {
        let nodes = task.failed_nodes();
        let code = task.error_code().unwrap_or_default();
        let failed = Event::Failed {
            task_id: task.id.clone(),
            error_code: self.error_codes.number(&code),
            place: nodes
                .first()
                .map(|node| node.path.clone())
                .unwrap_or_default(),
        };
        poll.push(operation, failed);
        for node in &nodes {
            let subtask = self.subtask(node);
            poll.push(operation, Event::SubtaskFailed { subtask });
        }
    }

    fn subtask(&mut self, node: &FailedNode) -> NameId {
        self.subtask_names.number(&label::subtask_name(node.name()))
    }

    /// Keeps the task among the open ones, or takes it from them; `open` is none
    /// for one that is neither unfinished nor failed.
    ///
    /// `episode` says whether it has just entered an outcome, and if so whether
    /// that was counted.
    pub(super) fn track(
        &mut self,
        key: TaskKey,
        open: Option<OpenTask>,
        episode: Option<bool>,
        poll: &mut Poll,
    ) {
        let closed = self.entries.get(&key).is_some_and(|entry| entry.closed);
        let failed = |open: &OpenTask| open.task.status == Status::Failed;
        let open = open.filter(|open| !failed(open) || !(open.task.resolved || closed));
        let Some(mut open) = open else {
            self.open.remove(&key);
            return;
        };
        if let Some(before) = self.open.get(&key) {
            open.follow(before, poll.now.here);
        }
        if failed(&open) {
            let same = open.failure.take().filter(|_| episode.is_none());
            let failure = self.failure(&open, same, episode, poll);
            // Where the source says when, its age can be told again and again.
            if open.task.ended.is_some() && self.is_too_old(failure.at, poll.now.there) {
                self.open.remove(&key);
                return;
            }
            open.failure = Some(failure);
        }
        self.open.put(key, open);
    }

    /// The failed episode that the task is in: `same` as before, or another one.
    fn failure(
        &mut self,
        open: &OpenTask,
        same: Option<Failure>,
        episode: Option<bool>,
        poll: &mut Poll,
    ) -> Failure {
        if let Some(mut failure) = same {
            failure.at = open.task.ended.unwrap_or(failure.at);
            self.count_late(open, &mut failure, poll);
            return failure;
        }
        let nodes = open.task.failed_nodes();
        let history = open.task.started.filter(|_| episode == Some(false));
        Failure {
            at: open.task.ended.or(history).unwrap_or(poll.now.there),
            places: nodes.iter().map(|node| node.place).collect(),
            history: episode != Some(true),
        }
    }

    /// Counts the places of failure that showed after the failure itself.
    fn count_late(&mut self, open: &OpenTask, failure: &mut Failure, poll: &mut Poll) {
        for node in open.task.failed_nodes() {
            if failure.places.insert(node.place) && !failure.history {
                let subtask = self.subtask(&node);
                poll.push(open.operation, Event::SubtaskFailed { subtask });
            }
        }
    }

    /// Whether a failure of then is not open any more.
    fn is_too_old(&self, at: Timestamp, there: Timestamp) -> bool {
        at < self.oldest_failure(there)
    }

    fn oldest_failure(&self, there: Timestamp) -> Timestamp {
        let oldest = there.saturating_sub(self.limits.failure_open_for);
        oldest.unwrap_or(Timestamp::MIN)
    }

    /// Closes the failures that a later success resolved, or that are too old.
    pub(super) fn close_failures(&mut self, there: Timestamp) {
        let oldest = self.oldest_failure(there);
        let is_resolved = |open: &OpenTask| {
            let started = open.task.scope().zip(open.task.started);
            started.is_some_and(|(scope, started)| self.successes.after(scope, started))
        };
        // Whether it stays closed, or is too old on a clock that may be wrong.
        let closes = |open: &OpenTask| {
            let (old, resolved) = (open.failed_at()? < oldest, is_resolved(open));
            (old || resolved).then(|| resolved || open.task.ended.is_none())
        };
        let open = self.open.iter();
        let closing = open.filter_map(|(key, open)| Some((*key, closes(open)?)));
        let closing: Vec<_> = closing.collect();
        for (key, for_good) in closing {
            self.open.remove(&key);
            if for_good {
                self.entries.change(&key, |entry| entry.closed = true);
            }
        }
    }

    /// Forgets the successes that can resolve no failure any more: one that
    /// started before them is not open.
    pub(super) fn forget_successes(&mut self, there: Timestamp) {
        self.successes.forget_before(self.oldest_failure(there));
    }
}
