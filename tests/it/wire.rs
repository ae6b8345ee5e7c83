use rstest::rstest;

use crate::support::{HeldClock, Page, Stub, Watch, json};

/// The page of a source that lists this.
async fn page_of(body: &str) -> Page {
    let body = json(body);
    let stub = Stub::new(move |_| body.clone()).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    watch.poll().await
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/sddc_manager/", $name, ".json"))
    };
}

async fn page_of_one(fields: &str) -> Page {
    page_of(&format!(
        r#"{{"elements":[{{"id":"t","type":"UPGRADE",{fields}}}]}}"#
    ))
    .await
}

#[tokio::test]
async fn the_list_of_4_4() {
    let page = page_of(fixture!("list_4_4")).await;
    page.metric("virt_source_listing_complete").is(1);
    page.metric("virt_tasks")
        .with("operation", "CEIP_UPDATE")
        .with("status", "failed")
        .is(1);
    page.metric("virt_tasks")
        .with("operation", "CREDENTIALS_ROTATE")
        .with("status", "succeeded")
        .is(1);
    page.metric("virt_tasks").sums_to(2);
    let subtasks = page
        .metric("virt_subtasks")
        .with("operation", "CEIP_UPDATE");
    for status in ["succeeded", "failed", "pending"] {
        subtasks.clone().with("status", status).is(1);
    }
    let info = page.metric("virt_open_task_info");
    info.clone()
        .with("failed_subtask", "ChangeHostsAction")
        .with("error_code", "CEIP_CHANGE_FAILED")
        .with("resource", "5c1d7f1a-0001")
        .is(1);
    page.metric("virt_open_task_start_timestamp_seconds")
        .is(1_795_075_200.125);
    page.metric("virt_open_task_end_timestamp_seconds")
        .is_absent();
    page.metric("virt_open_task_progress_ratio").is(2.0 / 3.0);
    page.metric("virt_task_last_duration_seconds").is(120.5);
    page.metric("virt_task_invalid_timestamps_total").is(0);
}

#[tokio::test]
async fn the_list_of_5() {
    let page = page_of(fixture!("list_5")).await;
    page.metric("virt_source_listing_complete").is(1);
    page.metric("virt_source_pages_total").is(1);
    page.metric("virt_tasks")
        .with("operation", "HOST_COMMISSION")
        .with("status", "running")
        .is(1);
    page.metric("virt_tasks")
        .with("operation", "SDDCMANAGER_BACKUP")
        .with("status", "warning")
        .is(1);
    // A warning is a success, and its end stands in another offset.
    page.metric("virt_task_last_success_timestamp_seconds")
        .is(1_795_147_800);
    page.metric("virt_task_last_duration_seconds")
        .with("status", "warning")
        .is(600);
    page.metric("virt_open_task_progress_ratio").is(0.5);
    page.metric("virt_open_task_info")
        .with("resource", "esx07.lab.example")
        .is(1);
    page.metric("virt_open_task_last_change_timestamp_seconds")
        .is(1_795_183_260);
}

#[tokio::test]
async fn times_of_1970_are_told_and_not_shown() {
    let page = page_of(fixture!("times_of_1970")).await;
    page.metric("virt_task_invalid_timestamps_total").is(1);
    page.metric("virt_tasks").with("status", "failed").is(1);
    page.metric("virt_open_task_info").is(1);
    page.metric("virt_open_task_start_timestamp_seconds")
        .is_absent();
    page.metric("virt_open_task_end_timestamp_seconds")
        .is_absent();
    page.metric("virt_task_last_duration_seconds").is_absent();
    page.metric("virt_task_last_failure_timestamp_seconds")
        .is_absent();
    page.metric("virt_task_oldest_start_timestamp_seconds")
        .is_absent();
}

