//! Failed episodes: what is counted of them, and until when they are open.

use jiff::Timestamp;

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
        let before = self.open.get(&key).cloned();
        if let Some(before) = &before {
            open.follow(before, poll.now.here);
        }
        if failed(&open) {
            let same = before.filter(|before| episode.is_none() && before.failed_at.is_some());
            let history = open.task.started.filter(|_| episode == Some(false));
            let known = same.as_ref().and_then(|same| same.failed_at).or(history);
            open.failed_at = open.task.ended.or(known).or(Some(poll.now.there));
            if let Some(same) = &same {
                self.count_late(&mut open, same, poll);
            } else {
                let nodes = open.task.failed_nodes();
                open.places = nodes.iter().map(|node| node.place).collect();
                open.history = episode != Some(true);
            }
        }
        self.open.put(key, open);
    }

    /// Counts the places of failure that showed after the failure itself.
    fn count_late(&mut self, open: &mut OpenTask, before: &OpenTask, poll: &mut Poll) {
        open.places.clone_from(&before.places);
        open.history = before.history;
        for node in open.task.failed_nodes() {
            if open.places.insert(node.place) && !open.history {
                let subtask = self.subtask(&node);
                poll.push(open.operation, Event::SubtaskFailed { subtask });
            }
        }
    }

    /// Closes the failures that a later success resolved, or that are too old.
    pub(super) fn close_failures(&mut self, there: Timestamp) {
        let oldest = self.limits.failure_open_for;
        let oldest = there.saturating_sub(oldest).unwrap_or(Timestamp::MIN);
        let is_resolved = |open: &OpenTask| {
            let started = open.task.scope().zip(open.task.started);
            started.is_some_and(|(scope, started)| self.successes.after(scope, started))
        };
        let closes = |open: &OpenTask| {
            let failed_at = open.failed_at;
            failed_at.is_some_and(|at| at < oldest || is_resolved(open))
        };
        let closing = self.open.iter().filter(|(_, open)| closes(open));
        let closing: Vec<_> = closing.map(|(key, _)| *key).collect();
        for key in closing {
            self.open.remove(&key);
            self.entries.change(&key, |entry| entry.closed = true);
        }
        // A failure that started so long ago is not open any more.
        self.successes.forget_before(oldest);
    }
}
