//! Samples as lines of text, family by family, which are the same in each format.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, LabelSetEncoder, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::{Kind, Metric, Samples, TextFormat, Value};

/// The lines of some samples, in the order of the catalogue.
#[derive(Debug)]
pub(super) struct Lines {
    text: String,
    families: BTreeMap<Metric, Range<usize>>,
}

impl Lines {
    /// Writes the lines of all samples.
    pub(super) fn of(samples: &Arc<Samples>) -> Self {
        let mut text = String::new();
        let mut families = BTreeMap::new();
        for metric in Metric::ALL {
            if samples.of(*metric).is_empty() {
                continue;
            }
            // The encoder writes the header too.
            let start = text.len() + TextFormat::OpenMetrics.header(*metric).len();
            encode(&mut text, *metric, Arc::clone(samples));
            families.insert(*metric, start..text.len());
        }
        Self { text, families }
    }

    /// The lines of one family, each with its line feed; empty if it has none.
    pub(super) fn family(&self, metric: Metric) -> &str {
        let range = self.families.get(&metric).cloned();
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }
}

/// The HELP and TYPE lines of a family in OpenMetrics.
pub(super) fn open_header(metric: Metric) -> String {
    let mut text = String::new();
    encode(&mut text, metric, Arc::default());
    text
}

/// A family and its samples.
#[derive(Debug)]
struct Encoded {
    metric: Metric,
    samples: Arc<Samples>,
}

/// Adds the header of a family and its lines.
fn encode(text: &mut String, metric: Metric, samples: Arc<Samples>) {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Encoded { metric, samples }));
    encode_registry(text, &registry).expect("a string takes every text");
}

impl Collector for Encoded {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let family = self.metric.family();
        let (kind, name) = match family.kind {
            Kind::Gauge => (MetricType::Gauge, family.name),
            // The encoder adds the suffix.
            Kind::Counter => (MetricType::Counter, family.name.trim_end_matches("_total")),
            Kind::Histogram => (MetricType::Histogram, family.name),
        };
        let mut encoder = encoder.encode_descriptor(name, family.help, None, kind)?;
        for sample in self.samples.of(self.metric) {
            if family.labels.is_empty() {
                encode_value(&mut encoder, family.kind, &sample.value)?;
            } else {
                let labels = Labels(family.labels, &sample.labels);
                let mut child = encoder.encode_family(&labels)?;
                encode_value(&mut child, family.kind, &sample.value)?;
            }
        }
        Ok(())
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: Kind, value: &Value) -> fmt::Result {
    match (kind, value) {
        (Kind::Counter, Value::Whole(count)) => {
            encoder.encode_counter::<NoLabels, _, f64>(count, None)
        }
        (Kind::Counter, Value::Float(number)) => {
            encoder.encode_counter::<NoLabels, _, f64>(number, None)
        }
        (_, Value::Whole(count)) => encoder.encode_gauge(count),
        (_, Value::Float(number)) => encoder.encode_gauge(number),
        (_, Value::Buckets(histogram)) => {
            let buckets: Vec<_> = histogram.buckets().collect();
            let (sum, count) = (histogram.sum(), histogram.count());
            encoder.encode_histogram::<NoLabels>(sum, count, &buckets, None)
        }
    }
}

type NoLabels = [(&'static str, &'static str); 0];

/// The names and values of one label set.
#[derive(Debug)]
struct Labels<'a>(&'static [&'static str], &'a [Cow<'static, str>]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.0.iter().zip(self.1) {
            (*name, value.as_ref()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
