//! What the ledger keeps of one task: what is needed to tell the next change.

use super::NameId;
use crate::task::{Call, Moment, Status, Summary};

/// One task in the ledger.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What the task does.
    pub(super) operation: NameId,
    /// The part of the source that lists it.
    pub(super) part: NameId,
    /// How it stood when it was met last.
    pub(super) status: Status,
    /// The outcome that it is in, kept while its status is unknown.
    pub(super) outcome: Option<Status>,
    /// A hash of the source's own word for the status.
    pub(super) word: u64,
    /// A hash of operation and resources; 0 for none.
    pub(super) scope: u64,
    pub(super) started: Moment,
    /// When the episode ended, as a call of the kind `ended_by` said.
    pub(super) ended: Moment,
    pub(super) ended_by: Call,
    /// Since when the source no longer lists it; `NONE` while it does.
    pub(super) unlisted: Moment,
    /// Whether this failure was resolved by a later success, or grew too old.
    pub(super) closed: bool,
}

/// What meeting a task again means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing to count.
    Same,
    /// It entered an outcome.
    Episode,
}

impl Entry {
    /// The entry of a task that is met for the first time.
    pub(super) fn new(task: &Summary, call: Call, operation: NameId, part: NameId) -> Self {
        Self {
            operation,
            part,
            status: task.status,
            outcome: Some(task.status).filter(|status| status.is_outcome()),
            word: task.word,
            scope: task.scope,
            started: task.started,
            ended: task.ended,
            ended_by: call,
            unlisted: Moment::NONE,
            closed: false,
        }
    }

    /// Whether the source lists it.
    pub(super) fn is_listed(&self) -> bool {
        self.unlisted == Moment::NONE
    }

    /// Whether the task as it is now stands in another episode than the entry.
    ///
    /// The same outcome again, with nothing seen in between, is another episode
    /// only if it ended later by a second or more, by the same kind of call.
    pub(super) fn judge(&self, task: &Summary, call: Call) -> Verdict {
        let reinterpreted = self.word == task.word && self.status != task.status;
        if task.status.is_unfinished() || reinterpreted {
            return Verdict::Same;
        }
        if self.outcome != Some(task.status) || self.ended_again(task, call) {
            return Verdict::Episode;
        }
        Verdict::Same
    }

    fn ended_again(&self, task: &Summary, call: Call) -> bool {
        let (Some(before), Some(now)) = (self.ended.get(), task.ended.get()) else {
            return false;
        };
        call == self.ended_by && now.as_millisecond() - before.as_millisecond() >= 1_000
    }

    /// Takes over what the task is now.
    pub(super) fn update(&mut self, task: &Summary, call: Call, verdict: Verdict) {
        if verdict == Verdict::Episode || (task.status.is_unfinished() && !self.keeps_outcome(task))
        {
            self.closed = false;
            self.ended = Moment::NONE;
        }
        self.update_end(task, call);
        if task.status.is_outcome() {
            self.outcome = Some(task.status);
        } else if !self.keeps_outcome(task) {
            self.outcome = None;
        }
        self.status = task.status;
        self.word = task.word;
        self.scope = task.scope;
        self.started = task.started;
        self.unlisted = Moment::NONE;
    }

    /// A list's end wins over one read by id, so that the ends compared are of one kind.
    fn update_end(&mut self, task: &Summary, call: Call) {
        let replaces = self.ended == Moment::NONE || call == Call::List || call == self.ended_by;
        if task.ended != Moment::NONE && replaces {
            self.ended = task.ended;
            self.ended_by = call;
        }
    }

    /// A status that cannot be read does not end the episode.
    fn keeps_outcome(&self, task: &Summary) -> bool {
        task.status == Status::Unknown && self.outcome.is_some()
    }
}
