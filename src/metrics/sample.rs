//! Samples by family, sorted, so that each page has the same order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Metric;
use crate::histogram::Histogram;
use crate::ledger::Amount;

/// The value of one sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A count, or a gauge that is one.
    Whole(u64),
    /// Any other number.
    Float(f64),
    /// A histogram's buckets.
    Buckets(Histogram),
}

/// One sample: the values of its family's labels, and its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// In the order of [`Family::labels`](super::Family::labels).
    pub labels: Vec<Cow<'static, str>>,
    /// The value.
    pub value: Value,
}

/// The samples of some families.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<Metric, Vec<Sample>>);

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Whole(count)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Whole(u64::from(bool))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        // A difference of times is a duration, and that knows how to be a number of seconds.
        Self::Float(time.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64())
    }
}

impl From<&Amount> for Value {
    fn from(amount: &Amount) -> Self {
        match amount {
            Amount::Count(count) => Self::Whole(*count),
            Amount::Durations(histogram) => Self::from(histogram),
        }
    }
}

impl From<&Histogram> for Value {
    fn from(histogram: &Histogram) -> Self {
        Self::Buckets(histogram.clone())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Whole(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl Samples {
    /// Adds a sample.
    pub fn add<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [Cow<'static, str>; N],
        value: impl Into<Value>,
    ) {
        debug_assert_eq!(metric.family().labels.len(), N, "{metric:?}");
        self.0.entry(metric).or_default().push(Sample {
            labels: labels.into(),
            value: value.into(),
        });
    }

    /// Every sample.
    pub(super) fn all(&self) -> impl Iterator<Item = &Sample> {
        self.0.values().flatten()
    }

    /// Adds a sample where there is a value.
    pub fn add_some<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [Cow<'static, str>; N],
        value: Option<impl Into<Value>>,
    ) {
        if let Some(value) = value {
            self.add(metric, labels, value);
        }
    }

    /// Takes the samples of a family out.
    pub(super) fn forget(&mut self, metric: Metric) {
        self.0.remove(&metric);
    }

    /// Puts one sample in the place of a family's.
    pub(super) fn put<const N: usize>(
        &mut self,
        metric: Metric,
        labels: [Cow<'static, str>; N],
        value: impl Into<Value>,
    ) {
        self.forget(metric);
        self.add(metric, labels, value);
    }

    /// Sorts each family by its labels' values; of equal label sets the first
    /// stays, as one set twice makes a page unreadable.
    pub fn sort(&mut self) {
        for samples in self.0.values_mut() {
            samples.sort_by(|a, b| a.labels.cmp(&b.labels));
            samples.dedup_by(|a, b| a.labels == b.labels);
        }
    }

    /// The samples of one family.
    pub fn of(&self, metric: Metric) -> &[Sample] {
        self.0.get(&metric).map_or(&[], Vec::as_slice)
    }
}