#[tokio::test]
async fn without_a_completion_there_is_an_outcome_and_no_duration() {
    let page = page_of(fixture!("no_completion")).await;
    page.metric("virt_tasks")
        .with("operation", "DOMAIN_CREATION")
        .with("status", "succeeded")
        .is(1);
    page.metric("virt_tasks")
        .with("operation", "unknown")
        .with("status", "running")
        .is(1);
    page.metric("virt_task_last_duration_seconds").is_absent();
    page.metric("virt_task_invalid_timestamps_total").is(0);
    page.metric("virt_open_task_progress_ratio").is(0.5);
    // The start is the task's own, although its steps were planned before.
    page.metric("virt_task_oldest_start_timestamp_seconds")
        .is(1_795_172_400.4);
}

#[tokio::test]
async fn a_planned_end_ends_nothing() {
    let page = page_of(fixture!("planned_ends")).await;
    page.metric("virt_tasks").with("status", "running").is(1);
    page.metric("virt_open_task_end_timestamp_seconds")
        .is_absent();
    page.metric("virt_task_last_duration_seconds").is_absent();
    page.metric("virt_task_invalid_timestamps_total").is(0);
    for status in ["running", "pending", "skipped", "succeeded"] {
        page.metric("virt_subtasks").with("status", status).is(1);
    }
    page.metric("virt_open_task_progress_ratio").is(0.5);
    page.metric("virt_open_task_last_change_timestamp_seconds")
        .is(1_795_185_000);
}

#[tokio::test]
async fn the_deepest_failed_stage_and_its_nested_code_are_found() {
    let page = page_of(fixture!("nested")).await;
    let info = page.metric("virt_open_task_info");
    assert_eq!(info.label("failed_subtask"), "PowerOn");
    assert_eq!(info.label("error_code"), "VC_POWER_ON_FAILED");
    assert_eq!(info.label("resource"), "cluster-1,vc07.lab.example,d7");
    // Stages and parents count in no progress.
    page.metric("virt_subtasks").sums_to(4);
    page.metric("virt_subtasks").with("status", "failed").is(1);
    page.metric("virt_subtasks").with("status", "pending").is(1);
    page.metric("virt_open_task_progress_ratio").is(0.75);
    page.metric("virt_task_last_duration_seconds")
        .with("status", "failed")
        .is(3600);
}

#[tokio::test]
async fn a_field_of_another_type_is_a_field_that_is_not_there() {
    let page = page_of(fixture!("mistyped")).await;
    page.metric("virt_tasks").sums_to(8);
    page.metric("virt_task_skipped_total").sums_to(0);
    page.metric("virt_tasks")
        .with("operation", "UPGRADE")
        .with("status", "unknown")
        .is(3);
    page.metric("virt_tasks")
        .with("operation", "UPGRADE")
        .with("status", "succeeded")
        .is(1);
    page.metric("virt_tasks")
        .with("operation", "unknown")
        .sums_to(2);
    page.metric("virt_task_unknown_status_total").is(4);
    page.metric("virt_open_task_info")
        .with("task_id", "t5")
        .with("error_code", "LAST")
        .is(1);
}

