//! The event metrics' values: what was counted, exactly once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::NameId;
use super::births::Births;
use super::change::{Change, Event};
use super::storage::Rows;
use super::table::Table;
use crate::histogram::Histogram;
use crate::task::Status;

/// The upper bounds of the duration buckets, in seconds.
pub const DURATION_BUCKETS: [f64; 13] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0,
    172_800.0,
];

/// One counter or histogram of the event metrics: what it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Child {
    /// Tasks of an operation that appeared.
    Started(NameId),
    /// Episodes of an operation by outcome.
    Finished(NameId, Status),
    /// Failed episodes of an operation by error code.
    Failures(NameId, NameId),
    /// Places of failure of an operation by sub-task.
    SubtaskFailures(NameId, NameId),
    /// Unfinished tasks of an operation that went without an outcome.
    Vanished(NameId),
    /// How long the tasks of an operation took, by outcome.
    Durations(NameId, Status),
}

/// The value of a counter or of a histogram.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "AmountRow", try_from = "AmountRow")]
pub enum Amount {
    /// So many events.
    Count(u64),
    /// Durations in [`DURATION_BUCKETS`].
    Durations(Histogram),
}

/// An amount in a file.
#[derive(Serialize, Deserialize)]
enum AmountRow {
    Count(u64),
    Durations { counts: Vec<u64>, sum: f64 },
}

/// Both values of a child: after its birth, and after a start of the exporter,
/// what is shown stays behind what is true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Total {
    value: Amount,
    shown: Amount,
}

/// The values of the counters and histograms of events.
#[derive(Debug, Clone)]
pub struct Totals {
    rows: Table<Child, Total>,
    /// What the pages show: the shown values as of the last commit.
    shown: BTreeMap<Child, Amount>,
    births: Births,
}

impl Totals {
    /// No events yet; a new child is held back for `hold`.
    pub(super) fn new(hold: Duration) -> Self {
        Self {
            rows: Table::default(),
            shown: BTreeMap::new(),
            births: Births::new(hold),
        }
    }

    /// What is shown of each child.
    pub fn shown(&self) -> impl Iterator<Item = (Child, &Amount)> {
        self.shown.iter().map(|(child, amount)| (*child, amount))
    }

    /// What is true of a child, shown or not.
    pub fn value(&self, child: Child) -> Option<&Amount> {
        self.rows.get(&child).map(|total| &total.value)
    }

    /// Each child, with its count or how many durations it holds.
    pub fn counts(&self) -> impl Iterator<Item = (Child, u64)> {
        let rows = self.rows.iter();
        rows.map(|(child, total)| (*child, total.value.count()))
    }

    /// Makes sure that the children of an operation that stand from 0 on exist.
    pub(super) fn know(&mut self, operation: NameId) {
        if self.rows.contains(&Child::Started(operation)) {
            return;
        }
        self.born(Child::Started(operation));
        self.born(Child::Vanished(operation));
        for status in Status::OUTCOMES {
            self.born(Child::Finished(operation, status));
        }
    }

    /// Counts one change: the only place where events become counts.
    pub(super) fn record(&mut self, change: &Change) {
        let operation = change.operation;
        match &change.event {
            Event::Started => self.add(Child::Started(operation), None),
            Event::Finished {
                status, duration, ..
            } => {
                self.add(Child::Finished(operation, *status), None);
                if duration.is_some() {
                    self.add(Child::Durations(operation, *status), *duration);
                }
            }
            Event::Failed { error_code, .. } => {
                self.add(Child::Failures(operation, *error_code), None);
            }
            Event::SubtaskFailed { subtask } => {
                self.add(Child::SubtaskFailures(operation, *subtask), None);
            }
            Event::Vanished => self.add(Child::Vanished(operation), None),
        }
    }

    fn add(&mut self, child: Child, duration: Option<Duration>) {
        self.born(child);
        self.rows.change(&child, |total| total.value.add(duration));
    }

    fn born(&mut self, child: Child) {
        if !self.rows.contains(&child) {
            let zero = Amount::zero(child);
            let total = Total {
                value: zero.clone(),
                shown: zero,
            };
            self.rows.put(child, total);
        }
    }
}

/// What is shown, and when.
impl Totals {
    /// Takes in that the page that is served now was scraped first at `at`.
    pub(super) fn scraped(&mut self, at: Instant) {
        self.births.scraped(at);
    }

    /// Takes in that a page with the values of the last commit is served
    /// instead of one that was scraped first at `before`, if ever.
    pub(super) fn published(&mut self, before: Option<Instant>) {
        self.births.published(before);
    }

