use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Request;
use tokio::sync::watch;

use super::*;
use crate::clock::Clock;
use crate::ledger::{Faults, KeptLedger, Limits};
use crate::metrics::{Exporter, SourceFacts, SourcePage, SourceView};
use crate::reload;
use crate::sources::Health;
use crate::sources::rest::Traffic;
use crate::web::{Lineup, Site};

const LIMITS: Limits = Limits {
    retention: Duration::ZERO,
    failure_open_for: Duration::ZERO,
    birth_hold: Duration::ZERO,
    operations: 1,
    subtask_names: 1,
    error_codes: 1,
};

/// The page of a source that was polled with success, and its faults.
fn source(name: &str, clock: &Clock) -> (SourcePage, Faults) {
    let kept = KeptLedger::in_memory(LIMITS);
    let mut health = Health::default();
    health.succeeded(clock.now());
    let page = SourcePage::new(SourceView {
        facts: &SourceFacts {
            name: name.to_owned(),
            system: "virtshell",
            url: "http://a".to_owned(),
            stale_after: Duration::from_secs(60),
            max_open_tasks: 1,
            max_open_failures: 1,
            retry_call: None,
        },
        kept: &kept,
        health: &health,
        traffic: &Traffic::default(),
        clock_skew: None,
    });
    (page, kept.faults)
}

#[tokio::test]
async fn a_source_whose_lines_cannot_be_written_is_down_and_the_others_are_served() {
    let clock = Clock::system();
    let (a, faults) = source("a", &clock);
    let (b, _) = source("b", &clock);
    let pages = [a, b].map(|page| watch::channel(Arc::new(page)).1);
    let lineup = Lineup {
        sources: pages.into(),
        exporter: Exporter::alone(clock.now()),
        was_ready: true,
    };
    let (_sender, lineup) = watch::channel(Arc::new(lineup));
    let (reloader, _requests) = reload::channel();
    let site = Site::new("/metrics", lineup, reloader, clock, 0);
    faults.at(&["write"]);
    let request = Request::builder().uri("/metrics").body(()).unwrap();
    let answer = site.answer(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body);
    assert!(faults.are_over());
    for line in [
        "virt_source_up{source=\"a\"} 0\n",
        "virt_exporter_poller_panics_total{source=\"a\"} 1\n",
        "virt_source_up{source=\"b\"} 1\n",
        "virt_exporter_poller_panics_total{source=\"b\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}
