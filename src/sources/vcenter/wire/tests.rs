use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::page::elements;
use super::*;
use crate::sources::vcenter::dialect::Dialect;

const BOTH: [Dialect; 2] = [Dialect::Rest, Dialect::Api];

fn frame() -> TimeFrame {
    TimeFrame::new("2026-11-20T12:00:00Z".parse().unwrap())
}

fn read(json: &Value) -> Read {
    task(
        "52a1:com.vmware.vcenter.VM".to_owned(),
        &json.to_string(),
        frame(),
    )
    .unwrap()
}

/// A failed task with this error.
fn failed(error: &Value) -> Task {
    read(&json!({"status": "FAILED", "error": error})).task
}

/// As captured on 8.0.3, with what is not asked for.
fn captured() -> Value {
    json!({
        "cancelable": false,
        "description": {
            "args": [], "default_message": "Task created by VMware vSphere Lifecycle Manager",
            "id": "com.vmware.vcIntegrity.lifecycle.Task.Description",
        },
        "end_time": "2026-11-20T11:02:07.512Z",
        "last_update_time": "2026-11-20T11:02:07.512Z",
        "notifications": {"info": []},
        "operation": "check_compliance$task",
        "parent": "",
        "progress": {"completed": 100, "total": 100, "message": {"args": [], "default_message": "x", "id": "y"}},
        "service": "com.vmware.esx.settings.clusters.configuration",
        "start_time": "2026-11-20T13:02:00+02:00",
        "status": "SUCCEEDED",
        "target": {"id": "domain-c9", "type": "ClusterComputeResource"},
        "user": "Administrator@VSPHERE.LOCAL",
    })
}

#[test]
fn a_captured_task_is_read_whole() {
    let read = read(&captured());
    assert_eq!(read.operation.as_deref(), Some("check_compliance"));
    let task = read.task;
    assert_eq!(
        task.operation,
        "com.vmware.esx.settings.clusters.configuration.check_compliance"
    );
    assert_eq!(
        task.name,
        "Task created by VMware vSphere Lifecycle Manager"
    );
    assert_eq!(
        (task.status, task.word.as_str()),
        (Status::Succeeded, "succeeded")
    );
    assert_eq!(task.started, Some("2026-11-20T11:02:00Z".parse().unwrap()));
    assert_eq!(
        task.ended,
        Some("2026-11-20T11:02:07.512Z".parse().unwrap())
    );
    assert_eq!(task.progress, Some(1.0));
    assert_eq!(task.resources[0].id, "domain-c9");
    assert_eq!(task.resources[0].kind, "ClusterComputeResource");
    assert!(!task.invalid_timestamps && task.errors.is_empty() && task.subtasks.is_empty());
}

#[test]
fn a_list_is_read_in_either_dialect() {
    for dialect in BOTH {
        let body = match dialect {
            Dialect::Rest => json!({"value": [{"key": "a:b", "value": captured()}]}),
            Dialect::Api => json!({"a:b": captured()}),
        };
        let body = body.to_string();
        let list = elements(dialect, &body).unwrap();
        let (id, json) = list[0].as_ref().unwrap();
        assert_eq!((list.len(), id.as_str()), (1, "a:b"), "{dialect:?}");
        assert_eq!(
            task(id.clone(), json.get(), frame()).unwrap().task.status,
            Status::Succeeded
        );
    }
    assert!(
        elements(Dialect::Rest, r#"{"value":[]}"#)
            .unwrap()
            .is_empty()
    );
    assert!(elements(Dialect::Api, "{}").unwrap().is_empty());
}

#[test]
fn what_is_no_list_is_an_error() {
    for body in [
        "",
        "[]",
        "{}",
        "{\"value\":{}}",
        "<html>",
        "{\"value\":[",
        "{\"value\":[]}x",
    ] {
        assert!(elements(Dialect::Rest, body).is_err(), "{body}");
    }
    for body in ["", "[]", "null", "<html>", "{\"a\":{}", "\"x\""] {
        assert!(elements(Dialect::Api, body).is_err(), "{body}");
    }
}

#[test]
fn a_bad_element_spoils_no_other() {
    let deep = format!(
        "{}{}",
        r#"{"subtasks":{"x":"#.repeat(80),
        "{}".to_owned() + &"}}".repeat(80)
    );
    let body = format!(
        r#"{{"value":[5,null,{{"value":{{}}}},{{"key":7,"value":{{}}}},{{"key":" ","value":{{}}}},
        {{"key":"a","value":"text"}},{{"key":"b","value":{deep}}},{{"key":"c","value":{{}}}}]}}"#
    );
    let of_element = |element: Result<(String, &RawValue), Skipped>| {
        let (id, json) = element?;
        task(id, json.get(), frame()).map(|read| read.task.id)
    };
    let list: Vec<_> = elements(Dialect::Rest, &body)
        .unwrap()
        .into_iter()
        .map(of_element)
        .collect();
    let (no_object, no_id) = (Err(Skipped::NotAnObject), Err(Skipped::NoId));
    let expected = [
        no_object.clone(),
        no_object.clone(),
        no_id.clone(),
        no_id.clone(),
        no_id,
        no_object,
        Err(Skipped::TooDeep),
        Ok("c".to_owned()),
    ];
    assert_eq!(list, expected);
}