    /// When a value that is held back is due.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.births.due(now)
    }

    /// Holds new children back for `hold` from now on.
    pub(super) fn set_hold(&mut self, hold: Duration) {
        self.births.set_hold(hold);
        if self.births.is_off() {
            let children: Vec<_> = self.rows.iter().map(|(child, _)| *child).collect();
            for child in children {
                self.follow(child);
            }
        }
    }

    /// Lets the shown values follow the true ones, where they are not held
    /// back at `now`. The pages show it once it is committed.
    pub(super) fn advance(&mut self, now: Instant) {
        let mut children = self.births.release(now);
        // One that is on no page yet is shown as it was born first.
        let shown = |child: &Child| self.shown.contains_key(child) && !self.births.holds(*child);
        let follows = |child: &Child| self.births.is_off() || shown(child);
        let changed = self.rows.changed().copied();
        children.extend(changed.filter(follows));
        for child in children {
            self.follow(child);
        }
    }

    /// Takes in that the last commit held these values.
    pub(super) fn committed(&mut self) {
        for child in self.rows.changed() {
            let Some(total) = self.rows.get(child) else {
                continue;
            };
            match self.shown.insert(*child, total.shown.clone()) {
                None => self.births.born(*child),
                Some(before) if before != total.shown => self.births.moved(*child, before),
                Some(_) => {}
            }
        }
    }

    /// Takes back what was never scraped, to be shown after the next start: a
    /// jump that nobody saw would hide what it stands for.
    pub(super) fn take_back(&mut self) {
        // What a full disk did not take was on no page.
        let uncommitted: Vec<_> = self.rows.changed().copied().collect();
        for child in uncommitted {
            let on_page = self.shown.get(&child).cloned();
            let amount = on_page.unwrap_or_else(|| Amount::zero(child));
            self.rows.change(&child, |total| total.shown = amount);
        }
        for (child, amount) in self.births.take_unseen() {
            self.rows.change(&child, |total| total.shown = amount);
        }
    }

    /// Takes in that the rows were read: every child begins with what was shown last.
    pub(super) fn restored(&mut self) {
        self.births.clear();
        let rows = self.rows.iter();
        self.shown = rows
            .map(|(child, total)| (*child, total.shown.clone()))
            .collect();
        let children: Vec<_> = self.shown.keys().copied().collect();
        for child in children {
            self.births.born(child);
            if self.births.is_off() {
                self.follow(child);
            }
        }
    }

    /// Shows what is true, held back or not; what is kept to be shown after the
    /// next start stays. Only for when nothing waits for a commit.
    pub(super) fn reveal(&mut self) {
        let rows = self.rows.iter();
        self.shown = rows
            .map(|(child, total)| (*child, total.value.clone()))
            .collect();
    }

    fn follow(&mut self, child: Child) {
        self.rows
            .change(&child, |total| total.shown = total.value.clone());
    }

    /// What is to be kept; once it was read, [`Totals::restored`] is due.
    pub(super) fn rows(&mut self) -> &mut dyn Rows {
        &mut self.rows
    }
}

impl Child {
    /// What the tasks do.
    pub fn operation(self) -> NameId {
        match self {
            Self::Started(operation)
            | Self::Finished(operation, _)
            | Self::Failures(operation, _)
            | Self::SubtaskFailures(operation, _)
            | Self::Vanished(operation)
            | Self::Durations(operation, _) => operation,
        }
    }
}

impl Amount {
    fn zero(child: Child) -> Self {
        match child {
            Child::Durations(..) => Self::Durations(Histogram::new(&DURATION_BUCKETS)),
            _ => Self::Count(0),
        }
    }

    fn add(&mut self, duration: Option<Duration>) {
        match (self, duration) {
            (Self::Count(count), _) => *count += 1,
            (Self::Durations(histogram), Some(took)) => histogram.observe(took.as_secs_f64()),
            (Self::Durations(_), None) => {}
        }
    }

    /// The count, or how many durations there are.
    pub fn count(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::Durations(histogram) => histogram.count(),
        }
    }
}

impl From<Amount> for AmountRow {
    fn from(amount: Amount) -> Self {
        match amount {
            Amount::Count(count) => Self::Count(count),
            Amount::Durations(histogram) => Self::Durations {
                counts: histogram.buckets().map(|(_, count)| count).collect(),
                sum: histogram.sum(),
            },
        }
    }
}

impl TryFrom<AmountRow> for Amount {
    type Error = &'static str;

    fn try_from(row: AmountRow) -> Result<Self, Self::Error> {
        match row {
            AmountRow::Count(count) => Ok(Self::Count(count)),
            AmountRow::Durations { counts, sum } => {
                let histogram = Histogram::restored(&DURATION_BUCKETS, counts, sum);
                histogram
                    .map(Self::Durations)
                    .ok_or("a histogram of other buckets")
            }
        }
    }
}

#[cfg(test)]
mod tests;
