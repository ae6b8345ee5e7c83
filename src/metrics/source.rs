//! What is served of one source: a snapshot, made after each poll.

mod failing;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::limits::OverLimits;
use super::lines::Lines;
use super::tasks::Writer;
use super::{Group, Metric, Sample, Samples};
use crate::ledger::{KeptLedger, OpenRanking};
use crate::overview::{Overview, RetryCall, Sight};
use crate::panics::caught;
use crate::sources::rest::Traffic;
use crate::sources::{Health, Reason};
use crate::task::{Skipped, label};

/// What does not change of a source.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    /// Its name, the label `source`.
    pub name: String,
    /// Its system, in the configuration's word.
    pub system: &'static str,
    /// Its url; the configuration refuses one with credentials.
    pub url: String,
    /// After how long without a successful poll its state is withdrawn.
    pub stale_after: Duration,
    /// Unfinished tasks with series of their own.
    pub max_open_tasks: usize,
    /// Open failures with series of their own.
    pub max_open_failures: usize,
    /// How its tasks are retried, where there is a command for it.
    pub retry_call: Option<RetryCall>,
}

/// What is known of a source after a poll.
#[derive(Debug, Clone, Copy)]
pub struct SourceView<'a> {
    /// What does not change.
    pub facts: &'a SourceFacts,
    /// Its tasks and events, and how keeping them goes.
    pub kept: &'a KeptLedger,
    /// How its polls go.
    pub health: &'a Health,
    /// What was sent and received.
    pub traffic: &'a Traffic,
    /// How far its clock is ahead of ours.
    pub clock_skew: Option<SignedDuration>,
}

/// All samples of one source.
#[derive(Debug)]
pub struct SourcePage {
    name: String,
    system: &'static str,
    samples: Arc<Samples>,
    over_limits: OverLimits,
    /// Written at the first scrape.
    lines: OnceLock<Lines>,
    /// Until when the state is served; `None` if there is none.
    fresh_until: Option<Instant>,
    tried: bool,
    commit_failures: u64,
    commits_fail: bool,
    ledger_size: Option<u64>,
    first_scrape: OnceLock<std::time::Instant>,
    overview: Overview,
    #[cfg(test)]
    faults: crate::ledger::Faults,
}

impl SourcePage {
    /// The samples of what is known.
    pub fn new(view: SourceView<'_>) -> Self {
        #[cfg(test)]
        view.kept.faults.visit("page");
        let (facts, ledger) = (view.facts, view.kept.ledger());
        let open = OpenRanking::new(ledger, facts.max_open_tasks, facts.max_open_failures);
        let mut writer = Writer {
            samples: Samples::default(),
            source: label::clean(&view.facts.name).into(),
            ledger,
            open: &open,
        };
        writer.tasks();
        writer.source(view);
        writer.requests(view.traffic);
        let over_limits = OverLimits::of(view.health, ledger, &open, &writer.samples);
        writer.over_limits(&over_limits);
        let mut samples = writer.samples;
        samples.sort();
        let last_success = view.health.last_success_at;
        Self {
            name: view.facts.name.clone(),
            system: view.facts.system,
            samples: Arc::new(samples),
            over_limits,
            lines: OnceLock::new(),
            fresh_until: last_success.map(|at| at + view.facts.stale_after),
            tried: view.health.up.is_some(),
            commit_failures: view.kept.commit_failures(),
            commits_fail: view.kept.is_failing(),
            ledger_size: view.kept.size(),
            first_scrape: OnceLock::new(),
            #[cfg(test)]
            faults: view.kept.faults.clone(),
            overview: Overview::new(Sight {
                url: &facts.url,
                health: view.health,
                clock_skew: view.clock_skew,
                stale_after: facts.stale_after,
                retry_call: facts.retry_call,
                ledger,
                open: &open,
            }),
        }
    }

    /// Why it is not all there is.
    pub fn over_limits(&self) -> &OverLimits {
        &self.over_limits
    }

