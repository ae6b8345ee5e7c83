//! What the ledger keeps of one task: what is needed to tell the next change.

use serde::{Deserialize, Serialize};

use super::{NameId, Observed};
use crate::task::{Call, Digest, Moment, Status, Summary, Task};

/// One task in the ledger; 32 bytes, as there may be a million of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Row", from = "Row")]
pub(super) struct Entry {
    /// When the episode ended, as a call of the kind `ended_by` said.
    pub(super) ended: Moment,
    /// A hash of the source's own word for the status.
    word: u32,
    /// Since when the source no longer lists it, on the ledger's own clock; 0 while it does.
    unlisted: u32,
    /// What the task does.
    pub(super) operation: NameId,
    /// The part of the source that lists it.
    pub(super) part: NameId,
    /// How it stood when it was met last.
    pub(super) status: Status,
    /// The outcome that it is in, kept while its status is unknown.
    pub(super) outcome: Option<Status>,
    ended_by: Call,
    /// Whether this failure was resolved by a later success, or grew too old
    /// without a time of its own.
    pub(super) closed: bool,
    /// Whether it was counted as vanished since its last outcome.
    pub(super) vanished: bool,
}

/// An entry in a file: without names, and with new fields at the end alone.
type Row = (
    Moment,
    u32,
    u32,
    NameId,
    NameId,
    Status,
    Option<Status>,
    Call,
    bool,
    bool,
);

/// How an episode ended: what tells it from the other ones of its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    outcome: Status,
    at: Moment,
    call: Call,
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
            ended: task.ended,
            ended_by: call,
            unlisted: 0,
            closed: false,
            vanished: false,
        }
    }

    /// Whether the source lists it.
    pub(super) fn is_listed(&self) -> bool {
        self.unlisted == 0
    }

    /// Takes in that the source does not list it any more.
    pub(super) fn unlist(&mut self, now: Observed) {
        self.unlisted = now.seconds();
    }

    /// For how many seconds the source has not listed it.
    pub(super) fn unlisted_for(&self, now: Observed) -> Option<u32> {
        (!self.is_listed()).then(|| now.seconds().saturating_sub(self.unlisted))
    }

    /// Whether the task still stands as it did when it was met last.
    pub(super) fn shows(&self, task: &Task) -> bool {
        let word = Digest::new().text(&task.word).short();
        let same_end = task.ended.is_none() || Moment::from(task.ended) == self.ended;
        self.status == task.status && self.word == word && same_end
    }

    /// Whether the task as it is now stands in another episode than the entry;
    /// `earlier` are the episodes before that.
    ///
    /// The same outcome again, with nothing seen in between, is another episode
    /// only if it ended later by a second or more, by the same kind of call. An
    /// earlier episode that shows again is no other one: the list went back.
    pub(super) fn judge(&self, task: &Summary, call: Call, earlier: &[End]) -> Verdict {
        let reinterpreted = self.word == task.word && self.status != task.status;
        if task.status.is_unfinished() || reinterpreted {
            return Verdict::Same;
        }
        let entered = match self.outcome {
            None => true,
            Some(_) if self.is_earlier(task.status, task.ended, earlier) => false,
            Some(outcome) => {
                outcome != task.status || call == self.ended_by && self.ended_before(task.ended)
            }
        };
        if entered {
            Verdict::Episode
        } else {
            Verdict::Same
        }
    }

    /// Whether the other kind of call shows the same outcome with a later end: the
    /// same one told in another way, or another episode.
    pub(super) fn is_contested(&self, outcome: Status, ended: Moment, call: Call) -> bool {
        self.outcome == Some(outcome) && call != self.ended_by && self.ended_before(ended)
    }

    /// Whether the task is shown in the outcome that it is in, without a later end.
    pub(super) fn is_unmoved(&self, task: &Summary) -> bool {
        self.outcome == Some(task.status) && !self.ended_before(task.ended)
    }

    fn ended_before(&self, ended: Moment) -> bool {
        let ends = self.ended.get().zip(ended.get());
        ends.is_some_and(|(before, now)| now.as_millisecond() - before.as_millisecond() >= 1_000)
    }

    /// Whether the task shows one of its earlier episodes again; a retry that
    /// was not seen has another end. That a list went back may be read by id, too.
    pub(super) fn is_earlier(&self, outcome: Status, ended: Moment, earlier: &[End]) -> bool {
        let known = self.ended != Moment::NONE && ended != Moment::NONE;
        let shows = |end: &End| end.outcome == outcome && end.at == ended;
        known && self.ended != ended && earlier.iter().any(shows)
    }

    /// How the episode that it is in ended, if it is in one and its end is known.
    pub(super) fn end(&self) -> Option<End> {
        let outcome = self.outcome.filter(|_| self.ended != Moment::NONE)?;
        Some(End {
            outcome,
            at: self.ended,
            call: self.ended_by,
        })
    }

    /// Takes over what the task is now.
    pub(super) fn update(&mut self, task: &Summary, call: Call, verdict: Verdict) {
        let leaves = task.status.is_unfinished() && !self.keeps_outcome(task);
        let other = task.status.is_outcome() && self.outcome != Some(task.status);
        if verdict == Verdict::Episode || leaves || other {
            self.closed = false;
            self.ended = Moment::NONE;
        }
        self.update_end(task, call);
        if task.status.is_outcome() {
            self.outcome = Some(task.status);
            self.vanished = false;
        } else if !self.keeps_outcome(task) {
            self.outcome = None;
        }
        self.status = task.status;
        self.word = task.word;
        self.unlisted = 0;
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

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        (
            entry.ended,
            entry.word,
            entry.unlisted,
            entry.operation,
            entry.part,
            entry.status,
            entry.outcome,
            entry.ended_by,
            entry.closed,
            entry.vanished,
        )
    }
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            ended: row.0,
            word: row.1,
            unlisted: row.2,
            operation: row.3,
            part: row.4,
            status: row.5,
            outcome: row.6,
            ended_by: row.7,
            closed: row.8,
            vanished: row.9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
