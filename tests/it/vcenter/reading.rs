//! Both dialects, and what becomes of a task's fields.

use rstest::rstest;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, VcError, VcTask};
use virt_task_exporter::sources::Reason;

use crate::support::{CLONE, Stub, VcBench, answer, clone, json};

const CHECK: &str = "com.vmware.esx.settings.clusters.configuration.check_compliance";

/// A task of each status, of two providers.
fn fill(bench: &VcBench) {
    let (began, ended) = (bench.clock.ago(600), bench.clock.ago(60));
    let sim = &bench.sim;
    sim.add(clone("a"));
    sim.add(clone("b").running().started(began).progress(25, 100));
    sim.add(clone("c").blocked().started(began).progress(3, 0));
    sim.add(clone("d").succeeded().started(began).ended(ended));
    let error = VcError::new("TIMED_OUT", "It took too long");
    sim.add(clone("e").failed(error).started(began).ended(ended));
    sim.add(
        clone("f")
            .failed(VcError::canceled())
            .started(began)
            .ended(ended),
    );
    let check = VcTask::new(
        "com.vmware.esx.settings.clusters.configuration",
        "check_compliance",
    );
    let check = check
        .suffixed(true)
        .target("ClusterComputeResource", "domain-c9");
    sim.add(check.succeeded().started(began).ended(ended));
}

#[rstest]
#[case::auto("auto", true, true, "/api")]
#[case::auto_without_api("auto", true, false, "/rest")]
#[case::auto_without_rest("auto", false, true, "/api")]
#[case::rest("rest", true, true, "/rest")]
#[case::api("api", true, true, "/api")]
#[tokio::test]
async fn either_dialect_shows_the_same_tasks(
    #[case] dialect: &str,
    #[case] rest: bool,
    #[case] api: bool,
    #[case] spoken: &str,
) {
    let keys = format!("dialect: {dialect}");
    let mut bench = VcBench::with(&keys, |options| (options.rest, options.api) = (rest, api)).await;
    fill(&bench);
    for _ in 0..2 {
        let page = bench.poll().await;
        for status in [
            "pending",
            "running",
            "blocked",
            "succeeded",
            "failed",
            "cancelled",
        ] {
            let tasks = page.metric("virt_tasks").with("operation", CLONE);
            tasks.with("status", status).is(1);
        }
        let checks = page.metric("virt_tasks").with("operation", CHECK);
        checks.with("status", "succeeded").is(1);
        page.metric("virt_source_listing_complete").is(1);
        page.metric("virt_task_last_duration_seconds")
            .with("operation", CHECK)
            .is(540);
    }
    // What answers is remembered.
    let before = bench.sim.request_count();
    bench.poll().await;
    let requests = bench.sim.requests();
    let of_poll = requests.iter().skip(before);
    assert!(
        of_poll
            .clone()
            .all(|request| request.path.starts_with(spoken) && request.status == 200)
    );
    assert!(of_poll.count() >= 3);
    let lists = bench.lists(0);
    assert!(lists.iter().all(|list| list.excludes_result));
}

#[tokio::test]
async fn a_vcenter_that_was_upgraded_is_asked_in_its_new_way() {
    let mut bench = VcBench::with("", |options| options.api = false).await;
    fill(&bench);
    bench.poll().await;
    bench
        .sim
        .configure(|options| (options.rest, options.api) = (false, true));
    bench.fail().await;
    bench.poll().await.metric("virt_tasks").sums_to(7);
}

#[tokio::test]
async fn open_tasks_show_who_and_how_far() {
    let mut bench = VcBench::new().await;
    fill(&bench);
    bench.poll().await;
    bench.clock.pass(30);
    let page = bench.poll().await;
    let info = page.metric("virt_open_task_info").with("status", "failed");
    info.is(1);
    assert_eq!(info.label("error_code"), "TIMED_OUT");
    assert_eq!(info.label("operation"), CLONE);
    let of = |name: &'static str, id: &str| {
        page.metric(name)
            .with("task_id", &format!("{id}:com.vmware.vcenter.VM"))
    };
    of("virt_open_task_progress_ratio", "b").is(0.25);
    of("virt_open_task_progress_ratio", "c").is_absent();
    // A task that waits has no start; it is as old as we have known it.
    let first_seen = u32::try_from(bench.clock.ago(30).as_second()).unwrap();
    of("virt_open_task_start_timestamp_seconds", "a").is(first_seen);
    let oldest = page.metric("virt_task_oldest_start_timestamp_seconds");
    oldest.with("status", "pending").is(first_seen);
    page.metric("virt_task_unresolved_failures")
        .with("operation", CLONE)
        .is(1);
}

#[tokio::test]
async fn the_clock_of_the_source_is_shown() {
    let ahead = jiff::SignedDuration::from_mins(90);
    let mut bench = VcBench::with("", |options| options.skew = ahead).await;
    bench.sim.add(clone("a").running());
    let page = bench.poll().await;
    page.metric("virt_source_clock_skew_seconds").is(5400);
    page.metric("virt_task_invalid_timestamps_total").is(0);
}

