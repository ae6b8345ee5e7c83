//! VirtShells: both shapes of their list, and what counts over a task's life.

use std::time::Duration;

use rstest::rstest;
use virt_task_exporter::simulator::{
    VirtShellOptions, VsAuth, VsOutcome, VsShape, VsTask, VsWorkload,
};
use virt_task_exporter::sources::Reason;

use crate::support::{HeldClock, Stub, VsBench, answer, watch};

const CREATE: &str = "create_instance";

fn documented(options: &mut VirtShellOptions) {
    options.shape = VsShape::Documented;
    options.prefix = "/api/virtshell/v1".to_owned();
}

/// A uuid; `/tasks/` takes another word behind it for a status.
fn uuid(name: u32) -> String {
    format!("0f7b2a90-0000-4000-8000-{name:012}")
}

fn task(name: u32) -> VsTask {
    VsTask::new(CREATE).uuid(uuid(name)).status("pending")
}

#[tokio::test]
async fn the_real_server_is_read_without_any_duration() {
    let mut bench = VsBench::new().await;
    bench.poll().await;
    let id = bench.sim.add(task(1));
    bench
        .poll()
        .await
        .metric("virt_task_started_total")
        .with("operation", CREATE)
        .is(1);
    for word in [
        "dispatching",
        "dispatched",
        "received",
        "setting up",
        "creating",
        "created",
    ] {
        bench.clock.pass(20);
        bench.sim.set_status(&id, word, "x");
        let page = bench.poll().await;
        page.metric("virt_tasks").with("status", "running").is(1);
        page.metric("virt_task_unknown_status_total").is(0);
    }
    bench.sim.set_status(&id, "provisioned", "");
    for _ in 0..2 {
        let page = bench.poll().await;
        page.metric("virt_task_finished_total")
            .with("status", "succeeded")
            .is(1);
        page.metric("virt_task_duration_seconds_count").is_absent();
        page.metric("virt_task_last_duration_seconds").is_absent();
        page.metric("virt_task_invalid_timestamps_total").is(0);
    }
}

#[tokio::test]
async fn a_task_that_is_stuck_shows_since_when() {
    let mut bench = VsBench::new().await;
    bench.poll().await;
    let id = bench.sim.add(task(1));
    bench.poll().await;
    let first_seen = bench.clock.now().as_second();
    bench.clock.pass(60);
    bench.sim.set_status(&id, "creating", "x");
    bench.poll().await;
    let last_change = bench.clock.now().as_second();
    bench.clock.pass(7200);
    let page = bench.poll().await;
    let seconds = |second: i64| u32::try_from(second).unwrap();
    page.metric("virt_open_task_start_timestamp_seconds")
        .is(seconds(first_seen));
    page.metric("virt_open_task_last_change_timestamp_seconds")
        .is(seconds(last_change));
    let oldest = page.metric("virt_task_oldest_start_timestamp_seconds");
    oldest.with("status", "running").is(seconds(first_seen));
}

#[tokio::test]
async fn the_documented_server_is_read_with_its_durations() {
    let mut bench = VsBench::with("", documented).await;
    bench.poll().await;
    let id = bench.sim.add(task(1).created(bench.clock.now()));
    bench.poll().await;
    bench.clock.pass(30);
    bench.sim.set_status(&id, "in progress", "");
    bench
        .poll()
        .await
        .metric("virt_tasks")
        .with("status", "running")
        .is(1);
    bench.clock.pass(60);
    bench.sim.set_status(&id, "sucess", "");
    let page = bench.poll().await;
    page.metric("virt_task_finished_total")
        .with("status", "succeeded")
        .is(1);
    page.metric("virt_task_duration_seconds_sum").is(90);
}

#[tokio::test]
async fn the_same_uuid_run_three_times_counts_three_times() {
    let mut bench = VsBench::new().await;
    bench.poll().await;
    let id = bench.sim.add(task(1));
    for run in 1..=3_u32 {
        for word in ["pending", "dispatching", "error"] {
            bench.clock.pass(20);
            bench.sim.set_status(&id, word, "host selection failed");
            bench.poll().await;
        }
        let page = bench.poll().await;
        page.metric("virt_task_failures_total")
            .with("operation", CREATE)
            .is(run);
        page.metric("virt_task_started_total").is(1);
        page.metric("virt_task_unresolved_failures").is(1);
    }
    bench.sim.set_status(&id, "pending", "");
    bench
        .poll()
        .await
        .metric("virt_task_unresolved_failures")
        .is(0);
}

#[tokio::test]
async fn a_list_that_shrinks_or_is_deleted_keeps_the_counters() {
    let mut bench = VsBench::new().await;
    bench.poll().await;
    for number in 0..5 {
        let id = bench.sim.add(task(number));
        bench.poll().await;
        bench
            .sim
            .set_status(&id, if number == 0 { "error" } else { "provisioned" }, "");
    }
    bench.sim.add(task(9));
    bench.poll().await;
    bench.sim.remove(&uuid(0));
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(5);
    page.metric("virt_task_unresolved_failures").is(0);
    bench.sim.clear();
    for _ in 0..2 {
        let page = bench.poll().await;
        page.metric("virt_tasks").sums_to(0);
        page.metric("virt_task_finished_total")
            .with("status", "succeeded")
            .is(4);
        page.metric("virt_task_failures_total").sums_to(1);
        // The one that had not ended, and is not found by its id either.
        page.metric("virt_task_vanished_total").is(1);
        page.metric("virt_source_listing_complete").is(1);
    }
}

