//! From the ledger to the samples of tasks and events.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::source::SourceFacts;
use super::{Metric, Samples};
use crate::ledger::{Ledger, NameId, OpenTask};
use crate::task::{Counts, Status, label};

/// The value of a label.
type Label = Cow<'static, str>;

/// Writes one source's samples.
pub(super) struct Writer<'a> {
    pub(super) samples: Samples,
    pub(super) source: Cow<'static, str>,
    pub(super) ledger: &'a Ledger,
    pub(super) facts: &'a SourceFacts,
}

impl Writer<'_> {
    /// State, what is kept, and events.
    pub(super) fn tasks(&mut self) {
        let operations: Vec<_> = self
            .ledger
            .operations()
            .iter()
            .map(|(value, number)| (Cow::Owned(value.to_string()), number))
            .collect();
        let open = OpenSums::of(self.ledger);
        for (operation, number) in operations {
            self.state(&operation, number, &open);
            self.kept(&operation, number);
            self.events(&operation, number);
        }
        self.open_tasks();
    }

    fn state(&mut self, operation: &Label, number: NameId, open: &OpenSums) {
        let counts = self.ledger.counts(number);
        for status in Status::ALL {
            let labels = || {
                [
                    self.source.clone(),
                    operation.clone(),
                    status.as_str().into(),
                ]
            };
            let (tasks, subtasks) = (labels(), labels());
            self.samples.add(Metric::Tasks, tasks, counts.get(status));
            let count = open.subtasks.get(&number).map_or(0, |all| all.get(status));
            self.samples.add(Metric::Subtasks, subtasks, count);
        }
        let failures = open.failures.get(&number).copied().unwrap_or_default();
        let labels = [self.source.clone(), operation.clone()];
        self.samples
            .add(Metric::UnresolvedFailures, labels, failures);
        for status in Status::UNFINISHED {
            let labels = [
                self.source.clone(),
                operation.clone(),
                status.as_str().into(),
            ];
            let oldest = open.oldest.get(&(number, status)).copied();
            self.samples.add_some(Metric::OldestStart, labels, oldest);
        }
    }

    fn kept(&mut self, operation: &Label, number: NameId) {
        let Some(recency) = self.ledger.recency(number) else {
            return;
        };
        let labels = || [self.source.clone(), operation.clone()];
        let (success, failure, typical) = (labels(), labels(), labels());
        self.samples
            .add_some(Metric::LastSuccess, success, recency.last_success());
        self.samples
            .add_some(Metric::LastFailure, failure, recency.last_failure());
        let median = recency.typical_duration().map(|took| took.as_secs_f64());
        self.samples
            .add_some(Metric::TypicalDuration, typical, median);
        for (status, took) in recency.last_durations() {
            let labels = [
                self.source.clone(),
                operation.clone(),
                status.as_str().into(),
            ];
            self.samples
                .add(Metric::LastDuration, labels, took.as_secs_f64());
        }
    }

    fn events(&mut self, operation: &Label, number: NameId) {
        let totals = self.ledger.totals();
        let one = || [self.source.clone(), operation.clone()];
        let (started, vanished) = (one(), one());
        let count = |of: &BTreeMap<NameId, u64>| of.get(&number).copied().unwrap_or_default();
        self.samples
            .add(Metric::Started, started, count(&totals.started));
        self.samples
            .add(Metric::Vanished, vanished, count(&totals.vanished));
        for status in Status::OUTCOMES {
            let key = (number, status);
            let labels = || {
                [
                    self.source.clone(),
                    operation.clone(),
                    status.as_str().into(),
                ]
            };
            let (finished, took) = (labels(), labels());
            let count = totals.finished.get(&key).copied().unwrap_or_default();
            self.samples.add(Metric::Finished, finished, count);
            self.samples
                .add_some(Metric::Duration, took, totals.durations.get(&key));
        }
        let (codes, subtasks) = (self.ledger.error_codes(), self.ledger.subtask_names());
        for (metric, children, names) in [
            (Metric::Failures, &totals.failures, codes),
            (Metric::SubtaskFailures, &totals.subtask_failures, subtasks),
        ] {
            for ((_, name), count) in children.iter().filter(|((each, _), _)| *each == number) {
                let name = names.value(*name).to_string().into();
                let labels = [self.source.clone(), operation.clone(), name];
                self.samples.add(metric, labels, *count);
            }
        }
    }

    /// The oldest unfinished tasks and the newest open failures, within their limits.
    fn open_tasks(&mut self) {
        let (mut failed, mut unfinished): (Vec<_>, Vec<_>) = self
            .ledger
            .open()
            .partition(|open| open.failed_at.is_some());
        unfinished.sort_by_key(|open| (open.since(), open.task.id.clone()));
        failed.sort_by_key(|open| (Reverse(open.failed_at), open.task.id.clone()));
        unfinished.truncate(self.facts.max_open_tasks);
        failed.truncate(self.facts.max_open_failures);
        for open in unfinished.into_iter().chain(failed) {
            self.open_task(open);
        }
    }

    fn open_task(&mut self, open: &OpenTask) {
        let task = &open.task;
        let nodes = task.failed_nodes();
        let place = nodes.first().map_or("", |node| node.name());
        let operation = self.ledger.operations().value(open.operation).to_string();
        let text = |text: &str| Cow::Owned(label::clean(text));
        let id: Cow<'static, str> = text(&task.id);
        let info = [
            self.source.clone(),
            operation.into(),
            id.clone(),
            task.status.as_str().into(),
            text(&task.name),
            text(&task.resource_names()),
            label::subtask_name(place).into(),
            text(&task.error_code().unwrap_or_default()),
        ];
        self.samples.add(Metric::OpenInfo, info, 1_u64);
        let labels = || [self.source.clone(), id.clone()];
        let (start, end, change, progress) = (labels(), labels(), labels(), labels());
        self.samples
            .add_some(Metric::OpenStart, start, task.started);
        self.samples.add_some(Metric::OpenEnd, end, task.ended);
        self.samples
            .add(Metric::OpenLastChange, change, open.last_change);
        self.samples
            .add_some(Metric::OpenProgress, progress, task.progress_ratio());
    }
}

/// What the open tasks of each operation sum to.
#[derive(Default)]
struct OpenSums {
    subtasks: BTreeMap<NameId, Counts>,
    failures: BTreeMap<NameId, u64>,
    oldest: BTreeMap<(NameId, Status), jiff::Timestamp>,
}

impl OpenSums {
    fn of(ledger: &Ledger) -> Self {
        let mut sums = Self::default();
        for open in ledger.open() {
            let subtasks = sums.subtasks.entry(open.operation).or_default();
            subtasks.merge(&open.task.leaves());
            if open.failed_at.is_some() {
                *sums.failures.entry(open.operation).or_default() += 1;
            } else if let Some(started) = open.task.started {
                let key = (open.operation, open.task.status);
                let oldest = sums.oldest.entry(key).or_insert(started);
                *oldest = started.min(*oldest);
            }
        }
        sums
    }
}