#[rstest]
#[case("SUCCESSFUL", "succeeded")]
#[case("Successful", "succeeded")]
#[case(" successful ", "succeeded")]
#[case("FAILED", "failed")]
#[case("Failed", "failed")]
#[case("IN_PROGRESS", "running")]
#[case("In Progress", "running")]
#[case("IN PROGRESS", "running")]
#[case("in-progress", "running")]
#[case("PENDING", "pending")]
#[case("Pending", "pending")]
#[case("SCHEDULED", "pending")]
#[case("CANCELLED", "cancelled")]
#[case("Canceled", "cancelled")]
#[case("USER_CANCELLED", "cancelled")]
#[case("COMPLETED_WITH_WARNING", "warning")]
#[case("Completed With Warning", "warning")]
#[case("SKIPPED", "skipped")]
#[case("PREVALIDATION_FAILED", "failed")]
#[case("INCONSISTENT", "unknown")]
#[case("UNKNOWN", "unknown")]
#[case("COMPLETED_WITH_FAILURE", "unknown")]
#[case("TIMED_OUT", "unknown")]
#[case("SUCCESSFUL_NOT", "unknown")]
#[case("", "unknown")]
#[tokio::test]
async fn each_word_of_a_status(#[case] word: &str, #[case] status: &str) {
    let page = page_of_one(&format!(r#""status":"{word}""#)).await;
    page.metric("virt_tasks").with("status", status).is(1);
    page.metric("virt_tasks").sums_to(1);
    let unknown = u32::from(status == "unknown");
    page.metric("virt_task_unknown_status_total").is(unknown);
}

#[rstest]
#[case::usual(r#""2026-11-20T12:00:00.000Z""#)]
#[case::without_millis(r#""2026-11-20T12:00:00Z""#)]
#[case::nine_digits(r#""2026-11-20T12:00:00.000000000Z""#)]
#[case::offset(r#""2026-11-20T17:30:00+05:30""#)]
#[case::bare_offset(r#""2026-11-20T04:00:00.000-0800""#)]
#[case::no_offset(r#""2026-11-20T12:00:00""#)]
#[case::epoch_seconds("1795176000")]
#[case::epoch_millis("1795176000000")]
#[case::epoch_text(r#""1795176000000""#)]
#[tokio::test]
async fn each_form_of_a_time(#[case] time: &str) {
    let page = page_of_one(&format!(
        r#""status":"IN_PROGRESS","creationTimestamp":{time}"#
    ))
    .await;
    page.metric("virt_open_task_start_timestamp_seconds")
        .is(1_795_176_000);
    page.metric("virt_task_invalid_timestamps_total").is(0);
}

#[rstest]
#[case::nonsense(r#""yesterday""#)]
#[case::before_2010(r#""2009-12-31T23:59:59Z""#)]
#[case::zero("0")]
#[case::far_future(r#""2026-11-21T15:01:00Z""#)]
#[case::huge("99999999999999999999")]
#[case::negative("-1795176000000")]
#[tokio::test]
async fn a_time_that_cannot_be_right_is_none(#[case] time: &str) {
    let page = page_of_one(&format!(
        r#""status":"IN_PROGRESS","creationTimestamp":{time}"#
    ))
    .await;
    page.metric("virt_tasks").with("status", "running").is(1);
    page.metric("virt_open_task_start_timestamp_seconds")
        .is_absent();
    page.metric("virt_task_invalid_timestamps_total").is(1);
}

#[tokio::test]
async fn an_end_before_its_start_gives_no_duration() {
    let times = r#""creationTimestamp":"2026-11-20T12:00:00Z","completionTimestamp":"2026-11-20T11:59:59Z""#;
    let page = page_of_one(&format!(r#""status":"SUCCESSFUL",{times}"#)).await;
    page.metric("virt_tasks").with("status", "succeeded").is(1);
    page.metric("virt_task_last_duration_seconds").is_absent();
    page.metric("virt_task_invalid_timestamps_total").is(1);
}

#[tokio::test]
async fn of_a_key_that_stands_twice_the_last_one_wins() {
    let page = page_of_one(r#""status":"FAILED","status":"SUCCESSFUL""#).await;
    page.metric("virt_tasks").with("status", "succeeded").is(1);
    let page = page_of_one(
        r#""status":"IN_PROGRESS","subTasks":[{"name":"a","status":"FAILED","status":"PENDING"}]"#,
    )
    .await;
    page.metric("virt_subtasks").with("status", "pending").is(1);
    page.metric("virt_task_skipped_total").sums_to(0);
}

#[tokio::test]
async fn a_page_with_keys_twice_or_unknown_ones_is_read() {
    let body = r#"{"more":[{}],"elements":[{"id":"a","type":"UPGRADE","status":"FAILED","x":{"y":[1]}}],"pageMetadata":null}"#;
    page_of(body)
        .await
        .metric("virt_tasks")
        .with("status", "failed")
        .is(1);
    let wrong = r#"{"elements":[],"pageMetadata":{"pageNumber":"one","totalElements":-5,"totalPages":1e99}}"#;
    page_of(wrong).await.metric("virt_source_up").is(1);
}
