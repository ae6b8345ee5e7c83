use rstest::rstest;
use virt_task_exporter::simulator::{Resource, SimTask, SubTask, TaskError, TaskStatus};

use crate::support::{Bench, HeldClock, Page, day, options, task};

fn error(code: &str) -> TaskError {
    TaskError::new(code, "It failed")
}

#[track_caller]
fn finished(page: &Page, status: &str, count: i32) {
    page.metric("virt_task_finished_total")
        .with("status", status)
        .sums_to(count);
}

/// A task of an operation on a host that ended some seconds ago, after a minute.
fn ended(id: &str, status: TaskStatus, clock: &HeldClock, ago: i64) -> SimTask {
    task(id)
        .created(clock.ago(ago + 60))
        .resource(Resource::new("host-1", "HOST"))
        .ended(status, clock.ago(ago))
}

#[tokio::test]
async fn history_is_shown_and_not_counted() {
    let mut bench = Bench::new().await;
    for (id, status) in [
        ("s", TaskStatus::Successful),
        ("w", TaskStatus::CompletedWithWarning),
        ("f", TaskStatus::Failed),
        ("c", TaskStatus::Cancelled),
        ("k", TaskStatus::Skipped),
    ] {
        let task = ended(id, status, &bench.clock, 600).resource(Resource::new(id, "HOST"));
        bench.sim.add(task);
    }
    for _ in 0..2 {
        let page = bench.poll().await;
        for status in ["succeeded", "warning", "failed", "cancelled", "skipped"] {
            page.metric("virt_tasks").with("status", status).is(1);
            page.metric("virt_task_finished_total")
                .with("status", status)
                .is(0);
        }
        page.metric("virt_tasks").stands(9);
        page.metric("virt_task_started_total").is(0);
        page.metric("virt_task_failures_total").is_absent();
        page.metric("virt_task_duration_seconds_count").is_absent();
        page.metric("virt_task_unresolved_failures").is(1);
        page.metric("virt_task_typical_duration_seconds").is(60);
        page.metric("virt_task_last_duration_seconds")
            .with("status", "failed")
            .is(60);
    }
}

#[tokio::test]
async fn a_task_unfinished_at_the_baseline_that_fails_counts_once() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    let page = bench.poll().await;
    page.metric("virt_task_started_total").is(1);
    bench.clock.pass(90);
    bench.sim.fail("t", error("CODE"));
    for _ in 0..3 {
        let page = bench.poll().await;
        finished(&page, "failed", 1);
        page.metric("virt_task_started_total").is(1);
        page.metric("virt_task_failures_total")
            .with("error_code", "CODE")
            .is(1);
        page.metric("virt_task_duration_seconds_count")
            .with("status", "failed")
            .is(1);
        page.metric("virt_task_duration_seconds_sum")
            .with("status", "failed")
            .is(90);
        page.metric("virt_tasks").sums_to(1);
        bench.clock.pass(30);
    }
}

#[tokio::test]
async fn a_task_that_comes_and_ends_between_polls_counts_whole() {
    let mut bench = Bench::new().await;
    bench.poll().await;
    bench
        .sim
        .add(ended("t", TaskStatus::Successful, &bench.clock, 5));
    let page = bench.poll().await;
    finished(&page, "succeeded", 1);
    page.metric("virt_task_started_total").is(1);
    page.metric("virt_task_duration_seconds_sum").is(60);
}

#[rstest]
#[case::seen(true)]
#[case::unseen(false)]
#[tokio::test]
async fn a_retry_that_fails_again_is_a_second_failure(#[case] seen: bool) {
    let mut bench = Bench::new().await;
    bench.sim.add(
        task("t")
            .sub_task(SubTask::new("Step", bench.clock.now()))
            .running(),
    );
    bench.poll().await;
    bench.sim.fail("t", error("CODE"));
    bench.poll().await;
    bench.clock.pass(10);
    assert!(bench.sim.retry("t"));
    if seen {
        let page = bench.poll().await;
        page.metric("virt_task_unresolved_failures").is(0);
        page.metric("virt_tasks").with("status", "running").is(1);
    }
    bench.clock.pass(10);
    bench.sim.fail("t", error("CODE"));
    let page = bench.poll().await;
    finished(&page, "failed", 2);
    page.metric("virt_task_failures_total")
        .with("error_code", "CODE")
        .is(2);
    page.metric("virt_subtask_failures_total")
        .with("subtask", "Step")
        .is(2);
    page.metric("virt_task_started_total").is(1);
    page.metric("virt_task_unresolved_failures").is(1);
    bench.clock.pass(10);
    assert!(bench.sim.retry("t"));
    bench.sim.succeed("t");
    let page = bench.poll().await;
    finished(&page, "failed", 2);
    finished(&page, "succeeded", 1);
    page.metric("virt_task_unresolved_failures").is(0);
}

