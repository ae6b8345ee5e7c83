use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::task::Status;

fn words() -> Words {
    Words::new(BTreeMap::new())
}

fn read(json: &Value, id: Option<&str>) -> Result<Task, Skipped> {
    let words = words();
    let frame = TimeFrame::new("2026-11-20T15:00:00Z".parse().unwrap());
    let reader = Reader {
        words: &words,
        frame,
    };
    reader.task(&json.to_string(), id)
}

fn one(body: &str) -> Result<Option<Task>, SourceError> {
    let words = words();
    let frame = TimeFrame::new("2026-11-20T15:00:00Z".parse().unwrap());
    let reader = Reader {
        words: &words,
        frame,
    };
    reader.one(body, "b-1")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// As the documentation has it.
fn documented(status: &str) -> Value {
    json!({
        "uuid": "ab8b6c2e", "description": "clone database", "status": status,
        "type": "create_instance", "object_uuid": "5b1c7c2e",
        "created": {"at": "1779270000", "by": "420aa2c4"},
        "last_update": "1779270090", "log": "no space left",
    })
}

/// As the real server answers.
fn real(status: &str) -> Value {
    json!({
        "uuid": "0f7b2a90", "description": "Create instance db01 with docker", "status": status,
        "date": "14:02:03.000451", "type": "create_instance", "object_uuid": "",
        "status_history": [["pending", "14:01:43", ""], ["dispatching", "14:02:03", "x"]],
        "log": "host selection failed",
    })
}

#[test]
fn the_documented_form_has_times_as_texts_of_seconds() {
    let task = read(&documented("in progress"), None).unwrap();
    assert_eq!(task.id, "ab8b6c2e");
    assert_eq!(
        (task.operation.as_str(), task.name.as_str()),
        ("create_instance", "clone database")
    );
    assert_eq!(
        (task.status, task.word.as_str()),
        (Status::Running, "inprogress")
    );
    assert_eq!(
        (task.started, task.ended),
        (Some(at("2026-05-20T09:40:00Z")), None)
    );
    assert_eq!(task.moved, Some(at("2026-05-20T09:41:30Z")));
    assert_eq!(task.resources[0].id, "5b1c7c2e");
    assert!(
        task.errors.is_empty(),
        "the log of what goes on is no error"
    );
    let ended = read(&documented("sucess"), None).unwrap();
    assert_eq!(
        (ended.status, ended.ended),
        (Status::Succeeded, Some(at("2026-05-20T09:41:30Z")))
    );
}

#[test]
fn the_real_form_has_no_time_that_can_be_read() {
    for word in ["pending", "dispatched", "error", "provisioned"] {
        let task = read(&real(word), None).unwrap();
        assert_eq!(
            (task.started, task.ended, task.moved),
            (None, None, None),
            "{word}"
        );
        assert!(!task.invalid_timestamps, "a time of day is no wrong time");
        assert!(task.resources.is_empty());
    }
}

#[test]
fn the_log_of_a_failure_is_its_error() {
    let task = read(&real("error"), None).unwrap();
    assert_eq!(task.status, Status::Failed);
    assert_eq!(
        task.errors[0].message.as_deref(),
        Some("host selection failed")
    );
    assert_eq!(task.error_code(), None);
}

#[test]
fn every_field_but_the_id_may_be_missing_or_odd() {
    let bare = read(
        &json!({"uuid": "a", "description": "x", "status": "pending"}),
        None,
    )
    .unwrap();
    assert_eq!(
        (bare.operation.as_str(), bare.status),
        ("unknown", Status::Pending)
    );
    let odd = read(
        &json!({
            "uuid": "a", "status": ["pending"], "type": {"a": 1}, "created": "yesterday",
            "last_update": 1_779_270_090, "description": null, "log": {"x": []}, "extra": [[[]]],
        }),
        None,
    );
    let odd = odd.unwrap();
    assert_eq!(
        (odd.status, odd.name.as_str()),
        (Status::Unknown, "unknown")
    );
    assert_eq!(odd.moved, Some(at("2026-05-20T09:41:30Z")));
    let wrong =
        json!({"uuid": "a", "status": "failed", "created": {"at": "soon"}, "last_update": "1"});
    let wrong = read(&wrong, None).unwrap();
    assert!(wrong.invalid_timestamps && wrong.started.is_none() && wrong.ended.is_none());
}

#[test]
fn the_id_of_the_request_stands_for_a_missing_one() {
    let json = json!({"status": "pending"});
    assert_eq!(read(&json, None).unwrap_err(), Skipped::NoId);
    assert_eq!(read(&json!({"uuid": 5}), None).unwrap_err(), Skipped::NoId);
    assert_eq!(read(&json, Some("b-1")).unwrap().id, "b-1");
    assert_eq!(read(&json!(["x"]), None).unwrap_err(), Skipped::NotAnObject);
}

#[test]
fn an_unknown_id_is_told_under_a_200() {
    assert_eq!(one(r#"{"error":"document not found"}"#).unwrap(), None);
    assert_eq!(
        one(r#"{"status":"error","error":"x"}"#)
            .unwrap()
            .unwrap()
            .status,
        Status::Failed
    );
    assert_eq!(
        one(&real("created").to_string()).unwrap().unwrap().id,
        "b-1"
    );
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "<html>",
        "Traceback (most recent call last):",
    ] {
        assert_eq!(one(body).unwrap_err().reason, Reason::Decode, "{body}");
    }
}

#[test]
fn a_200_without_tasks_is_an_error() {
    let reason = |body: &str| elements(body).unwrap_err().reason;
    assert_eq!(
        reason(r#"{"error":"document not found"}"#),
        Reason::ServerError
    );
    assert_eq!(
        reason(r#"{"tasks_by_status":"error","reason":"x"}"#),
        Reason::Decode
    );
    for body in [
        "",
        "{}",
        "[]",
        r#"{"tasks":null}"#,
        r#"{"tasks":{}}"#,
        "<html>",
        r#"{"tasks":[]"#,
    ] {
        assert_eq!(reason(body), Reason::Decode, "{body}");
    }
    assert_eq!(elements(r#"{"tasks":[]}"#).unwrap().len(), 0);
    assert_eq!(elements(r#"{"tasks":[{}, 5]}"#).unwrap().len(), 2);
    let secret = elements(r#"{"error":"password=x","tasks":5}"#).unwrap_err();
    assert!(!secret.detail.contains("password"), "{}", secret.detail);
}
