//! Failed episodes: what is counted of them, and until when they are open.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::entry::Entry;
use super::{Event, Ledger, NameId, OpenTask, Poll, is_older};
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
        let before = self.open.remove(&key);
        let Some(mut open) = open else { return };
        let failed = open.task.status == Status::Failed;
        if failed && (open.task.resolved || closed) {
            return;
        }
        if let Some(before) = &before {
            open.follow(before, poll.now);
        }
        if failed {
            let same = before.filter(|before| episode.is_none() && before.failed_at.is_some());
            let history = open.task.started.filter(|_| episode == Some(false));
            let known = same.as_ref().and_then(|same| same.failed_at).or(history);
            open.failed_at = open.task.ended.or(known).or(Some(poll.now));
            open.counted = open.task.failed_nodes();
            open.history = same
                .as_ref()
                .map_or_else(|| episode != Some(true), |same| same.history);
            if let Some(same) = &same {
                self.count_late(&mut open, same, poll);
            }
            poll.opened |= same.is_none();
        }
        self.open.insert(key, open);
    }

    /// Counts the places of failure that showed after the failure itself.
    fn count_late(&mut self, open: &mut OpenTask, before: &OpenTask, poll: &mut Poll) {
        let shown = std::mem::replace(&mut open.counted, before.counted.clone());
        for node in shown {
            if open.counted.iter().any(|known| known.place == node.place) {
                continue;
            }
            if !open.history {
                let subtask = self.subtask(&node);
                poll.push(open.operation, Event::SubtaskFailed { subtask });
            }
            open.counted.push(node);
        }
    }

    /// Closes the failures that a later success resolved, or that are too old.
    pub(super) fn close_failures(&mut self, poll: &Poll) {
        let successes = self.newest_successes(poll);
        let limits = self.limits;
        let entries = &mut self.entries;
        self.open.retain(|key, open| {
            let Some(failed_at) = open.failed_at else {
                return true;
            };
            let resolved =
                open.task
                    .scope()
                    .zip(open.task.started)
                    .is_some_and(|(scope, started)| {
                        let newest = successes.get(&scope);
                        newest.is_some_and(|success| *success > started)
                    });
            let stays = !resolved && !is_older(failed_at, poll.now, limits.failure_open_for);
            if let (false, Some(entry)) = (stays, entries.get_mut(key)) {
                entry.closed = true;
            }
            stays
        });
    }

    /// The newest start of a success by scope, as far as open failures may need it.
    fn newest_successes(&self, poll: &Poll) -> BTreeMap<u64, Timestamp> {
        let mut newest = BTreeMap::new();
        let mut take = |scope: u64, started: Timestamp| {
            let known = newest.entry(scope).or_insert(started);
            *known = started.max(*known);
        };
        for (scope, started) in &poll.successes {
            take(*scope, *started);
        }
        // Only a failure that has just become open can be older than a success already known.
        if poll.opened {
            let ended_well = |entry: &&Entry| entry.status.is_success() && entry.scope != 0;
            for entry in self.entries.values().filter(ended_well) {
                if let Some(started) = entry.started.get() {
                    take(entry.scope, started);
                }
            }
        }
        newest
    }
}
