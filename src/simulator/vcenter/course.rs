//! How a task goes on.

use jiff::Timestamp;

use super::error::VcError;
use super::status::VcStatus;
use super::task::VcTask;
use crate::simulator::history::uuid;

impl VcTask {
    /// Fills in what its state calls for: the id and the times, those inside it too.
    pub(super) fn complete(&mut self, now: Timestamp, rng: &mut fastrand::Rng) {
        if self.id.is_empty() {
            self.id = format!("{}:{}", uuid(rng.u128(..)), self.service);
        }
        if self.status.is_ended() {
            self.ended.get_or_insert(now);
        }
        if self.status != VcStatus::Pending {
            let latest = self.ended.map_or(now, |end| end.min(now));
            self.started.get_or_insert(latest);
        }
        for task in &mut self.subtasks {
            task.complete(now, rng);
        }
    }

    /// Starts, or goes on after a block.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if !self.status.is_ended() {
            self.status = VcStatus::Running;
            self.started.get_or_insert(now);
            self.follow(now);
        }
    }

    /// Waits for something while it runs.
    pub(super) fn block(&mut self, now: Timestamp) {
        if !self.status.is_ended() {
            self.begin(now);
            self.status = VcStatus::Blocked;
        }
    }

    /// Is so far; the tasks inside it follow.
    pub(super) fn reach(&mut self, completed: i64, now: Timestamp) {
        if !self.status.is_ended() {
            self.progress.0 = completed;
            self.follow(now);
        }
    }

    /// Ends well, with all that is inside it and has not ended.
    pub(super) fn succeed(&mut self, now: Timestamp) {
        if !self.status.is_ended() {
            self.progress.0 = self.progress.1;
            for task in &mut self.subtasks {
                task.succeed(now);
            }
            self.end(VcStatus::Succeeded, now);
        }
    }

    /// Fails where it is, with what runs inside it.
    pub(super) fn fail(&mut self, error: VcError, now: Timestamp) {
        if !self.status.is_ended() {
            for task in &mut self.subtasks {
                if task.status == VcStatus::Running {
                    task.fail(error.clone(), now);
                }
            }
            self.error = Some(error);
            self.end(VcStatus::Failed, now);
        }
    }

    fn end(&mut self, status: VcStatus, now: Timestamp) {
        self.status = status;
        self.cancelable = false;
        self.started.get_or_insert(now);
        self.ended = Some(now);
    }

    /// Brings the tasks inside it to where it is; the next one runs.
    fn follow(&mut self, now: Timestamp) {
        if self.status == VcStatus::Pending {
            return;
        }
        let (completed, total) = (self.progress.0.max(0), self.progress.1.max(1));
        let count = i64::try_from(self.subtasks.len()).unwrap_or(i64::MAX);
        let done = completed.min(total).saturating_mul(count) / total;
        for (place, task) in (0..).zip(&mut self.subtasks) {
            if place < done {
                task.succeed(now);
            } else if place == done {
                task.begin(now);
            }
        }
    }
}
