//! One page of text from the snapshots of all sources.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::lines::Lines;
use super::{Group, Metric, Samples, SourcePage, TextFormat, process};
use crate::build_info;

/// What the exporter says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
///
/// The page has two parts, one after the other: what is said of the sources,
/// which is the same until one of them is polled or gets stale, and what the
/// exporter says of itself, which is another one at each look.
#[derive(Debug)]
pub struct Exposition {
    pages: Vec<Arc<SourcePage>>,
    /// `None` if the exporter's own metrics are left out.
    exporter: Option<Exporter>,
    now: Instant,
}

impl Exporter {
    /// One that has all sources, and does not speak of its process.
    pub fn alone(configured_at: Timestamp) -> Self {
        Self {
            configured_at,
            reload_failed: false,
            past_commit_failures: 0,
            shard: 0,
            total_shards: 1,
            process: false,
        }
    }

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
    pub fn new(pages: Vec<Arc<SourcePage>>, exporter: &Exporter, now: Instant) -> Self {
        Self {
            exporter: Some(*exporter),
            ..Self::of_sources(pages, now)
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

    /// The snapshots, in the order of their names, and whether each is fresh.
    pub fn pages(&self) -> impl Iterator<Item = (&Arc<SourcePage>, bool)> {
        let pages = self.pages.iter();
        pages.map(|page| (page, page.is_fresh(self.now)))
    }

    /// What the exporter says of itself, if it does.
    pub fn exporter(&self) -> Option<&Exporter> {
        self.exporter.as_ref()
    }

    /// When it is.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The whole page.
    pub fn text(&self, format: TextFormat) -> String {
        self.of_the_sources(format) + &self.of_the_exporter(format)
    }

    /// The page's first part.
    pub fn of_the_sources(&self, format: TextFormat) -> String {
        let mut text = String::new();
        self.add(&mut text, format, |group| group != Group::Exporter, None);
        text
    }

    /// The page's second part, with its end.
    pub fn of_the_exporter(&self, format: TextFormat) -> String {
        let mut text = String::new();
        if let Some(samples) = self.own() {
            let own = Lines::of(&Arc::new(samples));
            self.add(
                &mut text,
                format,
                |group| group == Group::Exporter,
                Some(&own),
            );
        }
        text.push_str(format.end());
        text
    }

    /// What the exporter says of itself and of all sources together.
    fn own(&self) -> Option<Samples> {
        let exporter = self.exporter?;
        let mut samples = exporter.samples();
        let failures: u64 = self.pages.iter().map(|page| page.commit_failures()).sum();
        let failures = failures + exporter.past_commit_failures;
        samples.add(Metric::LedgerCommitFailures, [], failures);
        let sizes = self.pages.iter().filter_map(|page| page.ledger_size());
        let size = sizes.reduce(|all, size| all + size);
        samples.add_some(Metric::LedgerSize, [], size);
        Some(samples)
    }

    /// Adds the families of some groups.
    fn add(
        &self,
        text: &mut String,
        format: TextFormat,
        of: impl Fn(Group) -> bool,
        own: Option<&Lines>,
    ) {
        let metrics = Metric::ALL.iter();
        for metric in metrics.filter(|metric| of(metric.family().group)) {
            let start = text.len();
            text.push_str(format.header(*metric));
            let header = text.len();
            let pages = self.pages.iter();
            text.extend(pages.map(|page| page.lines(*metric, self.now)));
            text.extend(own.map(|own| own.family(*metric)));
            if text.len() == header {
                text.truncate(start);
            }
        }
    }
}
