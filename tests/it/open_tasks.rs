use virt_task_exporter::simulator::{Resource, SimTask, SubTask, TaskError, TaskStatus};

use crate::support::{Bench, HeldClock, Page, day, task};

/// A task on a host that failed some seconds ago.
fn failed(id: &str, host: &str, clock: &HeldClock, ago: i64) -> SimTask {
    ended(id, host, TaskStatus::Failed, clock, ago)
}

fn ended(id: &str, host: &str, status: TaskStatus, clock: &HeldClock, ago: i64) -> SimTask {
    task(id)
        .created(clock.ago(ago + 60))
        .resource(Resource::new(host, "HOST").fqdn(format!("{host}.example")))
        .ended(status, clock.ago(ago))
}

#[track_caller]
fn unresolved(page: &Page, count: i32) {
    page.metric("virt_task_unresolved_failures")
        .with("operation", "UPGRADE")
        .is(count);
    page.metric("virt_open_task_info")
        .with("status", "failed")
        .sums_to(count);
}

#[tokio::test]
async fn a_failure_is_open_until_the_source_calls_it_resolved() {
    let mut bench = Bench::new().await;
    bench.sim.add(failed("t", "host-1", &bench.clock, 60));
    unresolved(&bench.poll().await, 1);
    bench.sim.change("t", |task, _| task.resolved = true);
    let page = bench.poll().await;
    unresolved(&page, 0);
    page.metric("virt_tasks").with("status", "failed").is(1);
    bench.sim.change("t", |task, _| task.resolved = false);
    let page = bench.poll().await;
    page.metric("virt_task_finished_total")
        .with("status", "failed")
        .is(0);
}

#[tokio::test]
async fn resolved_beside_anything_but_a_failure_means_nothing() {
    let mut bench = Bench::new().await;
    let mut running = task("t");
    running.resolved = true;
    bench.sim.add(running);
    let page = bench.poll().await;
    page.metric("virt_open_task_info")
        .with("status", "running")
        .is(1);
}

#[tokio::test]
async fn a_later_success_on_the_same_resources_resolves() {
    let mut bench = Bench::new().await;
    bench.sim.add(failed("t", "host-1", &bench.clock, 600));
    unresolved(&bench.poll().await, 1);
    // Others that resolve nothing: elsewhere, of another kind, begun earlier, or failed.
    bench.sim.add(ended(
        "elsewhere",
        "host-2",
        TaskStatus::Successful,
        &bench.clock,
        60,
    ));
    let mut other = ended("other", "host-1", TaskStatus::Successful, &bench.clock, 60);
    other.operation = Some("HOST_COMMISSION".to_owned());
    bench.sim.add(other);
    bench.sim.add(ended(
        "earlier",
        "host-1",
        TaskStatus::Successful,
        &bench.clock,
        700,
    ));
    bench.sim.add(ended(
        "cancelled",
        "host-1",
        TaskStatus::Cancelled,
        &bench.clock,
        60,
    ));
    unresolved(&bench.poll().await, 1);
    bench.sim.add(ended(
        "later",
        "host-1",
        TaskStatus::CompletedWithWarning,
        &bench.clock,
        60,
    ));
    for _ in 0..2 {
        unresolved(&bench.poll().await, 0);
    }
    // One that failed before a success that is already known is not open either.
    bench.sim.add(failed("late", "host-1", &bench.clock, 300));
    let page = bench.poll().await;
    unresolved(&page, 0);
    page.metric("virt_task_finished_total")
        .with("status", "failed")
        .sums_to(1);
}

#[tokio::test]
async fn without_a_type_or_resources_a_success_resolves_nothing() {
    let mut bench = Bench::new().await;
    for (id, status, ago) in [
        ("f", TaskStatus::Failed, 600),
        ("s", TaskStatus::Successful, 60),
    ] {
        let bare = |name: &str| {
            task(name)
                .created(bench.clock.ago(ago + 60))
                .ended(status, bench.clock.ago(ago))
        };
        bench.sim.add(bare(id));
        let mut untyped = bare(&format!("untyped-{id}")).resource(Resource::new("h", "HOST"));
        untyped.operation = None;
        bench.sim.add(untyped);
    }
    let page = bench.poll().await;
    page.metric("virt_task_unresolved_failures")
        .with("operation", "UPGRADE")
        .is(1);
    page.metric("virt_task_unresolved_failures")
        .with("operation", "unknown")
        .is(1);
}

