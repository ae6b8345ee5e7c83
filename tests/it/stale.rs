use std::time::Duration;

use tokio::time::Instant;
use virt_task_exporter::metrics::TextFormat;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, TaskError};

use crate::support::{Bench, Page, Scratch, options, task};

/// What is withdrawn, by the beginning of its name.
const STATE: [&str; 5] = [
    "virt_tasks",
    "virt_subtasks",
    "virt_task_unresolved_failures",
    "virt_task_oldest_start_timestamp_seconds",
    "virt_open_task_",
];

fn at(bench: &Bench, later: Duration) -> Page {
    let now = Instant::now() + later;
    Page::read(&bench.watch.text(TextFormat::Classic, now))
}

#[tokio::test]
async fn state_is_withdrawn_and_what_was_counted_stays() {
    let mut bench = Bench::configured("stale_after: 10m").await;
    for id in ["runs", "fails", "ends"] {
        bench.sim.add(task(id));
    }
    bench.poll().await;
    bench.sim.fail("fails", TaskError::new("CODE", "no"));
    bench.clock.pass(60);
    bench.sim.succeed("ends");
    let fresh = bench.poll().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Dropped));
    bench.fail().await;
    let almost = at(&bench, Duration::from_secs(595));
    let stale = at(&bench, Duration::from_secs(601));
    for prefix in STATE {
        assert!(!fresh.family(prefix, &[]).is_empty(), "{prefix}");
        assert_eq!(
            fresh.family(prefix, &[]),
            almost.family(prefix, &[]),
            "{prefix}"
        );
        assert!(stale.family(prefix, &[]).is_empty(), "{prefix}");
    }
    for prefix in [
        "virt_task_started",
        "virt_task_finished",
        "virt_task_failures",
        "virt_task_last_",
        "virt_task_typical",
        "virt_task_duration",
        "virt_task_vanished",
    ] {
        assert!(!stale.family(prefix, &[]).is_empty(), "{prefix}");
        assert_eq!(
            fresh.family(prefix, &[]),
            stale.family(prefix, &[]),
            "{prefix}"
        );
    }
    stale.metric("virt_source_up").is(0);
    stale
        .metric("virt_source_last_success_timestamp_seconds")
        .stands(1);
    bench.sim.clear_faults();
    let back = bench.poll().await;
    assert_eq!(back.tasks(), fresh.tasks());
}

#[tokio::test]
async fn a_source_that_never_answered_has_no_state() {
    let mut bench = Bench::new().await;
    bench.watch.page().metric("virt_source_up").is_absent();
    bench.watch.page().metric("virt_source_info").is(1);
    bench
        .watch
        .page()
        .metric("virt_source_poll_failures_total")
        .sums_to(0);
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Dropped));
    bench.fail().await;
    let page = bench.watch.page();
    page.metric("virt_source_up").is(0);
    page.metric("virt_tasks").is_absent();
    page.metric("virt_source_last_success_timestamp_seconds")
        .is_absent();
    page.metric("virt_source_listing_complete").is_absent();
}

#[tokio::test]
async fn a_dead_source_disturbs_no_other() {
    let real = || {
        let mut options = options();
        options.clock_skew = None;
        options
    };
    let (dead, alive) = (
        Bench::real_time(real()).await,
        Bench::real_time(real()).await,
    );
    dead.sim.add(task("of-the-dead"));
    alive.sim.add(task("of-the-living"));
    let source = |name: &str, bench: &Bench, keys: &str| {
        format!(
            "  - {{name: {name}, system: sddc_manager, url: '{}', username: administrator@vsphere.local, password: VMware123!{keys}}}\n",
            bench.url
        )
    };
    // A busy machine makes no dead one of the other.
    let text = format!(
        "global: {{poll_interval: 100ms, counter_birth_hold: 0s}}\nsources:\n{}{}",
        source(
            "dead",
            &dead,
            ", stale_after: 500ms, request_timeout: 300ms"
        ),
        source("alive", &alive, "")
    );
    let program = Scratch::new(&text).serve(&[]).await;
    program
        .scraped("both", |page| page.metric("virt_source_up").sum() > 1.5)
        .await;
    let slow = FaultKind::SlowHead(Duration::from_secs(3600));
    dead.sim.inject(Fault::new(Endpoint::Any, slow));
    let withdrawn = |page: &Page| {
        let of_the_dead = |name| page.metric(name).with("source", "dead").sum();
        of_the_dead("virt_open_task_info") < 0.5 && of_the_dead("virt_source_up") < 0.5
    };
    let page = program.scraped("the withdrawal", withdrawn).await;
    page.metric("virt_source_up").with("source", "dead").is(0);
    page.metric("virt_task_started_total")
        .with("source", "dead")
        .is(1);
    page.metric("virt_tasks").with("source", "dead").is_absent();
    page.metric("virt_source_up").with("source", "alive").is(1);
    page.metric("virt_open_task_info")
        .with("source", "alive")
        .is(1);
    alive.sim.succeed("of-the-living");
    let counted = |page: &Page| {
        page.metric("virt_task_finished_total")
            .with("source", "alive")
            .sum()
            > 0.5
    };
    program
        .scraped("the end of the living one's task", counted)
        .await;
}
