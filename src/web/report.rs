//! What is known at one moment: what the status page and its JSON are made of.

mod source;
mod task;

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

pub(super) use source::{PollError, SourceReport, State};
pub(super) use task::TaskReport;

use super::Lineup;
use super::query::Query;
use crate::build_info;
use crate::metrics::SourcePage;
use crate::task::Status;

/// The snapshots that a request asks for, and when.
#[derive(Debug)]
pub(super) struct Sight {
    /// In the order of their names.
    pages: Vec<Arc<SourcePage>>,
    query: Query,
    reload_failed: bool,
    time: Timestamp,
    now: Instant,
}

/// How the sources do: the answer of `/api/v1/status`.
#[derive(Debug, Serialize)]
pub(super) struct StatusReport<'a> {
    /// The version of the exporter.
    pub(super) version: &'static str,
    /// When this was true.
    pub(super) time: Timestamp,
    /// Whether each source was polled once, with whatever success.
    pub(super) ready: bool,
    /// Whether the configuration could be loaded the last time that this was tried.
    pub(super) config_loaded: bool,
    /// The sources, in the order of their names.
    pub(super) sources: Vec<SourceReport<'a>>,
}

/// Open tasks: the answer of `/api/v1/tasks`.
#[derive(Debug, Serialize)]
pub(super) struct TasksReport<'a> {
    /// When this was true.
    pub(super) time: Timestamp,
    /// How many open tasks match, shown or not.
    pub(super) total: u64,
    /// How many of them are shown, within the limit of the request and the
    /// `max_open_tasks` and `max_open_failures` of their source.
    pub(super) shown: usize,
    /// The sources whose tasks are not shown, as they are too old or were never read.
    pub(super) withdrawn: Vec<&'a str>,
    /// Failures, newest first, then unfinished tasks, oldest first.
    pub(super) tasks: Vec<TaskReport<'a>>,
}

/// Tasks of one kind.
#[derive(Debug)]
pub(super) struct Tasks<'a> {
    /// How many match, shown or not.
    pub(super) total: u64,
    /// Those that are shown.
    pub(super) shown: Vec<TaskReport<'a>>,
}

impl Sight {
    /// What the query is about of a lineup, as of `time`, which is `now` on the
    /// clock that nobody can set.
    pub(super) fn new(lineup: &Lineup, query: Query, time: Timestamp, now: Instant) -> Self {
        let mut pages = lineup.snapshots();
        pages.retain(|page| query.sources.has(page.name()));
        pages.sort_by(|a, b| a.name().cmp(b.name()));
        Self {
            pages,
            query,
            reload_failed: lineup.exporter.reload_failed,
            time,
            now,
        }
    }

    /// When it is.
    pub(super) fn time(&self) -> Timestamp {
        self.time
    }

    /// What is asked for.
    pub(super) fn query(&self) -> &Query {
        &self.query
    }

    /// How the sources do.
    pub(super) fn status(&self) -> StatusReport<'_> {
        let report = |page: &'_ Arc<SourcePage>| page.is_tried();
        let sources = self.pages.iter();
        StatusReport {
            version: build_info::VERSION,
            time: self.time,
            config_loaded: !self.reload_failed,
            ready: self.pages.iter().all(report),
            sources: sources
                .map(|page| SourceReport::new(page, self.time, self.now))
                .collect(),
        }
    }

    /// The open tasks that are asked for.
    pub(super) fn tasks(&self) -> TasksReport<'_> {
        let (failures, unfinished) = (self.failures(), self.unfinished());
        let mut tasks = failures.shown;
        tasks.extend(unfinished.shown);
        tasks.truncate(self.query.limit.unwrap_or(usize::MAX));
        TasksReport {
            time: self.time,
            total: failures.total + unfinished.total,
            shown: tasks.len(),
            withdrawn: self.withdrawn(),
            tasks,
        }
    }

    /// The failures that are asked for, newest first.
    pub(super) fn failures(&self) -> Tasks<'_> {
        let mut shown = self.matching(|page| &page.overview().failures);
        shown.sort_by_key(|task| Reverse(task.task.failed));
        Tasks {
            total: self.total(|status| !status.is_unfinished()),
            shown,
        }
    }

    /// The unfinished tasks that are asked for, oldest first.
    pub(super) fn unfinished(&self) -> Tasks<'_> {
        let mut shown = self.matching(|page| &page.overview().unfinished);
        shown.sort_by_key(TaskReport::since);
        Tasks {
            total: self.total(Status::is_unfinished),
            shown,
        }
    }

    /// The sources whose state is not served.
    pub(super) fn withdrawn(&self) -> Vec<&str> {
        let pages = self.pages.iter().filter(|page| !page.is_fresh(self.now));
        pages.map(|page| page.name()).collect()
    }

    fn fresh(&self) -> impl Iterator<Item = &SourcePage> {
        let pages = self.pages.iter().filter(|page| page.is_fresh(self.now));
        pages.map(|page| &**page)
    }

    fn matching<'a>(
        &'a self,
        of: impl Fn(&'a SourcePage) -> &'a Vec<crate::overview::TaskView>,
    ) -> Vec<TaskReport<'a>> {
        let mut found = Vec::new();
        for page in self.fresh() {
            let tasks = of(page).iter();
            let tasks = tasks.filter(|task| self.query.has(&task.operation, task.status));
            found.extend(tasks.map(|task| TaskReport::new(page, task, self.time)));
        }
        found
    }

    fn total(&self, of: impl Fn(Status) -> bool) -> u64 {
        let open = self.fresh().flat_map(|page| &page.overview().open);
        let matching = open
            .filter(|((operation, status), _)| of(*status) && self.query.has(operation, *status));
        matching.map(|(_, count)| count).sum()
    }
}
