//! From the ledger to the samples of tasks and events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Metric, Samples};
use crate::ledger::{Child, Ledger, NameId, OpenRanking, OpenTask};
use crate::task::{Counts, Status, label};

/// The value of a label.
type Label = Cow<'static, str>;

/// Writes one source's samples.
pub(super) struct Writer<'a> {
    pub(super) samples: Samples,
    pub(super) source: Cow<'static, str>,
    pub(super) ledger: &'a Ledger,
    pub(super) open: &'a OpenRanking<'a>,
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
        }
        self.events();
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

    /// The shown values of the counters and histograms.
    fn events(&mut self) {
        let names = self.ledger;
        for (child, amount) in self.ledger.totals().shown() {
            let operation = names.operations().value(child.operation());
            let one = || [self.source.clone(), operation.to_string().into()];
            let two = |value: &str| {
                let [source, operation] = one();
                [source, operation, value.to_owned().into()]
            };
            match child {
                Child::Started(_) => self.samples.add(Metric::Started, one(), amount),
                Child::Vanished(_) => self.samples.add(Metric::Vanished, one(), amount),
                Child::Finished(_, status) => {
                    let labels = two(status.as_str());
                    self.samples.add(Metric::Finished, labels, amount);
                }
                Child::Durations(_, status) => {
                    let labels = two(status.as_str());
                    self.samples.add(Metric::Duration, labels, amount);
                }
                Child::Failures(_, code) => {
                    let labels = two(names.error_codes().value(code));
                    self.samples.add(Metric::Failures, labels, amount);
                }
                Child::SubtaskFailures(_, subtask) => {
                    let labels = two(names.subtask_names().value(subtask));
                    self.samples.add(Metric::SubtaskFailures, labels, amount);
                }
            }
        }
    }

    /// The oldest unfinished tasks and the newest open failures, within their limits.
    fn open_tasks(&mut self) {
        let open = self.open;
        for open in open.unfinished().chain(open.failures()) {
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
            .add_some(Metric::OpenStart, start, open.start());
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
            if open.failed_at().is_some() {
                *sums.failures.entry(open.operation).or_default() += 1;
            } else if let Some(started) = open.start() {
                let key = (open.operation, open.task.status);
                let oldest = sums.oldest.entry(key).or_insert(started);
                *oldest = started.min(*oldest);
            }
        }
        sums
    }
}
