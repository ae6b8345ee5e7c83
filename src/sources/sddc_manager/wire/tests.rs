use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn read(json: &str) -> Result<Task, Skipped> {
    let reader = Reader {
        operations: &Operations::default(),
        frame: TimeFrame::new("2026-11-20T12:00:00Z".parse().unwrap()),
    };
    reader.task(json, None)
}

/// A task with these members beside its id.
fn task(members: Value) -> Task {
    let mut members = members;
    members["id"] = json!("a");
    read(&members.to_string()).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn what_is_no_task_is_skipped_for_its_reason() {
    for (json, reason) in [
        ("5", Skipped::NotAnObject),
        ("null", Skipped::NotAnObject),
        ("[{\"id\":\"a\"}]", Skipped::NotAnObject),
        ("\"{\"", Skipped::NotAnObject),
        ("{}", Skipped::NoId),
        ("{\"id\":null}", Skipped::NoId),
        ("{\"id\":7}", Skipped::NoId),
        ("{\"id\":{\"id\":\"a\"}}", Skipped::NoId),
        ("{\"id\":\" \"}", Skipped::NoId),
    ] {
        assert_eq!(read(json), Err(reason), "{json}");
    }
    let nested = |levels: usize| {
        let (open, close) = ("{\"subTasks\":[".repeat(levels), "]}".repeat(levels));
        format!("{{\"id\":\"a\",\"subTasks\":[{open}{close}]}}")
    };
    assert_eq!(read(&nested(200)), Err(Skipped::TooDeep));
    assert!(read(&nested(50)).is_ok());
}

#[test]
fn a_key_that_stands_twice_spoils_no_task() {
    let twice = read(r#"{"id":"a","name":"x","name":"y","id":"b"}"#).unwrap();
    assert_eq!((twice.id.as_str(), twice.name.as_str()), ("b", "y"));
}

#[test]
fn half_a_character_spoils_its_text_alone() {
    let half = read(r#"{"id":"a","name":"x\ud800y","status":"FAILED"}"#).unwrap();
    assert_eq!(half.name, "x\u{fffd}y");
    assert_eq!(half.status, Status::Failed);
}

#[test]
fn fields_of_other_types_are_fields_that_are_not_there() {
    let odd = task(json!({
        "name": ["x"], "type": {"a": 1}, "status": true, "creationTimestamp": {},
        "completionTimestamp": [1], "subTasks": "none", "errors": "X",
        "resources": [null, 5, {"resourceId": 7}], "isRetryable": "maybe",
        "resolutionStatus": 1,
    }));
    assert_eq!(odd.operation, "unknown");
    assert_eq!(odd.status, Status::Unknown);
    assert_eq!(odd.started, None);
    assert!(odd.subtasks.is_empty() && odd.errors.is_empty());
    assert_eq!(odd.resources.len(), 1);
    assert_eq!(odd.resource_names(), "7");
}

#[test]
fn completion_is_decided_by_the_status() {
    let at = "2026-11-20T10:00:00.000Z";
    let times = |status: &str| {
        task(json!({
            "status": status, "creationTimestamp": at,
            "completionTimestamp": "2026-11-20T11:00:00Z",
        }))
    };
    assert_eq!(times("IN_PROGRESS").ended, None);
    assert_eq!(times("Failed").ended, Some(time("2026-11-20T11:00:00Z")));
    assert_eq!(times("Failed").started, Some(time("2026-11-20T10:00:00Z")));
}

#[test]
fn times_that_cannot_be_right_are_said_to_be() {
    let january_1970 = task(json!({
        "status": "FAILED", "creationTimestamp": "1970-01-21T06:52:48.075Z",
    }));
    assert_eq!(january_1970.started, None);
    assert!(january_1970.invalid_timestamps);
    let reversed = task(json!({
        "status": "SUCCESSFUL", "creationTimestamp": "2026-11-20T10:00:00Z",
        "completionTimestamp": "2026-11-20T09:00:00Z",
    }));
    assert_eq!(reversed.ended, None);
    assert!(reversed.started.is_some() && reversed.invalid_timestamps);
    let milliseconds =
        task(json!({"status": "FAILED", "creationTimestamp": 1_561_032_198_890_i64}));
    assert_eq!(milliseconds.started, Some(time("2019-06-20T12:03:18.89Z")));
    assert!(!task(json!({"status": "FAILED"})).invalid_timestamps);
}

#[test]
fn a_resolution_counts_beside_a_failure_alone() {
    let with = |status: &str, resolution: &str| {
        task(json!({"status": status, "resolutionStatus": resolution})).resolved
    };
    assert!(with("Failed", "RESOLVED"));
    assert!(with("FAILED", "Resolved"));
    assert!(!with("FAILED", "UNRESOLVED"));
    assert!(!with("Successful", "RESOLVED"));
}

#[test]
fn sub_tasks_and_stages_are_read_as_deep_as_they_go() {
    let deep = task(json!({
        "type": "DOMAIN_CREATION", "status": "Failed",
        "subTasks": [{
            "name": "Hosts", "status": "FAILED",
            "subTasks": [{
                "description": "Validate the hosts", "status": "FAILED",
                "stages": [
                    {"name": "connect", "status": "SUCCESSFUL"},
                    {"name": "check", "status": "FAILED", "errors": [
                        {"message": "outer", "nestedErrors": [{"errorCode": "INNER"}]}
                    ]},
                ],
            }],
        }, {"name": "Later", "status": "NOT_APPLICABLE"}],
    }));
    let nodes = deep.failed_nodes();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].path, ["Hosts", "Validate the hosts", "check"]);
    assert_eq!(deep.error_code().as_deref(), Some("INNER"));
    assert_eq!(deep.leaves().get(Status::Failed), 1);
    assert_eq!(deep.leaves().get(Status::Skipped), 1);
    assert_eq!(deep.progress_ratio(), Some(1.0));
}

#[test]
fn errors_keep_their_advice_and_their_causes() {
    let failed = task(json!({
        "status": "FAILED",
        "errors": [null, {
            "errorCode": "VCF_ENABLE_CEIP_ERROR", "message": "Unable to modify",
            "remediationMessage": "Check the host", "referenceToken": "PO5K2B",
            "causes": [{"type": "java.io.IOException", "message": "refused"}, {"type": "X"}],
        }],
        "resources": [{"resourceId": "1", "type": "HOST", "fqdn": "esx01.rainpole.io", "name": "n"}],
    }));
    let error = &failed.errors[0];
    assert_eq!(error.code.as_deref(), Some("VCF_ENABLE_CEIP_ERROR"));
    assert_eq!(error.remediation.as_deref(), Some("Check the host"));
    let causes: Vec<_> = error
        .causes
        .iter()
        .map(|cause| (cause.kind.as_deref(), cause.message.as_deref()))
        .collect();
    let refused = (Some("java.io.IOException"), Some("refused"));
    assert_eq!(causes, [refused, (Some("X"), None)]);
    assert_eq!(error.reference.as_deref(), Some("PO5K2B"));
    assert_eq!(failed.resource_names(), "esx01.rainpole.io");
}
