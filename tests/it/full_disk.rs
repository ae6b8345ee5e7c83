use rustix::process::Signal;
use virt_task_exporter::simulator::TaskError;

use crate::support::{Bench, Page, Program, Scratch, options, task};

async fn world() -> (Bench, Scratch) {
    let mut options = options();
    options.clock_skew = None;
    let bench = Bench::real_time(options).await;
    let scratch = Scratch::source(&bench.url, "");
    (bench, scratch)
}

fn fail(bench: &Bench, id: &str) {
    bench.sim.add(task(id));
    bench.sim.fail(id, TaskError::new("CODE", "It failed"));
}

/// Waits until the gauges show so many failed tasks and, after that, at least
/// two further polls are over, whose commits failed or not.
async fn settles(program: &Program, failed: f64) -> Page {
    let shows = |page: &Page| {
        let found = page.metric("virt_tasks").with("status", "failed").sum();
        (found - failed).abs() < 0.5
    };
    let page = program
        .scraped(&format!("{failed} failed tasks"), shows)
        .await;
    let polls = |page: &Page| page.metric("virt_source_polls_total").sum();
    let before = polls(&page);
    let later = |page: &Page| polls(page) > before + 1.5;
    program.scraped("two further polls", later).await
}

fn counts(page: &Page, failures: i32) {
    page.metric("virt_task_failures_total").sums_to(failures);
    page.metric("virt_task_finished_total")
        .with("status", "failed")
        .sums_to(failures);
    let durations = page.metric("virt_task_duration_seconds_count");
    durations.with("status", "failed").sums_to(failures);
}

fn commit_failures(page: &Page) -> f64 {
    page.metric("virt_exporter_ledger_commit_failures_total")
        .value()
}

/// Whether the status page says that counters stand still.
async fn people_are_told(program: &Program) -> bool {
    let page = program.get("/").await.text().await.unwrap();
    let status = program.get("/api/v1/status").await.text().await.unwrap();
    let told = page.contains("Its ledger cannot be written");
    assert_eq!(
        told,
        status.contains("\"ledger_written\":false"),
        "{status}"
    );
    told
}

/// The log says once that it begins and once that it is over.
fn said(program: &Program, over: usize) {
    let errors = program.lines(&["level=error", "ledger", "stand still"]);
    assert_eq!(errors.len(), 1, "{:#?}", program.log());
    let ends = program.lines(&["can be written again"]);
    assert_eq!(ends.len(), over, "{:#?}", program.log());
}

#[tokio::test]
async fn counters_stand_still_on_a_full_disk_and_catch_up_after_it() {
    let (bench, scratch) = world().await;
    let program = scratch.serve_sturdy().await;
    settles(&program, 0.0).await;
    fail(&bench, "before");
    let page = settles(&program, 1.0).await;
    counts(&page, 1);
    assert!(commit_failures(&page) < 0.5);
    program.disk_takes(false);
    fail(&bench, "during");
    let page = settles(&program, 2.0).await;
    counts(&page, 1);
    assert!(commit_failures(&page) > 0.5);
    page.metric("virt_source_up").is(1);
    fail(&bench, "during too");
    counts(&settles(&program, 3.0).await, 1);
    said(&program, 0);
    assert!(people_are_told(&program).await);
    program.disk_takes(true);
    program.logged(&["can be written again"]).await;
    counts(&settles(&program, 3.0).await, 3);
    assert!(!people_are_told(&program).await);
    said(&program, 1);
    program.signal(Signal::TERM);
    assert_eq!(program.over().await.0.code(), Some(0));
    counts(&settles(&scratch.serve(&[]).await, 3.0).await, 3);
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_found_again_after_a_kill() {
    let (bench, scratch) = world().await;
    let program = scratch.serve_sturdy().await;
    settles(&program, 0.0).await;
    fail(&bench, "before");
    counts(&settles(&program, 1.0).await, 1);
    program.disk_takes(false);
    fail(&bench, "during");
    counts(&settles(&program, 2.0).await, 1);
    program.signal(Signal::KILL);
    program.over().await;
    // The disk is still full at the next start, and then it is not.
    let program = scratch.serve_on_full_disk().await;
    counts(&settles(&program, 2.0).await, 1);
    program.disk_takes(true);
    program.logged(&["can be written again"]).await;
    counts(&settles(&program, 2.0).await, 2);
}

#[tokio::test]
async fn a_first_start_on_a_full_disk_serves_and_counts_later() {
    let (bench, scratch) = world().await;
    fail(&bench, "history");
    let program = scratch.serve_on_full_disk().await;
    let page = settles(&program, 1.0).await;
    page.metric("virt_task_failures_total").is_absent();
    fail(&bench, "during");
    let page = settles(&program, 2.0).await;
    page.metric("virt_task_failures_total").is_absent();
    assert!(commit_failures(&page) > 0.5);
    page.metric("virt_exporter_ledger_size_bytes").is_absent();
    said(&program, 0);
    program.disk_takes(true);
    program.logged(&["can be written again"]).await;
    let page = settles(&program, 2.0).await;
    counts(&page, 1);
    assert!(page.metric("virt_exporter_ledger_size_bytes").value() > 0.5);
}