    /// What people are shown of the source.
    pub fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Whether its state is recent enough at `now` to be served.
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.fresh_until.is_some_and(|until| now < until)
    }

    /// The source's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its system, in the configuration's word.
    pub fn system(&self) -> &'static str {
        self.system
    }

    /// Whether the source was polled once, with whatever success.
    pub fn is_tried(&self) -> bool {
        self.tried
    }

    /// How many commits of its ledger failed.
    pub fn commit_failures(&self) -> u64 {
        self.commit_failures
    }

    /// Whether the last commit failed, so that its event metrics stand still.
    pub fn commits_fail(&self) -> bool {
        self.commits_fail
    }

    /// How large the file of its ledger is, in bytes; `None` if there is none.
    pub fn ledger_size(&self) -> Option<u64> {
        self.ledger_size
    }

    /// Takes in that the page is scraped at `now`.
    pub fn scraped(&self, now: Instant) {
        self.first_scrape.get_or_init(|| now.into_std());
    }

    /// When the page was scraped first, if ever.
    pub fn first_scrape(&self) -> Option<std::time::Instant> {
        self.first_scrape.get().copied()
    }

    /// The samples of a family that are true at `now`.
    pub fn samples(&self, metric: Metric, now: Instant) -> &[Sample] {
        let samples = self.samples.of(metric);
        if self.has(metric, now) { samples } else { &[] }
    }

    /// The same as lines of text.
    pub(super) fn lines(&self, metric: Metric, now: Instant) -> &str {
        if !self.has(metric, now) {
            return "";
        }
        self.lines.get_or_init(|| self.write()).family(metric)
    }

    /// The lines of all samples. Where writing them panics, the source is not up,
    /// and the others are served on.
    fn write(&self) -> Lines {
        let written = caught(|| {
            #[cfg(test)]
            self.faults.visit("write");
            Lines::of(&self.samples)
        });
        written.unwrap_or_else(|_logged| Lines::of(&Arc::new(self.bare())))
    }

    /// Whether a family is true at `now`.
    fn has(&self, metric: Metric, now: Instant) -> bool {
        metric.family().group != Group::State || self.is_fresh(now)
    }
}

impl Writer<'_> {
    /// How reading the source goes.
    fn source(&mut self, view: SourceView<'_>) {
        let source = self.source.clone();
        let one = || [source.clone()];
        let (facts, health) = (view.facts, view.health);
        let info = [
            source.clone(),
            facts.system.into(),
            label::clean(&facts.url).into(),
        ];
        let (samples, ledger) = (&mut self.samples, self.ledger);
        samples.add(Metric::SourceInfo, info, 1_u64);
        samples.add_some(Metric::SourceUp, one(), health.up);
        samples.add_some(Metric::SourceLastSuccess, one(), health.last_success);
        samples.add_some(Metric::SourceLastFullPoll, one(), health.last_full_poll);
        samples.add_some(Metric::ListingComplete, one(), health.complete);
        let skew = view.clock_skew.map(|skew| skew.as_secs_f64());
        samples.add_some(Metric::ClockSkew, one(), skew);
        for (mode, count) in [("full", health.full_polls), ("steady", health.steady_polls)] {
            samples.add(Metric::Polls, [source.clone(), mode.into()], count);
        }
        for reason in Reason::ALL {
            let count = health.failures.get(&reason).copied().unwrap_or_default();
            let labels = [source.clone(), reason.as_str().into()];
            samples.add(Metric::PollFailures, labels, count);
        }
        samples.add(Metric::PollDuration, one(), &health.durations);
        let unreadable = &health.unreadable;
        samples.add(Metric::UnknownStatus, one(), unreadable.status);
        samples.add(Metric::InvalidTimestamps, one(), unreadable.timestamps);
        for reason in Skipped::ALL {
            let count = unreadable.skipped.get(&reason).copied().unwrap_or_default();
            let labels = [source.clone(), reason.reason().into()];
            samples.add(Metric::Skipped, labels, count);
        }
        for (label, names) in [
            ("operation", ledger.operations()),
            ("subtask", ledger.subtask_names()),
            ("error_code", ledger.error_codes()),
        ] {
            let labels = [source.clone(), label.into()];
            samples.add(Metric::FoldedLabelValues, labels, names.folded());
        }
        samples.add(Metric::LedgerEntries, one(), ledger.len());
        samples.add(Metric::PollerPanics, one(), health.panics);
    }

    fn over_limits(&mut self, limits: &OverLimits) {
        for (limit, over) in limits.told() {
            let labels = [self.source.clone(), limit.into()];
            self.samples.add(Metric::OverLimit, labels, over);
        }
    }

    fn requests(&mut self, traffic: &Traffic) {
        let source = self.source.clone();
        for (endpoint, code, count) in traffic.requests() {
            let labels = [source.clone(), endpoint.into(), code.to_owned().into()];
            self.samples.add(Metric::Requests, labels, count);
        }
        for (endpoint, took) in traffic.durations() {
            let labels = [source.clone(), endpoint.into()];
            self.samples.add(Metric::RequestDuration, labels, took);
        }
        self.samples
            .add(Metric::Pages, [source.clone()], traffic.pages());
        self.samples
            .add(Metric::ReceivedBytes, [source], traffic.received_bytes());
    }
}
