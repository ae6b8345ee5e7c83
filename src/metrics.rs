//! The catalogue: every metric family, in one table.
//!
//! README, dashboards and tests are held against [`Metric::ALL`]; to add a
//! metric is to add a row here and the samples in one of the modules below.

mod exposition;
mod format;
mod limits;
mod lines;
mod process;
mod sample;
mod source;
mod tasks;

pub use exposition::{Exporter, Exposition};
pub use format::TextFormat;
pub use limits::{OverLimit, OverLimits};
pub use sample::{Sample, Samples, Value};
pub use source::{SourceFacts, SourcePage, SourceView};

/// What a family's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A count that only rises.
    Counter,
    /// Values in buckets.
    Histogram,
}

impl Kind {
    /// Prometheus' word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// What a family speaks of, and so when it is withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The tasks as of the last successful poll; withdrawn when that is too long ago.
    State,
    /// What stays known of an operation.
    Kept,
    /// What happened, counted exactly once.
    Event,
    /// How reading a source goes.
    Source,
    /// The exporter itself.
    Exporter,
}

/// One metric family.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// The name, as in queries.
    pub name: &'static str,
    /// What it is, without a full stop at the end.
    pub help: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// What it speaks of.
    pub group: Group,
    /// Its labels, in the order in which samples give their values.
    pub labels: &'static [&'static str],
}

macro_rules! catalogue {
    ($($metric:ident $kind:ident $group:ident $name:literal [$($label:literal)*] $help:literal;)*) => {
        /// A metric family by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $(#[doc = $help] $metric,)*
        }

        impl Metric {
            /// Every family, in the order of the exposition.
            pub const ALL: &[Self] = &[$(Self::$metric,)*];

            /// What is known of the family.
            pub const fn family(self) -> Family {
                match self {
                    $(Self::$metric => Family {
                        name: $name,
                        help: $help,
                        kind: Kind::$kind,
                        group: Group::$group,
                        labels: &[$($label),*],
                    },)*
                }
            }
        }
    };
}

