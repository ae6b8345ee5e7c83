//! One open task, with its ages.

use jiff::Timestamp;
use serde::Serialize;

use crate::metrics::SourcePage;
use crate::overview::TaskView;
use crate::web::age;

/// An open task of a source.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct TaskReport<'a> {
    /// The source's name.
    pub(crate) source: &'a str,
    /// What is known of the task.
    #[serde(flatten)]
    pub(crate) task: &'a TaskView,
    /// How long ago it began, else was first seen.
    pub(crate) age_seconds: u64,
    /// How long ago anything of it last moved.
    pub(crate) unchanged_seconds: u64,
    /// How long ago it failed; null unless it did.
    pub(crate) failed_age_seconds: Option<u64>,
}

impl<'a> TaskReport<'a> {
    pub(super) fn new(page: &'a SourcePage, task: &'a TaskView, time: Timestamp) -> Self {
        let skew = page.overview().clock_skew.unwrap_or_default();
        // What the source says when goes by its own clock.
        let there = time.saturating_add(skew).unwrap_or(time);
        Self {
            source: page.name(),
            task,
            age_seconds: task.started.map_or_else(
                || age::seconds(task.first_seen, time),
                |started| age::seconds(started, there),
            ),
            unchanged_seconds: age::seconds(task.last_change, time),
            failed_age_seconds: task.failed.map(|failed| age::seconds(failed, there)),
        }
    }

    /// When it began, else when it was first seen.
    pub(crate) fn since(&self) -> Timestamp {
        self.task.started.unwrap_or(self.task.first_seen)
    }
}
