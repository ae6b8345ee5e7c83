//! What is to be counted of what a source shows, as simply as it can be said.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{LIMITS, is_older};
use super::Now;
use crate::task::{Call, Status, Task};
use jiff::Timestamp;

/// A stay in an outcome, as it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stay {
    outcome: Status,
    ended: Option<Timestamp>,
    by_id: bool,
}

/// What is known of a task.
#[derive(Debug, Clone, Default)]
struct Known {
    unfinished: bool,
    stay: Option<Stay>,
    earlier: BTreeSet<Stay>,
    vanished: bool,
    listed: bool,
    part: String,
    operation: String,
}

/// The counts, and what was shown so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Reference {
    pub(super) counts: BTreeMap<String, u64>,
    tasks: BTreeMap<String, Known>,
    /// When a part was read first, and whether it was ever read to its end.
    parts: BTreeMap<String, (Timestamp, bool)>,
}

impl Reference {
    fn count(&mut self, what: String) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A poll: what it showed, what is gone by its id, and the parts it read.
    pub(super) fn poll(
        &mut self,
        shown: &[(&str, Call, Task)],
        gone: &[String],
        parts: &[(&str, bool)],
        now: Now,
    ) {
        for id in gone {
            let known = self.tasks.get_mut(id).unwrap();
            known.listed = false;
            if known.unfinished && known.stay.is_none() && !known.vanished {
                known.vanished = true;
                let operation = known.operation.clone();
                self.count(format!("vanished {operation}"));
            }
        }
        for (part, call, task) in shown {
            self.show(part, *call, task, now);
        }
        for (part, whole) in parts {
            let read = self.parts.entry((*part).to_owned());
            read.or_insert((now.there, false)).1 |= whole;
        }
    }

    /// The unfinished tasks that a poll should have shown, by id.
    pub(super) fn missing(
        &self,
        shown: &[(&str, Call, Task)],
        parts: &[(&str, bool)],
    ) -> Vec<String> {
        let is_whole = |part: &str| parts.contains(&(part, true));
        let is_shown = |id: &str| shown.iter().any(|(_, _, task)| task.id == id);
        let missing = self.tasks.iter().filter(|(id, known)| {
            is_whole(&known.part) && known.listed && known.unfinished && !is_shown(id)
        });
        missing.map(|(id, _)| id.clone()).collect()
    }

    fn show(&mut self, part: &str, call: Call, task: &Task, now: Now) {
        let first = !self.tasks.contains_key(&task.id);
        let counts = !first || self.is_news(part, task, now);
        if first && counts {
            self.count(format!("started {}", task.operation));
        }
        let known = self.tasks.entry(task.id.clone()).or_default();
        known.operation.clone_from(&task.operation);
        known.listed = true;
        part.clone_into(&mut known.part);
        known.unfinished = task.status.is_unfinished();
        let stay = Stay {
            outcome: task.status,
            ended: task.ended,
            by_id: call == Call::ById,
        };
        if task.status.is_unfinished() {
            if task.status != Status::Unknown {
                known.earlier.extend(known.stay.take());
            }
        } else if known.is_entered(stay) {
            known.vanished = false;
            known.earlier.extend(known.stay.replace(stay));
            if counts {
                self.enter(task);
            }
        } else {
            known.vanished = false;
            known.stays(stay);
        }
    }

    fn is_news(&self, part: &str, task: &Task, now: Now) -> bool {
        if task.status.is_unfinished() {
            return true;
        }
        let Some((first, whole)) = self.parts.get(part) else {
            return false;
        };
        let since = |first| task.ended.is_some_and(|ended| ended > first);
        let long_ago = |ended| is_older(ended, now.there, LIMITS.retention);
        (*whole || since(*first)) && !task.ended.is_some_and(long_ago)
    }

    fn enter(&mut self, task: &Task) {
        let (operation, status) = (&task.operation, task.status.as_str());
        self.count(format!("finished {operation} {status}"));
        if task.started.is_some() && task.ended.is_some() {
            self.count(format!("durations {operation} {status}"));
        }
        if task.status == Status::Failed {
            let code = task.error_code().unwrap_or_default();
            self.count(format!("failures {operation} {code}"));
            for node in task.failed_nodes() {
                self.count(format!("subtasks {operation} {}", node.name()));
            }
        }
    }
}

impl Known {
    fn is_entered(&self, shown: Stay) -> bool {
        let Some(stay) = self.stay else { return true };
        let (Some(before), Some(ended)) = (stay.ended, shown.ended) else {
            return stay.outcome != shown.outcome;
        };
        // A list that went back in time, or forth again, by whatever call.
        let is_it = |each: &Stay| (each.outcome, each.ended) == (shown.outcome, shown.ended);
        if ended != before && self.earlier.iter().any(is_it) {
            return false;
        }
        let later = ended.as_millisecond() - before.as_millisecond();
        stay.outcome != shown.outcome || stay.by_id == shown.by_id && later >= 1000
    }

    /// The same stay again; a list's end is kept rather than that of a call by id.
    fn stays(&mut self, shown: Stay) {
        let stay = self.stay.expect("it was not entered");
        if stay.outcome != shown.outcome {
            self.earlier.insert(stay);
            self.stay = Some(shown);
        } else if shown.ended.is_some() && (stay.ended.is_none() || !shown.by_id || stay.by_id) {
            if stay.ended != shown.ended {
                self.earlier.insert(stay);
            }
            self.stay = Some(shown);
        }
    }
}