catalogue! {
    Tasks Gauge State "virt_tasks" ["source" "operation" "status"]
        "Tasks that the source lists";
    Subtasks Gauge State "virt_subtasks" ["source" "operation" "status"]
        "Sub-tasks without children of their own, of open tasks";
    UnresolvedFailures Gauge State "virt_task_unresolved_failures" ["source" "operation"]
        "Failed tasks that neither the source, a retry nor a later success has resolved";
    OldestStart Gauge State "virt_task_oldest_start_timestamp_seconds" ["source" "operation" "status"]
        "Start of the oldest task in each unfinished status; where the source gives none, when it was first seen";
    OpenInfo Gauge State "virt_open_task_info"
        ["source" "operation" "task_id" "status" "name" "resource" "failed_subtask" "error_code"]
        "An unfinished or unresolved failed task, always 1; limited in number";
    OpenStart Gauge State "virt_open_task_start_timestamp_seconds" ["source" "task_id"]
        "Start of an open task; where the source gives none, when it was first seen";
    OpenEnd Gauge State "virt_open_task_end_timestamp_seconds" ["source" "task_id"]
        "End of an open failed task";
    OpenLastChange Gauge State "virt_open_task_last_change_timestamp_seconds" ["source" "task_id"]
        "When anything of an open task last moved";
    OpenProgress Gauge State "virt_open_task_progress_ratio" ["source" "task_id"]
        "Finished sub-tasks of all of an open task, or the source's own figure, from 0 to 1";
    LastSuccess Gauge Kept "virt_task_last_success_timestamp_seconds" ["source" "operation"]
        "End of the newest task that succeeded or ended with a warning";
    LastFailure Gauge Kept "virt_task_last_failure_timestamp_seconds" ["source" "operation"]
        "End of the newest task that failed";
    LastDuration Gauge Kept "virt_task_last_duration_seconds" ["source" "operation" "status"]
        "Duration of the newest finished task";
    TypicalDuration Gauge Kept "virt_task_typical_duration_seconds" ["source" "operation"]
        "Median duration of the last 20 successes";
    Started Counter Event "virt_task_started_total" ["source" "operation"]
        "Tasks that appeared";
    Finished Counter Event "virt_task_finished_total" ["source" "operation" "status"]
        "Tasks that ended, each stay in an outcome once";
    Failures Counter Event "virt_task_failures_total" ["source" "operation" "error_code"]
        "Tasks that failed, each stay once, by the first error's code";
    SubtaskFailures Counter Event "virt_subtask_failures_total" ["source" "operation" "subtask"]
        "Deepest failed sub-tasks or stages of failed tasks, each once a stay";
    Vanished Counter Event "virt_task_vanished_total" ["source" "operation"]
        "Unfinished tasks that the source no longer knows, so that their outcome stays unknown";
    Duration Histogram Event "virt_task_duration_seconds" ["source" "operation" "status"]
        "Duration of finished tasks whose start and end are both known";
    SourceInfo Gauge Source "virt_source_info" ["source" "system" "url"]
        "A configured source, always 1";
    SourceUp Gauge Source "virt_source_up" ["source"]
        "Whether the last poll of the source succeeded";
    SourceLastSuccess Gauge Source "virt_source_last_success_timestamp_seconds" ["source"]
        "End of the last successful poll";
    SourceLastFullPoll Gauge Source "virt_source_last_full_poll_timestamp_seconds" ["source"]
        "End of the last successful full poll";
    ListingComplete Gauge Source "virt_source_listing_complete" ["source"]
        "Whether the last successful full poll read everything";
    ClockSkew Gauge Source "virt_source_clock_skew_seconds" ["source"]
        "How far the clock of the source is ahead of the clock of the exporter";
    Polls Counter Source "virt_source_polls_total" ["source" "mode"]
        "Polls, failed ones included";
    PollFailures Counter Source "virt_source_poll_failures_total" ["source" "reason"]
        "Polls that failed";
    PollDuration Histogram Source "virt_source_poll_duration_seconds" ["source"]
        "Duration of polls, failed ones included";
    Pages Counter Source "virt_source_pages_total" ["source"]
        "Pages of listings that were read";
    UnknownStatus Counter Source "virt_task_unknown_status_total" ["source"]
        "Tasks whose status is not known, each once a full poll";
    InvalidTimestamps Counter Source "virt_task_invalid_timestamps_total" ["source"]
        "Tasks with a time that cannot be right, each once a full poll";
    Skipped Counter Source "virt_task_skipped_total" ["source" "reason"]
        "Listed elements that could not be read as a task, each once a full poll";
    Requests Counter Source "virt_source_requests_total" ["source" "endpoint" "code"]
        "Requests by HTTP status or, without an answer, by reason";
    RequestDuration Histogram Source "virt_source_request_duration_seconds" ["source" "endpoint"]
        "Duration of requests";
    ReceivedBytes Counter Source "virt_source_received_bytes_total" ["source"]
        "Bytes of answers, after decompression";
    FoldedLabelValues Gauge Source "virt_source_folded_label_values" ["source" "label"]
        "Label values that became other because of a limit";
    OverLimit Gauge Source "virt_source_over_limit" ["source" "limit"]
        "What a limit cut or left out: of the listing, of label values, of open tasks and failures";
    LedgerEntries Gauge Exporter "virt_exporter_ledger_entries" ["source"]
        "Tasks that the ledger remembers";
    LedgerCommitFailures Counter Exporter "virt_exporter_ledger_commit_failures_total" []
        "Times that a ledger could not be written to disk; the event metrics stand still meanwhile";
    LedgerSize Gauge Exporter "virt_exporter_ledger_size_bytes" []
        "Size of the files of the ledgers; none if they are in memory alone";
    PollerPanics Counter Exporter "virt_exporter_poller_panics_total" ["source"]
        "Panics while a source was read, kept or shown";
    BuildInfo Gauge Exporter "virt_exporter_build_info" ["version" "revision" "rustc"]
        "The build of the exporter, always 1";
    ReloadSuccessful Gauge Exporter "virt_exporter_config_last_reload_successful" []
        "Whether the configuration was loaded the last time that this was tried";
    ReloadTime Gauge Exporter "virt_exporter_config_last_reload_success_timestamp_seconds" []
        "When the configuration was last loaded";
    ShardOrdinal Gauge Exporter "virt_exporter_shard_ordinal" []
        "The number of this shard, from 0";
    TotalShards Gauge Exporter "virt_exporter_total_shards" []
        "The number of shards";
    ProcessCpu Counter Exporter "process_cpu_seconds_total" []
        "Total user and system CPU time spent in seconds";
    ProcessOpenFds Gauge Exporter "process_open_fds" []
        "Number of open file descriptors";
    ProcessMaxFds Gauge Exporter "process_max_fds" []
        "Maximum number of open file descriptors";
    ProcessVirtualMemory Gauge Exporter "process_virtual_memory_bytes" []
        "Virtual memory size in bytes";
    ProcessResidentMemory Gauge Exporter "process_resident_memory_bytes" []
        "Resident memory size in bytes";
    ProcessStart Gauge Exporter "process_start_time_seconds" []
        "Start time of the process since unix epoch in seconds";
    ProcessThreads Gauge Exporter "process_threads" []
        "Number of threads of the process";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_exporters_own_families_stand_last() {
        let own = |metric: &Metric| metric.family().group == Group::Exporter;
        assert!(Metric::ALL.is_sorted_by_key(own));
    }

    #[test]
    fn the_catalogue_follows_the_rules_of_names() {
        let mut names = BTreeSet::new();
        for metric in Metric::ALL {
            let family = metric.family();
            assert!(names.insert(family.name), "{} stands twice", family.name);
            let plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(family.name.chars().all(plain), "{}", family.name);
            let total = family.name.ends_with("_total");
            assert_eq!(total, family.kind == Kind::Counter, "{}", family.name);
            assert!(!family.help.ends_with('.'), "{}", family.name);
            assert!(!family.help.contains(['\n', '\\']), "{}", family.name);
            let per_source = !matches!(family.group, Group::Exporter);
            if per_source {
                assert_eq!(family.labels.first(), Some(&"source"), "{}", family.name);
            }
        }
    }
}