#[tokio::test]
async fn a_retry_resolves() {
    let mut bench = Bench::new().await;
    bench.sim.add(failed("t", "host-1", &bench.clock, 60));
    unresolved(&bench.poll().await, 1);
    bench.sim.retry("t");
    unresolved(&bench.poll().await, 0);
    bench.clock.pass(5);
    bench.sim.fail("t", TaskError::new("CODE", "Again"));
    unresolved(&bench.poll().await, 1);
}

#[tokio::test]
async fn an_old_failure_is_open_no_longer() {
    let mut bench = Bench::configured("failure_open_for: 7d").await;
    bench.sim.add(failed("old", "host-1", &bench.clock, day(8)));
    bench.sim.add(failed("new", "host-2", &bench.clock, day(6)));
    unresolved(&bench.poll().await, 1);
    bench.clock.pass(day(1) + 1);
    let page = bench.poll().await;
    unresolved(&page, 0);
    page.metric("virt_tasks").with("status", "failed").is(2);
}

#[tokio::test]
async fn the_oldest_unfinished_and_the_newest_failures_have_series() {
    let mut bench = Bench::configured("max_open_tasks: 2\nmax_open_failures: 2").await;
    for number in 1..=5 {
        let ago = 1000 * number;
        let host = format!("host-{number}");
        bench
            .sim
            .add(task(&format!("r{number}")).created(bench.clock.ago(ago)));
        bench
            .sim
            .add(failed(&format!("f{number}"), &host, &bench.clock, ago));
    }
    let page = bench.poll().await;
    for id in ["r5", "r4", "f1", "f2"] {
        for family in [
            "info",
            "start_timestamp_seconds",
            "last_change_timestamp_seconds",
        ] {
            page.metric(&format!("virt_open_task_{family}"))
                .with("task_id", id)
                .stands(1);
        }
    }
    page.metric("virt_open_task_info").stands(4);
    page.metric("virt_open_task_end_timestamp_seconds")
        .stands(2);
    page.metric("virt_task_unresolved_failures").is(5);
    page.metric("virt_tasks").with("status", "running").is(5);
}

#[tokio::test]
async fn the_newest_ends_and_the_median_stay_when_the_tasks_are_gone() {
    let mut bench = Bench::new().await;
    for (id, took) in [("a", 10), ("b", 30), ("c", 20)] {
        let end = bench.clock.ago(100 + took);
        let start = bench.clock.ago(100 + 2 * took);
        bench
            .sim
            .add(task(id).created(start).ended(TaskStatus::Successful, end));
    }
    let page = bench.poll().await;
    page.metric("virt_task_typical_duration_seconds").is(20);
    page.metric("virt_task_last_duration_seconds")
        .with("status", "succeeded")
        .is(10);
    let newest = bench.clock.ago(110).as_second();
    let last = f64::from(u32::try_from(newest).unwrap());
    page.metric("virt_task_last_success_timestamp_seconds")
        .is(last);
    page.metric("virt_task_last_failure_timestamp_seconds")
        .is_absent();
    for id in ["a", "b", "c"] {
        bench.sim.remove(id);
    }
    let page = bench.poll().await;
    page.metric("virt_task_last_success_timestamp_seconds")
        .is(last);
    page.metric("virt_task_typical_duration_seconds").is(20);
}

#[tokio::test]
async fn progress_counts_leaves_and_not_stages() {
    let mut bench = Bench::new().await;
    let now = bench.clock.now();
    let parent = SubTask::new("Parent", now)
        .holding(SubTask::new("One", now).stage("a").stage("b"))
        .holding(SubTask::new("Two", now));
    let steps = task("t")
        .created(now)
        .sub_task(parent)
        .sub_task(SubTask::new("Three", now));
    bench
        .sim
        .add(steps.sub_task(SubTask::new("Four", now)).running());
    for finished in [0, 1, 2, 3] {
        let page = bench.poll().await;
        page.metric("virt_subtasks").sums_to(4);
        page.metric("virt_subtasks").with("status", "running").is(1);
        page.metric("virt_open_task_progress_ratio")
            .is(f64::from(finished) / 4.0);
        let change = page
            .metric("virt_open_task_last_change_timestamp_seconds")
            .value();
        let now = f64::from(u32::try_from(bench.clock.now().as_second()).unwrap());
        assert!((change - now).abs() < 1e-6, "{}", page.text());
        // What does not move keeps its time.
        bench.clock.pass(30);
        let page = bench.poll().await;
        page.metric("virt_open_task_last_change_timestamp_seconds")
            .is(change);
        bench.sim.advance("t");
    }
    bench
        .poll()
        .await
        .metric("virt_open_task_progress_ratio")
        .is_absent();
}
