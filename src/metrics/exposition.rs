//! One page of text from the snapshots of all sources.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel as _, EncodeLabelSet, LabelSetEncoder, MetricEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use super::{Group, Kind, Metric, Sample, Samples, SourcePage, Value, process};
use crate::build_info;

/// What the exporter says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Exporter {
    /// When the configuration was last loaded.
    pub configured_at: Timestamp,
    /// Whether it could not be loaded when that was last tried.
    pub reload_failed: bool,
    /// Failed commits of sources that left the configuration.
    pub past_commit_failures: u64,
    /// The number of this shard, from 0.
    pub shard: u32,
    /// The number of shards.
    pub total_shards: u32,
    /// Whether the process' own metrics are served.
    pub process: bool,
}

/// The snapshots that make one page.
#[derive(Debug)]
pub struct Exposition {
    pages: Vec<Arc<SourcePage>>,
    /// `None` if the exporter's own metrics are left out.
    exporter: Option<Samples>,
    now: Instant,
}

impl Exporter {
    fn samples(&self) -> Samples {
        let mut samples = Samples::default();
        let labels = [
            build_info::VERSION,
            build_info::REVISION,
            build_info::COMPILER,
        ]
        .map(Cow::Borrowed);
        samples.add(Metric::BuildInfo, labels, 1_u64);
        samples.add(Metric::ReloadSuccessful, [], !self.reload_failed);
        samples.add(Metric::ReloadTime, [], self.configured_at);
        samples.add(Metric::ShardOrdinal, [], u64::from(self.shard));
        samples.add(Metric::TotalShards, [], u64::from(self.total_shards));
        if self.process {
            process::add(&mut samples);
        }
        samples
    }
}

impl Exposition {
    /// A page of all sources, in the order of their names, and of the exporter.
    pub fn new(mut pages: Vec<Arc<SourcePage>>, exporter: &Exporter, now: Instant) -> Self {
        pages.sort_by(|a, b| a.name().cmp(b.name()));
        let mut samples = exporter.samples();
        let failures: u64 = pages.iter().map(|page| page.commit_failures()).sum();
        let failures = failures + exporter.past_commit_failures;
        samples.add(Metric::LedgerCommitFailures, [], failures);
        let sizes = pages.iter().filter_map(|page| page.ledger_size());
        let size = sizes.reduce(|all, size| all + size);
        samples.add_some(Metric::LedgerSize, [], size);
        Self {
            pages,
            exporter: Some(samples),
            now,
        }
    }

    /// A page of these sources alone, in the order of their names.
    pub fn of_sources(mut pages: Vec<Arc<SourcePage>>, now: Instant) -> Self {
        pages.sort_by(|a, b| a.name().cmp(b.name()));
        Self {
            pages,
            exporter: None,
            now,
        }
    }

    /// The page in OpenMetrics 1.0.
    pub fn into_open_metrics(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }

    fn samples(&self, metric: Metric) -> impl Iterator<Item = &Sample> {
        let pages = self.pages.iter();
        let sources = pages.flat_map(move |page| page.samples(metric, self.now));
        let own = self.exporter.iter();
        sources.chain(own.flat_map(move |samples| samples.of(metric)))
    }

    /// Whether the page has samples of a group.
    fn has(&self, group: Group) -> bool {
        self.exporter.is_some() || group != Group::Exporter
    }
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in Metric::ALL {
            let family = metric.family();
            if !self.has(family.group) {
                continue;
            }
            let mut samples = self.samples(*metric).peekable();
            if samples.peek().is_none() {
                continue;
            }
            let (kind, name) = match family.kind {
                Kind::Gauge => (MetricType::Gauge, family.name),
                // The encoder adds the suffix.
                Kind::Counter => (MetricType::Counter, family.name.trim_end_matches("_total")),
                Kind::Histogram => (MetricType::Histogram, family.name),
            };
            let mut family_encoder = encoder.encode_descriptor(name, family.help, None, kind)?;
            for sample in samples {
                if family.labels.is_empty() {
                    encode_value(&mut family_encoder, family.kind, &sample.value)?;
                } else {
                    let labels = Labels(family.labels, &sample.labels);
                    let mut child = family_encoder.encode_family(&labels)?;
                    encode_value(&mut child, family.kind, &sample.value)?;
                }
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
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, value) in self.0.iter().zip(self.1) {
            (*name, value.as_ref()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