#[tokio::test]
async fn a_stale_completion_time_of_a_running_retry_ends_nothing() {
    let mut options = options();
    options.stale_completion = true;
    let mut bench = Bench::with("", options).await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench.sim.fail("t", error("CODE"));
    bench.poll().await;
    bench.clock.pass(10);
    bench.sim.retry("t");
    assert!(bench.sim.task("t").unwrap().completed.is_some());
    let page = bench.poll().await;
    page.metric("virt_tasks").with("status", "running").is(1);
    page.metric("virt_open_task_end_timestamp_seconds")
        .is_absent();
    bench.clock.pass(10);
    bench.sim.fail("t", error("CODE"));
    finished(&bench.poll().await, "failed", 2);
}

#[tokio::test]
async fn a_retry_with_more_sub_tasks_counts_each_failed_place_once_an_episode() {
    let mut bench = Bench::new().await;
    let now = bench.clock.now();
    let mut failing = task("t").sub_task(SubTask::new("First", now)).running();
    failing.added_by_retry = vec![SubTask::new("Added", now)];
    bench.sim.add(failing);
    bench.poll().await;
    bench.sim.fail("t", error("CODE"));
    bench.poll().await;
    bench.clock.pass(10);
    bench.sim.retry("t");
    let page = bench.poll().await;
    page.metric("virt_subtasks").sums_to(2);
    bench.sim.advance("t");
    bench.sim.fail("t", error("CODE"));
    for _ in 0..2 {
        let page = bench.poll().await;
        page.metric("virt_subtask_failures_total")
            .with("subtask", "First")
            .is(1);
        page.metric("virt_subtask_failures_total")
            .with("subtask", "Added")
            .is(1);
        page.metric("virt_open_task_info")
            .with("failed_subtask", "Added")
            .is(1);
        finished(&page, "failed", 2);
    }
}

#[tokio::test]
async fn a_list_that_goes_back_in_time_counts_nothing_twice() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("a"));
    bench.sim.add(task("b"));
    bench.poll().await;
    let backup = bench.sim.snapshot();
    bench.clock.pass(60);
    bench.sim.fail("a", error("CODE"));
    bench.sim.succeed("b");
    bench.sim.add(task("c"));
    bench.sim.succeed("c");
    let before = bench.poll().await;
    finished(&before, "failed", 1);
    finished(&before, "succeeded", 2);
    // The restored one lists both as running again, and knows nothing of the third.
    bench.sim.restore_from(backup);
    let page = bench.poll().await;
    page.metric("virt_tasks").with("status", "running").is(2);
    finished(&page, "failed", 1);
    finished(&page, "succeeded", 2);
    page.metric("virt_task_started_total").is(3);
    page.metric("virt_task_vanished_total").is(0);
}

#[tokio::test]
async fn old_tasks_that_a_restored_list_shows_again_are_not_counted_again() {
    let mut bench = Bench::new().await;
    bench.poll().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench.sim.fail("t", error("CODE"));
    bench.poll().await;
    let backup = bench.sim.snapshot();
    bench.sim.remove("t");
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(0);
    page.metric("virt_task_unresolved_failures").is(0);
    bench.clock.pass(day(29));
    bench.poll().await;
    bench.sim.restore_from(backup);
    let page = bench.poll().await;
    page.metric("virt_tasks").with("status", "failed").is(1);
    finished(&page, "failed", 1);
    page.metric("virt_task_started_total").is(1);
    page.metric("virt_task_vanished_total").is(0);
}

#[tokio::test]
async fn an_entry_leaves_after_the_retention_and_its_task_is_history_then() {
    let mut bench = Bench::configured("ledger_retention: 30m").await;
    bench.poll().await;
    bench.sim.add(task("t"));
    bench.sim.fail("t", error("CODE"));
    bench.poll().await;
    let backup = bench.sim.snapshot();
    bench.sim.remove("t");
    bench
        .poll()
        .await
        .metric("virt_exporter_ledger_entries")
        .is(1);
    bench.clock.pass(31 * 60);
    let page = bench.poll().await;
    page.metric("virt_exporter_ledger_entries").is(0);
    page.metric("virt_task_last_failure_timestamp_seconds")
        .stands(1);
    bench.sim.restore_from(backup);
    let page = bench.poll().await;
    finished(&page, "failed", 1);
    page.metric("virt_task_started_total").is(1);
}

#[rstest]
#[case::unknown_and_back(TaskStatus::Failed, "failed")]
#[case::success(TaskStatus::Successful, "succeeded")]
#[tokio::test]
async fn an_outcome_that_turns_unknown_and_back_is_one_episode(
    #[case] status: TaskStatus,
    #[case] label: &str,
) {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench.sim.set_status("t", status);
    let before = bench.sim.task("t").unwrap();
    bench.poll().await;
    bench.sim.set_status("t", TaskStatus::Other("BOILING"));
    let page = bench.poll().await;
    page.metric("virt_tasks").with("status", "unknown").is(1);
    bench.sim.change("t", |task, _| *task = before);
    let page = bench.poll().await;
    finished(&page, label, 1);
    page.metric("virt_tasks").with("status", label).is(1);
}