#[tokio::test]
async fn a_list_that_did_not_change_is_not_sent_again() {
    let mut bench = VsBench::new().await;
    bench.sim.history(50);
    bench.sim.add(task(1));
    bench.poll().await;
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_tasks").sums_to(51);
        page.metric("virt_source_up").is(1);
    }
    bench.sim.set_status(&uuid(1), "error", "");
    bench
        .poll()
        .await
        .metric("virt_task_failures_total")
        .sums_to(1);
    let codes: Vec<_> = bench
        .sim
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(codes, [200, 304, 304, 304, 200]);
}

#[tokio::test]
async fn words_of_the_users_own_are_no_guess() {
    let mut bench = VsBench::with("status_map: {archived: succeeded}", |_| {}).await;
    bench.poll().await;
    bench.sim.add(task(1).status("Archived"));
    bench.sim.add(task(2).status("halted"));
    let page = bench.poll().await;
    page.metric("virt_task_finished_total")
        .with("status", "succeeded")
        .is(1);
    page.metric("virt_tasks").with("status", "unknown").is(1);
    page.metric("virt_task_unknown_status_total").is(1);
}

#[rstest]
#[case::fixed(
    "authorization: {type: header, credentials: 'u-1:x'}",
    VsAuth::Header { name: "X-VirtShell-Authorization".to_owned(), value: "u-1:x".to_owned() }
)]
#[case::signed(
    "authorization: {type: hmac, header_name: Authorization, user_id: u-1, secret: k}",
    VsAuth::Hmac { name: "Authorization".to_owned(), user_id: "u-1".to_owned(), secret: "k".to_owned() }
)]
#[tokio::test]
async fn requests_prove_whose_they_are(#[case] keys: &str, #[case] auth: VsAuth) {
    for shape in [documented, |_: &mut VirtShellOptions| {}] {
        let wanted = auth.clone();
        let change = move |options: &mut VirtShellOptions| {
            shape(options);
            options.auth = wanted;
        };
        let mut bench = VsBench::with(keys, change).await;
        bench.sim.add(task(1));
        bench.poll().await.metric("virt_tasks").sums_to(1);
        bench.sim.remove(&uuid(1));
        bench
            .poll()
            .await
            .metric("virt_task_vanished_total")
            .sums_to(1);
        bench.sim.configure(|options| {
            options.auth = VsAuth::Header {
                name: "X-VirtShell-Authorization".to_owned(),
                value: "another".to_owned(),
            };
        });
        assert_eq!(bench.fail().await.reason, Reason::Forbidden);
        let told = format!("{:?}", bench.watch);
        assert!(!told.contains("u-1:x"), "{told}");
    }
}

#[rstest]
#[case::route("404 Not Found", "<html>404</html>", Reason::Protocol)]
#[case::traceback(
    "500 Internal Server Error",
    "Traceback (most recent call last):",
    Reason::ServerError
)]
#[case::error("200 OK", r#"{"error":"database"}"#, Reason::ServerError)]
#[case::html("200 OK", "<html>", Reason::Decode)]
#[case::other("200 OK", r#"{"tasks_by_status":"error","reason":""}"#, Reason::Decode)]
#[tokio::test]
async fn what_is_no_list_fails_the_poll(
    #[case] status: &'static str,
    #[case] body: &'static str,
    #[case] reason: Reason,
) {
    let stub = Stub::bare(move |_| answer(status, "Content-Type: text/html\r\n", body)).await;
    let mut watch = watch(&stub.url, "", HeldClock::new().clock());
    let error = watch.fail().await;
    assert_eq!(error.reason, reason);
    assert!(!error.detail.contains("Traceback"), "{error}");
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_given_up_and_left_alone_until_it_is_done() {
    let mut bench = VsBench::with("request_timeout: 1m", |options| options.hang = true).await;
    let began = tokio::time::Instant::now();
    let error = bench.fail().await;
    assert_eq!(error.reason, Reason::Timeout);
    let next = began.elapsed() + error.retry_after.unwrap();
    assert!(next > Duration::from_secs(30), "{next:?}");
    assert_eq!(bench.sim.request_count(), 1);
}

#[tokio::test]
async fn the_counts_are_those_of_a_busy_virtshell() {
    for shape in [documented, |_: &mut VirtShellOptions| {}] {
        let mut bench = VsBench::with("", shape).await;
        bench.sim.history(100);
        bench.poll().await;
        bench.sim.set_workload(Some(VsWorkload {
            rate: 30.0,
            // A run again between two polls shows no more than its last outcome.
            rerun: 0.0,
            ..VsWorkload::default()
        }));
        for _ in 0..120 {
            bench.clock.pass(5);
            bench.sim.tick();
            bench.poll().await;
        }
        let (page, totals) = (bench.watch.page(), bench.sim.totals());
        let sum = |outcome| {
            let of_outcome = totals
                .ended
                .iter()
                .filter(|((_, each), _)| *each == outcome);
            u32::try_from(of_outcome.map(|(_, count)| count).sum::<u64>()).unwrap()
        };
        let (succeeded, failed) = (sum(VsOutcome::Succeeded), sum(VsOutcome::Failed));
        assert!(succeeded > 20 && failed > 2, "{totals:?}");
        for (status, count) in [("succeeded", succeeded), ("failed", failed)] {
            let finished = page
                .metric("virt_task_finished_total")
                .with("status", status);
            finished.sums_to(count);
        }
        page.metric("virt_task_vanished_total").sums_to(0);
    }
}
