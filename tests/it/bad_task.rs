use rstest::rstest;
use serde_json::json;
use virt_task_exporter::simulator::{Endpoint, TaskStatus};

use crate::support::{Bench, HeldClock, Page, Stub, Watch, task};

/// A good task, by its id.
fn good(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"UPGRADE","status":"SUCCESSFUL"}}"#)
}

/// The page of a source whose list holds two good tasks around an element.
async fn around(element: &str) -> Page {
    let elements = [good("before").as_str(), element, good("after").as_str()].join(",");
    let stub = Stub::listing(&elements).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    let page = watch.poll().await;
    page.metric("virt_source_up").is(1);
    page.metric("virt_source_listing_complete").is(1);
    page
}

fn deep(levels: usize) -> String {
    let (open, close) = (
        r#"{"name":"x","subTasks":["#.repeat(levels),
        "]}".repeat(levels),
    );
    format!(r#"{{"id":"deep","type":"UPGRADE","status":"IN_PROGRESS","subTasks":[{open}{close}]}}"#)
}

#[rstest]
#[case::without_an_id(r#"{"type":"UPGRADE","status":"FAILED"}"#, "no_id")]
#[case::with_a_blank_id(r#"{"id":" ","type":"UPGRADE","status":"FAILED"}"#, "no_id")]
#[case::with_an_empty_id(r#"{"id":"","status":"FAILED"}"#, "no_id")]
#[case::with_a_null_id(r#"{"id":null,"status":"FAILED"}"#, "no_id")]
#[case::with_a_numeric_id(r#"{"id":17,"type":"UPGRADE","status":"FAILED"}"#, "no_id")]
#[case::with_an_object_as_id(r#"{"id":{"id":"x"},"status":"FAILED"}"#, "no_id")]
#[case::null("null", "not_an_object")]
#[case::a_text(r#""task""#, "not_an_object")]
#[case::a_number("3.5e7", "not_an_object")]
#[case::a_list(r#"[{"id":"x","status":"FAILED"}]"#, "not_an_object")]
#[case::an_empty_object("{}", "no_id")]
#[tokio::test]
async fn an_element_that_is_no_task_is_skipped_and_counted(
    #[case] element: &str,
    #[case] reason: &str,
) {
    let page = around(element).await;
    page.metric("virt_tasks").sums_to(2);
    page.metric("virt_tasks")
        .with("operation", "UPGRADE")
        .with("status", "succeeded")
        .is(2);
    page.metric("virt_task_skipped_total")
        .with("reason", reason)
        .is(1);
    page.metric("virt_task_skipped_total").sums_to(1);
    page.metric("virt_exporter_ledger_entries").is(2);
}

#[tokio::test]
async fn a_task_nested_two_hundred_levels_deep_spoils_no_other() {
    let page = around(&deep(200)).await;
    page.metric("virt_tasks").sums_to(2);
    page.metric("virt_task_skipped_total")
        .with("reason", "too_deep")
        .is(1);
    page.metric("virt_task_skipped_total").sums_to(1);
    // What is deep but in its bounds is a task like any other.
    let page = around(&deep(50)).await;
    page.metric("virt_tasks").sums_to(3);
    page.metric("virt_task_skipped_total").sums_to(0);
}

#[tokio::test]
async fn a_hundred_thousand_levels_end_no_thread() {
    let deep = deep(100_000);
    let page = around(&deep).await;
    page.metric("virt_tasks").sums_to(2);
    page.metric("virt_task_skipped_total")
        .with("reason", "too_deep")
        .is(1);
}

#[tokio::test]
async fn what_is_skipped_counts_once_a_full_poll_and_never_as_a_task() {
    let stub = Stub::listing("7,{},null").await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    for polls in 1..=3 {
        let page = watch.poll().await;
        let skipped = page.metric("virt_task_skipped_total");
        skipped
            .clone()
            .with("reason", "not_an_object")
            .is(2 * polls);
        skipped.with("reason", "no_id").is(polls);
        page.metric("virt_tasks").is_absent();
        page.metric("virt_task_started_total").is_absent();
    }
}

#[tokio::test]
async fn skipped_elements_on_every_page_are_not_counted_twice() {
    let mut bench = Bench::new().await;
    for number in 0..230 {
        if number % 40 == 7 {
            bench.sim.add_raw(&json!({"status": "FAILED"}));
        } else {
            bench.sim.add(task(&format!("t{number}")));
        }
    }
    let page = bench.poll().await;
    page.metric("virt_task_skipped_total")
        .with("reason", "no_id")
        .is(6);
    page.metric("virt_tasks").sums_to(224);
    page.metric("virt_source_listing_complete").is(1);
}

#[rstest]
#[case("../credentials/tasks")]
#[case("..")]
#[case(".")]
#[case("a/b")]
#[case("a?b=c")]
#[case("a#b")]
#[case("a%2fb")]
#[case("a b")]
#[case("ü")]
#[tokio::test]
async fn an_id_that_is_no_plain_one_is_never_requested(#[case] id: &str) {
    let mut bench = Bench::new().await;
    bench.sim.add(task("plain"));
    bench.sim.add(task(id));
    let page = bench.poll().await;
    page.metric("virt_open_task_info").with("task_id", id).is(1);
    bench.sim.remove("plain");
    bench.sim.remove(id);
    let page = bench.poll().await;
    let asked: Vec<_> = bench
        .sim
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    for path in &asked {
        let known = ["/v1/tokens", "/v1/tasks", "/v1/tasks/plain"];
        assert!(known.contains(&path.as_str()), "{asked:?}");
    }
    // The one that can be asked for, and the one that cannot, are both gone.
    assert_eq!(bench.sim.request_count(Endpoint::Task), 1);
    page.metric("virt_task_vanished_total")
        .with("operation", "UPGRADE")
        .is(2);
}

#[tokio::test]
async fn long_names_are_cut_where_they_are_labels() {
    let name = "é".repeat(50_000);
    let element = json!({"id": "x".repeat(100_000), "name": name, "type": name, "status": "FAILED",
        "subTasks": [{"name": name, "status": "FAILED", "errors": [{"errorCode": name}]}],
        "resources": [{"resourceId": name, "fqdn": name}]});
    let page = around(&element.to_string()).await;
    page.metric("virt_tasks").sums_to(3);
    let info = page.metric("virt_open_task_info");
    for label in [
        "operation",
        "name",
        "resource",
        "failed_subtask",
        "error_code",
        "task_id",
    ] {
        let value = info.label(label);
        assert!(
            !value.is_empty() && value.len() <= 200,
            "{label}: {} bytes",
            value.len()
        );
    }
    assert_eq!(info.label("name"), "é".repeat(100));
}

#[tokio::test]
async fn two_long_ids_that_begin_alike_are_two_tasks_on_a_readable_page() {
    let long = |end: &str| format!("{}{end}", "x".repeat(300));
    let elements = [task_json(&long("1")), task_json(&long("2"))].join(",");
    let stub = Stub::listing(&elements).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    // Reading the page fails if a series stands twice.
    let page = watch.poll().await;
    page.metric("virt_tasks").sums_to(2);
}

fn task_json(id: &str) -> String {
    format!(r#"{{"id":"{id}","type":"UPGRADE","status":"IN_PROGRESS"}}"#)
}

#[tokio::test]
async fn control_characters_reach_no_terminal() {
    let element = r#"{"id":"e\u001b[31m","name":"N\u001b]0;x\u0007\u0000\nM","type":"T\u001b[2J\nU\tV","status":"FAILED",
        "subTasks":[{"name":"S\u001b\u0000\r\nS","status":"FAILED","errors":[{"errorCode":"C\n\u009b"}]}],
        "resources":[{"resourceId":"r","fqdn":"h\u0008ost"}]}"#;
    let page = around(element).await;
    let info = page.metric("virt_open_task_info");
    assert_eq!(info.label("operation"), "T [2J U V");
    for label in [
        "task_id",
        "name",
        "resource",
        "failed_subtask",
        "error_code",
    ] {
        assert!(!info.label(label).contains(char::is_control), "{label}");
    }
}

#[tokio::test]
async fn quotes_and_backslashes_come_through_whole() {
    let odd = r#"a"b\c\n{d="e"} # EOF"#;
    let element = json!({"id": odd, "type": odd, "name": odd, "status": "IN_PROGRESS"});
    let page = around(&element.to_string()).await;
    page.metric("virt_tasks")
        .with("operation", odd)
        .with("status", "running")
        .is(1);
    let info = page.metric("virt_open_task_info").with("operation", odd);
    assert_eq!(info.label("name"), odd);
    assert_eq!(info.label("task_id"), odd);
}

#[rstest]
#[case::high(r#"{"id":"s","name":"x\ud800y","type":"UPGRADE","status":"IN_PROGRESS"}"#)]
#[case::low(r#"{"id":"s","name":"x\udfffy","type":"UPGRADE","status":"IN_PROGRESS"}"#)]
#[case::in_a_key(r#"{"id":"s","\ud800":1,"type":"UPGRADE","status":"IN_PROGRESS"}"#)]
#[tokio::test]
async fn a_lone_surrogate_spoils_no_other_task(#[case] element: &str) {
    let page = around(element).await;
    let succeeded = page.metric("virt_tasks").with("status", "succeeded");
    succeeded.is(2);
    // It is read or skipped, but it is not lost without a trace.
    let running = page.metric("virt_tasks").with("status", "running").sum();
    let skipped = page.metric("virt_task_skipped_total").sum();
    assert!((running + skipped - 1.0).abs() < 1e-6, "{}", page.text());
}

#[tokio::test]
async fn bytes_that_are_no_text_spoil_only_what_they_stand_in() {
    let mut page = br#"{"elements":[{"id":"a","type":"UPGRADE","name":""#.to_vec();
    page.extend_from_slice(&[0xff, 0xfe, 0xc3]);
    page.extend_from_slice(
        br#"","status":"SUCCESSFUL"},{"id":"b","type":"UPGRADE","status":"FAILED"}]}"#,
    );
    let answer = crate::support::answer("200 OK", "Content-Type: application/json\r\n", &page);
    let stub = Stub::new(move |_| answer.clone()).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    let page = watch.poll().await;
    page.metric("virt_tasks").sums_to(2);
}

#[tokio::test]
async fn a_task_that_turns_bad_is_not_taken_for_gone() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench.sim.change("t", |task, _| {
        task.overrides.push(("id".to_owned(), Some(json!(5))));
    });
    let page = bench.poll().await;
    page.metric("virt_task_skipped_total")
        .with("reason", "no_id")
        .is(1);
    page.metric("virt_task_vanished_total")
        .with("operation", "UPGRADE")
        .is(0);
    bench.sim.change("t", |task, _| task.overrides.clear());
    bench.sim.set_status("t", TaskStatus::Failed);
    let page = bench.poll().await;
    page.metric("virt_task_started_total").is(1);
    page.metric("virt_task_finished_total")
        .with("status", "failed")
        .is(1);
}
