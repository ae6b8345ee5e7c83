use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use virt_task_exporter::simulator::{SimTask, SubTask, TaskError};

use crate::support::{Bench, HeldClock, Page, Stub, Watch, json, task};

#[tokio::test]
async fn further_operations_fold_into_other_and_nothing_is_lost() {
    let mut bench =
        Bench::configured("max_operations: 3\nmax_error_codes: 2\nmax_subtask_names: 1").await;
    bench.poll().await;
    for number in 0..10 {
        let step = SubTask::new(format!("Step{number}"), bench.clock.now());
        let id = format!("t{number}");
        let task = SimTask::new(format!("OP_{number}"), "x")
            .id(&id)
            .sub_task(step);
        bench.sim.add(task.created(bench.clock.now()).running());
        bench
            .sim
            .fail(&id, TaskError::new(format!("CODE_{number}"), "no"));
    }
    let page = bench.poll().await;
    page.metric("virt_tasks").stands(4 * 9);
    page.metric("virt_tasks").sums_to(10);
    page.metric("virt_tasks")
        .with("operation", "other")
        .sums_to(7);
    page.metric("virt_task_finished_total")
        .with("operation", "other")
        .sums_to(7);
    page.metric("virt_task_failures_total").sums_to(10);
    page.metric("virt_task_failures_total")
        .with("error_code", "other")
        .sums_to(8);
    page.metric("virt_subtask_failures_total")
        .with("subtask", "other")
        .sums_to(9);
    page.metric("virt_source_folded_label_values")
        .with("label", "operation")
        .is(7);
    page.metric("virt_source_folded_label_values")
        .with("label", "error_code")
        .is(8);
    page.metric("virt_source_folded_label_values")
        .with("label", "subtask")
        .is(9);
    let again = bench.poll().await;
    assert_eq!(page.tasks(), again.tasks());
}

#[tokio::test]
async fn the_code_is_the_tasks_own_else_that_of_where_it_failed() {
    let nested = r#"{"message":"outer","nestedErrors":[{"errorCode":"INNER"}]}"#;
    let step = |errors: &str, below: &str| {
        format!(r#"{{"name":"Step","status":"FAILED","errors":[{errors}],"subTasks":[{below}]}}"#)
    };
    let deepest = r#"{"name":"Deepest","status":"FAILED","errors":[{"errorCode":"DEEPEST"}]}"#;
    let rows = [
        (
            "OWN",
            r#"[{"errorCode":"OWN"},{"errorCode":"SECOND"}]"#,
            step(r#"{"errorCode":"STEP"}"#, ""),
            "Step",
        ),
        (
            "INNER",
            &format!("[{nested}]"),
            step(r#"{"errorCode":"STEP"}"#, ""),
            "Step",
        ),
        ("STEP", "[]", step(r#"{"errorCode":"STEP"}"#, ""), "Step"),
        ("INNER", "null", step(nested, ""), "Step"),
        (
            "DEEPEST",
            "[]",
            step(r#"{"errorCode":"STEP"}"#, deepest),
            "Deepest",
        ),
        ("", "[]", step("", ""), "Step"),
    ];
    for (code, errors, step, place) in rows {
        let task = format!(
            r#"{{"id":"t","type":"UPGRADE","status":"FAILED","errors":{errors},"subTasks":[{step}]}}"#
        );
        let listed = AtomicBool::new(false);
        let stub = Stub::new(move |_| {
            let first = !listed.swap(true, SeqCst);
            let task = if first { "" } else { &task };
            json(&format!(r#"{{"elements":[{task}]}}"#))
        })
        .await;
        let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
        watch.poll().await;
        let page = watch.poll().await;
        page.metric("virt_task_failures_total")
            .with("error_code", code)
            .is(1);
        page.metric("virt_task_failures_total").stands(1);
        page.metric("virt_subtask_failures_total")
            .with("subtask", place)
            .is(1);
        page.metric("virt_subtask_failures_total").stands(1);
        let info = page.metric("virt_open_task_info");
        info.clone()
            .with("error_code", code)
            .with("failed_subtask", place)
            .is(1);
    }
}

#[tokio::test]
async fn what_limits_leave_out_is_said() {
    let mut bench = Bench::configured("max_open_tasks: 2\nmax_open_failures: 1").await;
    let over = |page: &Page, limit: &str, over: u32| {
        let metric = page.metric("virt_source_over_limit");
        metric.with("limit", limit).is(over);
    };
    let page = bench.poll().await;
    for limit in ["listing", "label_length", "open_tasks", "open_failures"] {
        over(&page, limit, 0);
    }
    for number in 0..5 {
        bench.sim.add(task(&format!("t{number}")));
    }
    let long = SimTask::new("UPGRADE", "é".repeat(101)).id("long");
    bench.sim.add(long.created(bench.clock.now()).running());
    for id in ["t0", "t1", "t2"] {
        bench.sim.fail(id, TaskError::new("CODE", "no"));
    }
    let page = bench.poll().await;
    over(&page, "open_tasks", 1);
    over(&page, "open_failures", 2);
    page.metric("virt_open_task_info").stands(3);
    bench.sim.remove("t3");
    bench.sim.remove("t4");
    let page = bench.poll().await;
    over(&page, "open_tasks", 0);
    over(&page, "label_length", 1);
}
