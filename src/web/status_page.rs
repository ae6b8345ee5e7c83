//! The status page: what somebody needs who was woken by an alert.
//!
//! It needs no script and loads nothing. The template escapes all that it is
//! given; [`Text`] makes the rest visible.

mod error;
mod source;
mod task;
mod text;

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use ring::digest::{SHA256, digest};
use url::form_urlencoded;

use source::SourceCard;
use task::{FailureCard, TaskRow};
use text::{Text, When};

use super::report::{Sight, State, Tasks};
use crate::build_info;

/// The style of the page.
const STYLE: &str = include_str!("../../templates/status_page.css");

/// How many tasks of a kind the page shows, unless the request says otherwise.
const TASKS: usize = 500;

/// How the page is to look.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Where the metrics are.
    telemetry_path: String,
    /// Whether the browser loads it again and again.
    refreshes: bool,
    /// The query of this page, with the other choice in whether it refreshes.
    other_query: String,
}

impl Look {
    /// What a request asks for.
    pub(super) fn of(uri: &Uri, telemetry_path: &str) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut others = form_urlencoded::Serializer::new(String::new());
        let mut refreshes = true;
        for (key, value) in pairs {
            if key == "refresh" {
                refreshes = value != "off";
            } else {
                others.append_pair(&key, &value);
            }
        }
        if refreshes {
            others.append_pair("refresh", "off");
        }
        Self {
            telemetry_path: telemetry_path.to_owned(),
            refreshes,
            other_query: others.finish(),
        }
    }
}

#[derive(Template)]
#[template(path = "status_page.html")]
struct StatusPage<'a> {
    style: &'static str,
    version: &'static str,
    look: &'a Look,
    time: String,
    headline: Headline,
    /// Whether an older configuration is in force than the file's.
    reload_failed: bool,
    /// Whether tasks or sources are left out on request.
    narrowed: bool,
    sources: Vec<SourceCard<'a>>,
    withdrawn: Vec<Text<'a>>,
    failures: Section<FailureCard<'a>>,
    unfinished: Section<TaskRow<'a>>,
}

/// The page in one line.
struct Headline {
    /// Whether somebody has to do something.
    bad: bool,
    up: usize,
    sources: usize,
    failures: u64,
    unfinished: u64,
}

/// Tasks of one kind.
struct Section<T> {
    total: u64,
    rows: Vec<T>,
}

impl<T> Section<T> {
    fn new<'a>(
        tasks: Tasks<'a>,
        limit: usize,
        row: impl Fn(usize, super::report::TaskReport<'a>) -> T,
    ) -> Self {
        let shown = tasks.shown.into_iter().take(limit).enumerate();
        Self {
            total: tasks.total,
            rows: shown.map(|(at, task)| row(at, task)).collect(),
        }
    }

    /// Whether there are more than are shown.
    fn is_cut(&self) -> bool {
        u64::try_from(self.rows.len()).is_ok_and(|shown| shown < self.total)
    }
}

/// The page as of the sight.
pub(super) fn write(sight: &Sight, look: &Look) -> askama::Result<String> {
    let status = sight.status();
    let limit = sight.query().limit.unwrap_or(TASKS);
    let up = |state: State| matches!(state, State::Up | State::Incomplete);
    let (failures, unfinished) = (sight.failures(), sight.unfinished());
    let headline = Headline {
        up: status
            .sources
            .iter()
            .filter(|source| up(source.state))
            .count(),
        bad: failures.total > 0
            || !status.config_loaded
            || status
                .sources
                .iter()
                .any(|source| !up(source.state) || !source.ledger_written),
        sources: status.sources.len(),
        failures: failures.total,
        unfinished: unfinished.total,
    };
    let page = StatusPage {
        style: STYLE,
        version: build_info::VERSION,
        look,
        time: text::rfc3339(sight.time()),
        headline,
        reload_failed: !status.config_loaded,
        narrowed: !sight.query().is_all(),
        sources: status
            .sources
            .into_iter()
            .map(|source| SourceCard::new(source, sight.time()))
            .collect(),
        withdrawn: sight.withdrawn().into_iter().map(Text).collect(),
        failures: Section::new(failures, limit, FailureCard::new),
        unfinished: Section::new(unfinished, limit, |_, task| TaskRow::new(task)),
    };
    page.render()
}

/// What the browser may load for the page: nothing, and its own style.
pub(super) fn policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).expect("Base64 is ASCII")
    });
    POLICY.clone()
}

#[cfg(test)]
mod tests;
