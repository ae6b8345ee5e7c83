use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, TaskError};

use crate::support::{Bench, HeldClock, Stub, Watch, answer, json, task};

#[tokio::test]
async fn an_unfinished_task_vanishes_once_when_not_even_its_id_is_known() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench.sim.remove("t");
    bench
        .sim
        .inject(Fault::new(Endpoint::Task, FaultKind::Status(500)));
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_source_up").is(1);
        page.metric("virt_task_vanished_total").is(0);
        page.metric("virt_tasks").with("status", "running").is(1);
    }
    bench.sim.clear_faults();
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_task_vanished_total").is(1);
        page.metric("virt_tasks").sums_to(0);
        page.metric("virt_open_task_info").is_absent();
    }
    bench
        .watch
        .page()
        .metric("virt_task_finished_total")
        .sums_to(0);
}

#[tokio::test]
async fn a_task_that_is_known_by_its_id_alone_ends_as_that_says() {
    let hidden = r#"{"elements":[]}"#;
    let by_id = r#"{"id":"t","type":"UPGRADE","status":"SUCCESSFUL"}"#;
    let listed = r#"{"elements":[{"id":"t","type":"UPGRADE","status":"IN_PROGRESS"}]}"#;
    let first = AtomicBool::new(true);
    let stub = Stub::new(move |line| {
        if line.starts_with("GET /v1/tasks/t ") {
            json(by_id)
        } else if first.swap(false, SeqCst) {
            json(listed)
        } else {
            json(hidden)
        }
    })
    .await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    watch.poll().await;
    for _ in 0..3 {
        let page = watch.poll().await;
        page.metric("virt_task_finished_total")
            .with("status", "succeeded")
            .is(1);
        page.metric("virt_task_vanished_total").is(0);
    }
}

#[tokio::test]
async fn many_missing_tasks_are_looked_for_in_turn_and_none_is_lost() {
    let mut bench = Bench::new().await;
    for number in 0..50 {
        bench.sim.add(task(&format!("t{number}")));
    }
    bench.poll().await;
    for number in 0..50 {
        bench.sim.remove(&format!("t{number}"));
    }
    for vanished in [20, 40, 50, 50] {
        let page = bench.poll().await;
        page.metric("virt_task_vanished_total").is(vanished);
        page.metric("virt_tasks").sums_to(50 - vanished);
    }
}

#[tokio::test]
async fn one_task_that_cannot_be_read_by_id_does_not_keep_the_others() {
    let ids: Vec<_> = (0..30).map(|number| format!("t{number}")).collect();
    let element =
        |id: &String| format!(r#"{{"id":"{id}","type":"UPGRADE","status":"IN_PROGRESS"}}"#);
    let elements = ids.iter().map(element).collect::<Vec<_>>().join(",");
    let listed = format!(r#"{{"elements":[{elements}]}}"#);
    let first = AtomicBool::new(true);
    let stub = Stub::new(move |line| {
        if line.starts_with("GET /v1/tasks/t7 ") {
            answer("500 Internal Server Error", "", "")
        } else if line.starts_with("GET /v1/tasks/") {
            answer("404 Not Found", "", "")
        } else if first.swap(false, SeqCst) {
            json(&listed)
        } else {
            json(r#"{"elements":[]}"#)
        }
    })
    .await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    watch.poll().await;
    for _ in 0..10 {
        watch.poll().await;
    }
    let page = watch.page();
    page.metric("virt_task_vanished_total").is(29);
    page.metric("virt_tasks").with("status", "running").is(1);
}

#[tokio::test]
async fn a_vanished_task_that_comes_back_and_fails_counts_its_failure() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    let listed = bench.sim.snapshot();
    bench.sim.remove("t");
    bench.poll().await.metric("virt_task_vanished_total").is(1);
    bench.sim.restore_from(listed);
    let page = bench.poll().await;
    page.metric("virt_tasks").with("status", "running").is(1);
    page.metric("virt_task_started_total").is(1);
    bench.sim.fail("t", TaskError::new("CODE", "It failed"));
    let page = bench.poll().await;
    page.metric("virt_task_failures_total")
        .with("error_code", "CODE")
        .is(1);
    page.metric("virt_task_vanished_total").is(1);
}