#[tokio::test]
async fn a_bad_task_is_skipped_and_spoils_no_other() {
    for dialect in ["rest", "api"] {
        let mut bench = VcBench::with(&format!("dialect: {dialect}"), |_| {}).await;
        let ended = bench.clock.ago(60);
        bench.sim.add(
            clone("a")
                .running()
                .with_field("error", serde_json::json!([1, {"x": null}])),
        );
        bench.sim.add(
            clone("b")
                .succeeded()
                .with_field("progress", serde_json::json!("none")),
        );
        bench.sim.add(
            clone("c")
                .succeeded()
                .started(ended)
                .with_field("end_time", serde_json::json!("soon")),
        );
        bench
            .sim
            .add(clone("d").with_field("status", serde_json::json!("PAUSED")));
        let nest = |inner, _| serde_json::json!({"x": {"status": "FAILED", "subtasks": inner}});
        let deep = (0..90).fold(serde_json::json!({}), nest);
        bench
            .sim
            .add(clone("e").running().with_field("subtasks", deep));
        let page = bench.poll().await;
        page.metric("virt_tasks").sums_to(4);
        page.metric("virt_task_skipped_total")
            .with("reason", "too_deep")
            .is(1);
        page.metric("virt_task_unknown_status_total").is(1);
        page.metric("virt_task_invalid_timestamps_total").is(1);
        page.metric("virt_source_listing_complete").is(1);
    }
}

#[tokio::test]
async fn what_is_no_list_fails_the_poll_and_changes_nothing() {
    let mut bench = VcBench::new().await;
    fill(&bench);
    bench.poll().await;
    for (kind, reason) in [
        (FaultKind::TruncatedJson, Reason::Decode),
        (FaultKind::WrongType, Reason::Decode),
        (FaultKind::EmptyBody, Reason::Decode),
        (FaultKind::Html(200), Reason::Decode),
        (
            FaultKind::Redirect("http://127.0.0.1:9/".to_owned()),
            Reason::Protocol,
        ),
        (FaultKind::RetryAfter(429, 7), Reason::RateLimited),
        (FaultKind::CutBody, Reason::Connect),
        (FaultKind::Dropped, Reason::Connect),
    ] {
        bench.sim.inject(Fault::new(Endpoint::List, kind.clone()));
        assert_eq!(bench.fail().await.reason, reason, "{kind:?}");
        bench.watch.page().metric("virt_tasks").sums_to(7);
        bench.sim.clear_faults();
    }
    bench.poll().await.metric("virt_source_up").is(1);
}

#[tokio::test]
async fn an_object_that_is_no_list_of_tasks_is_none() {
    let bodies = [
        r#"{"status":"SUCCEEDED"}"#,
        r#"{"value":[]}"#,
        r#"{"error_type":"ERROR","messages":[]}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-1},"id":"1"}"#,
    ];
    for body in bodies {
        let stub = Stub::bare(move |line| match line.split(' ').nth(1).unwrap() {
            "/api/session" => answer("201 Created", "", "\"token\""),
            path if path.starts_with("/api/cis/tasks") => json(body),
            "/rest/com/vmware/cis/session" => json(r#"{"value":"token"}"#),
            path if path.starts_with("/rest/cis/tasks") => json(r#"{"value":[]}"#),
            _ => answer("404 Not Found", "", ""),
        })
        .await;
        let mut watch = VcBench::watch(&stub.url, "dialect: api");
        assert_eq!(watch.fail().await.reason, Reason::Decode, "{body}");
        let mut watch = VcBench::watch(&stub.url, "");
        watch
            .poll()
            .await
            .metric("virt_source_listing_complete")
            .is(1);
        watch.page().metric("virt_task_skipped_total").sums_to(0);
    }
}

#[rstest]
#[case("200 OK", "<html>")]
#[case("200 OK", "{\"token\":1}")]
#[case("302 Found", "")]
#[case("404 Not Found", "")]
#[case("500 Internal Server Error", "")]
#[case("501 Not Implemented", "")]
#[tokio::test]
async fn whatever_stands_at_the_newer_door_the_older_one_is_tried(
    #[case] status: &'static str,
    #[case] body: &'static str,
) {
    let stub = Stub::bare(move |line| match line.split(' ').nth(1).unwrap() {
        "/rest/com/vmware/cis/session" => json(r#"{"value":"token"}"#),
        path if path.starts_with("/rest/cis/tasks") => json(r#"{"value":[]}"#),
        _ => answer(status, "", body),
    })
    .await;
    let mut watch = VcBench::watch(&stub.url, "");
    watch.poll().await.metric("virt_source_up").is(1);
}

#[tokio::test]
async fn a_proxys_404_for_one_task_does_not_make_it_vanish() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.sim.remove(&id);
    bench
        .sim
        .inject(Fault::new(Endpoint::Task, FaultKind::Html(404)));
    for _ in 0..3 {
        bench
            .poll()
            .await
            .metric("virt_task_vanished_total")
            .sums_to(0);
    }
    bench.sim.clear_faults();
    bench
        .poll()
        .await
        .metric("virt_task_vanished_total")
        .sums_to(1);
}
