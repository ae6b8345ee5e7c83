//! What counts over the life of a vCenter's task, once.

use std::time::Duration;

use virt_task_exporter::simulator::{
    Endpoint, VcError, VcStatus, VcTask, VcWorkload, VcenterOptions,
};

use crate::support::{CLONE, VcBench, clone};

#[tokio::test]
async fn a_task_counts_once_from_its_birth_to_its_failure() {
    let mut bench = VcBench::new().await;
    bench.poll().await;
    let id = bench.sim.add(clone("a"));
    bench
        .poll()
        .await
        .metric("virt_task_started_total")
        .with("operation", CLONE)
        .is(1);
    bench.sim.begin(&id);
    bench.clock.pass(30);
    bench.sim.progress(&id, 50);
    bench
        .poll()
        .await
        .metric("virt_tasks")
        .with("status", "running")
        .sums_to(1);
    bench
        .sim
        .fail(&id, VcError::new("RESOURCE_BUSY", "It is in use"));
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_task_started_total")
            .with("operation", CLONE)
            .is(1);
        page.metric("virt_task_failures_total")
            .with("error_code", "RESOURCE_BUSY")
            .is(1);
        page.metric("virt_task_finished_total").sums_to(1);
        page.metric("virt_task_duration_seconds_sum")
            .with("status", "failed")
            .is(30);
    }
}

#[tokio::test]
async fn the_first_poll_shows_history_and_counts_none_of_it() {
    let mut bench = VcBench::new().await;
    bench.sim.history(200);
    let page = bench.poll().await;
    assert!(page.metric("virt_tasks").sum() >= 200.0);
    page.metric("virt_task_finished_total").sums_to(0);
    page.metric("virt_task_started_total").sums_to(0);
}

#[tokio::test]
async fn a_cancelled_task_is_no_failure() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.sim.cancel(&id);
    let page = bench.poll().await;
    page.metric("virt_task_finished_total")
        .with("status", "cancelled")
        .sums_to(1);
    page.metric("virt_task_finished_total")
        .with("status", "failed")
        .sums_to(0);
    page.metric("virt_task_failures_total").sums_to(0);
    page.metric("virt_task_unresolved_failures").sums_to(0);
}

#[tokio::test]
async fn a_task_that_ends_and_is_forgotten_between_polls_has_vanished() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.sim.succeed(&id);
    bench.sim.remove(&id);
    let before = bench.sim.request_count();
    let page = bench.poll().await;
    page.metric("virt_task_vanished_total")
        .with("operation", CLONE)
        .is(1);
    page.metric("virt_task_finished_total").sums_to(0);
    let requests = bench.sim.requests();
    let by_id = requests
        .iter()
        .skip(before)
        .filter(|request| request.endpoint == Endpoint::Task);
    assert_eq!(by_id.count(), 1, "it was looked for by its id");
    bench
        .poll()
        .await
        .metric("virt_task_vanished_total")
        .sums_to(1);
}

#[tokio::test]
async fn a_waiting_task_that_its_provider_did_not_accept_vanishes() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a"));
    bench.poll().await;
    bench.sim.remove(&id);
    bench
        .poll()
        .await
        .metric("virt_task_vanished_total")
        .sums_to(1);
}

#[tokio::test]
async fn retention_at_the_source_takes_nothing_from_the_counts() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.sim.fail(&id, VcError::new("ERROR", "x"));
    bench.poll().await;
    bench.sim.remove(&id);
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(0);
    page.metric("virt_task_failures_total").sums_to(1);
    page.metric("virt_task_vanished_total").sums_to(0);
    assert!(
        page.metric("virt_task_last_failure_timestamp_seconds")
            .sum()
            > 0.0
    );
}

#[tokio::test]
async fn a_task_that_moves_on_between_two_calls_is_not_missed() {
    for dialect in ["rest", "api"] {
        let mut bench = VcBench::with(&format!("dialect: {dialect}"), |_| {}).await;
        for operation in ["clone", "relocate"] {
            for number in 0..600 {
                let task = VcTask::new("com.vmware.vcenter.VM", operation);
                bench
                    .sim
                    .add(task.id(format!("{operation}-{number}")).succeeded());
            }
        }
        let ids = ["x", "y", "z"].map(|name| bench.sim.add(clone(name)));
        bench.poll().await;
        bench.poll().await;
        // With every call of the poll, one of them goes a step further.
        let (begins, fails, succeeds) = (ids[0].clone(), ids[1].clone(), ids[2].clone());
        bench.sim.on_list(move |sim, number| match number % 3 {
            0 => sim.begin(&begins),
            1 => sim.succeed(&succeeds),
            _ => sim.fail(&fails, VcError::new("ERROR", "x")),
        });
        for _ in 0..3 {
            let page = bench.poll().await;
            page.metric("virt_task_vanished_total").sums_to(0);
            page.metric("virt_source_listing_complete").is(1);
        }
        let page = bench.watch.page();
        page.metric("virt_task_finished_total")
            .with("status", "failed")
            .sums_to(1);
        page.metric("virt_task_finished_total")
            .with("status", "succeeded")
            .sums_to(1);
        page.metric("virt_tasks")
            .with("status", "running")
            .sums_to(1);
        page.metric("virt_tasks").sums_to(1203);
    }
}

#[tokio::test]
async fn the_counts_are_those_of_a_busy_vcenter() {
    // As the runtime for Go does, with some polls in that time.
    let forgets = |options: &mut VcenterOptions| {
        options.retention = Some(Duration::from_secs(7 * 60));
    };
    let mut bench = VcBench::with("", forgets).await;
    bench.sim.history(300);
    bench.poll().await;
    bench.sim.set_workload(Some(VcWorkload {
        rate: 30.0,
        ..VcWorkload::default()
    }));
    for _ in 0..150 {
        for _ in 0..5 {
            bench.clock.pass(3);
            bench.sim.tick();
        }
        bench.poll().await;
    }
    let (page, totals) = (bench.poll().await, bench.sim.totals());
    assert!(totals.ended(VcStatus::Failed) > 3 && totals.ended(VcStatus::Succeeded) > 50);
    for (operation, count) in &totals.started {
        let started = page
            .metric("virt_task_started_total")
            .with("operation", operation);
        started.is(u32::try_from(*count).unwrap());
    }
    let failures = |kind: &str| -> u64 {
        let of_kind = totals.failures.iter().filter(|((_, each), _)| each == kind);
        of_kind.map(|(_, count)| count).sum()
    };
    let cancelled = failures("CANCELED");
    let count = |count: u64| u32::try_from(count).unwrap();
    let finished = |status| {
        page.metric("virt_task_finished_total")
            .with("status", status)
    };
    finished("succeeded").sums_to(count(totals.ended(VcStatus::Succeeded)));
    finished("cancelled").sums_to(count(cancelled));
    finished("failed").sums_to(count(totals.ended(VcStatus::Failed) - cancelled));
    page.metric("virt_task_vanished_total").sums_to(0);
}