#[test]
fn the_words_of_a_status_are_few_and_unknown_ones_are_unknown() {
    for (word, status) in [
        ("PENDING", Status::Pending),
        ("RUNNING", Status::Running),
        ("BLOCKED", Status::Blocked),
        ("SUCCEEDED", Status::Succeeded),
        ("FAILED", Status::Failed),
        (" failed ", Status::Failed),
        ("QUEUED", Status::Unknown),
        ("", Status::Unknown),
    ] {
        assert_eq!(read(&json!({"status": word})).task.status, status, "{word}");
    }
    assert_eq!(read(&json!({})).task.status, Status::Unknown);
}

#[test]
fn a_task_that_waits_has_no_times_and_is_whole() {
    let waiting = read(&json!({
        "status": "PENDING", "service": "com.vmware.vcenter.VM", "operation": "clone",
        "description": {"id": "x", "default_message": "", "args": []}, "cancelable": true,
    }));
    let task = waiting.task;
    assert_eq!(
        (task.started, task.ended, task.invalid_timestamps),
        (None, None, false)
    );
    assert_eq!(task.name, "com.vmware.vcenter.VM.clone");
    assert_eq!(task.progress, None);
}

#[test]
fn cancelled_is_the_type_of_an_error() {
    let messages = json!([{"id": "x", "default_message": "Cancelled by the user", "args": []}]);
    for error in [
        json!({"@class": "com.vmware.vapi.std.errors.canceled", "error_type": "CANCELED", "messages": messages}),
        json!({"@class": "com.vmware.vapi.std.errors.canceled", "messages": messages}),
        json!({"error_type": "CANCELED"}),
        json!({"type": "com.vmware.vapi.std.errors.canceled", "messages": []}),
        json!("com.vmware.vapi.std.errors.canceled"),
        json!("CANCELED"),
    ] {
        let task = failed(&error);
        assert_eq!(task.status, Status::Cancelled, "{error}");
        // The word is the source's own: no event if only the error comes later.
        assert_eq!(task.word, "failed");
    }
}

#[test]
fn an_error_is_an_object_a_text_or_nothing() {
    let object = failed(&json!({
        "error_type": "TIMED_OUT",
        "messages": [
            {"id": "a", "default_message": "Took too long", "localized": "Dauerte zu lange", "args": []},
            {"id": "b", "default_message": "Host esx-1", "args": []},
        ],
    }));
    assert_eq!(object.error_code().as_deref(), Some("TIMED_OUT"));
    assert_eq!(
        object.errors[0].message.as_deref(),
        Some("Dauerte zu lange")
    );
    assert_eq!(
        object.errors[0].causes[0].message.as_deref(),
        Some("Host esx-1")
    );
    let text = failed(&json!("The disk is full"));
    assert_eq!(text.errors[0].message.as_deref(), Some("The disk is full"));
    assert_eq!(text.error_code(), None);
    for nothing in [json!(null), json!(""), json!(5), json!([])] {
        let task = failed(&nothing);
        assert_eq!(
            (task.status, task.errors.len()),
            (Status::Failed, 0),
            "{nothing}"
        );
    }
}

#[test]
fn progress_is_a_ratio_where_there_is_one() {
    let progress = |progress: Value| {
        read(&json!({"status": "RUNNING", "progress": progress}))
            .task
            .progress
    };
    assert_eq!(
        progress(json!({"total": 200, "completed": 50, "message": {}})),
        Some(0.25)
    );
    assert_eq!(progress(json!({"total": 0, "completed": 0})), None);
    assert_eq!(progress(json!({"total": -1, "completed": 1})), None);
    assert_eq!(progress(json!({"total": 100, "completed": 140})), Some(1.0));
    assert_eq!(progress(json!({"total": 100})), None);
    assert_eq!(progress(json!(null)), None);
    for (completed, total) in [
        ("NaN", "1"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("1", "nan"),
    ] {
        assert_eq!(
            progress(json!({"completed": completed, "total": total})),
            None
        );
    }
}

#[test]
fn sub_tasks_are_a_map_or_pairs_and_their_failure_is_where_it_failed() {
    let child = json!({
        "status": "FAILED", "operation": "remediate$task", "description": {"default_message": "Host esx-1"},
        "error": {"error_type": "TIMED_OUT"},
        "start_time": "2026-11-20T11:00:00Z", "end_time": "2026-11-20T11:10:00Z",
    });
    for subtasks in [
        json!({"t-1": child}),
        json!([{"key": "t-1", "value": child}]),
    ] {
        let task = read(&json!({"status": "FAILED", "subtasks": subtasks})).task;
        let nodes = task.failed_nodes();
        assert_eq!(
            (nodes.len(), nodes[0].name()),
            (1, "Host esx-1"),
            "{subtasks}"
        );
        assert_eq!(task.error_code().as_deref(), Some("TIMED_OUT"));
    }
}

#[test]
fn an_end_of_a_task_that_goes_on_is_no_end() {
    let task = read(&json!({
        "status": "RUNNING", "start_time": "2026-11-20T11:00:00Z", "end_time": "2026-11-20T11:10:00Z",
    }));
    assert_eq!(task.task.ended, None);
}

#[test]
fn one_task_is_read_in_either_dialect() {
    let wrapped = json!({"value": captured()}).to_string();
    let bare = captured().to_string();
    for (dialect, body) in [(Dialect::Rest, wrapped), (Dialect::Api, bare)] {
        let json = one(dialect, &body).unwrap();
        assert_eq!(
            task("a".to_owned(), json.get(), frame())
                .unwrap()
                .task
                .status,
            Status::Succeeded
        );
    }
    assert!(one(Dialect::Rest, "{}").is_err());
}
