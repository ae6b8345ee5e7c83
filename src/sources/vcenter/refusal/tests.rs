use serde_json::{Value, json};

use super::*;

fn refusal(status: u16, body: &str) -> (Refusal, Answer) {
    let answer = Answer {
        endpoint: "/api/cis/tasks",
        status: StatusCode::from_u16(status).unwrap(),
        body: body.to_owned().into(),
        retry_after: None,
        etag: None,
    };
    (Refusal::read(&answer), answer)
}

/// An error as `/rest` says it: since 7.0.3, before that, and since 7.0.2 as
/// `/api` does, with and without the type that is optional there.
fn bodies(name: &str) -> [Value; 3] {
    let class = format!("com.vmware.vapi.std.errors.{name}");
    let messages = json!([{"id": "vapi.some.message", "default_message": "Ungültig", "args": []}]);
    [
        json!({"type": class, "value": {"error_type": name.to_uppercase(), "messages": messages}}),
        json!({"type": class, "value": {"messages": messages}}),
        json!({"error_type": name.to_uppercase(), "messages": messages}),
    ]
}

/// Each error with its kind and what it means, and with all the statuses that
/// the documents give it: `/rest` 7.0.x, the developer portal, `/api` 7.0.2 to 9.1.
const TABLE: [(&str, Kind, Fault, Reason, &[u16]); 7] = [
    (
        "invalid_argument",
        Kind::Invalid,
        Fault::Refused,
        Reason::Protocol,
        &[400],
    ),
    (
        "resource_inaccessible",
        Kind::Inaccessible,
        Fault::Capped,
        Reason::ServerError,
        &[400, 404, 500],
    ),
    (
        "unauthenticated",
        Kind::Unauthenticated,
        Fault::Unavailable,
        Reason::Unauthorized,
        &[401],
    ),
    (
        "unauthorized",
        Kind::Unauthorized,
        Fault::Refused,
        Reason::Forbidden,
        &[403, 401],
    ),
    (
        "service_unavailable",
        Kind::Unavailable,
        Fault::Unavailable,
        Reason::ServerError,
        &[503],
    ),
    (
        "not_found",
        Kind::NotFound,
        Fault::Refused,
        Reason::Protocol,
        &[404],
    ),
    (
        "internal_server_error",
        Kind::Unavailable,
        Fault::Unavailable,
        Reason::ServerError,
        &[500],
    ),
];

#[test]
fn an_error_is_told_by_its_type_whatever_its_status() {
    for (name, kind, fault, reason, statuses) in TABLE {
        for status in statuses {
            for body in bodies(name) {
                let (refusal, answer) = refusal(*status, &body.to_string());
                assert_eq!(
                    (refusal.kind, refusal.fault()),
                    (kind, fault),
                    "{status} {body}"
                );
                let error = refusal.error(answer);
                assert_eq!(error.reason, reason, "{status} {body}");
                assert!(
                    error.detail.contains(&name.to_uppercase()),
                    "{}",
                    error.detail
                );
            }
        }
    }
}

#[test]
fn a_status_decides_where_the_body_tells_nothing() {
    let table = [
        (400, Kind::Untold, Fault::Unclear),
        (401, Kind::Unauthenticated, Fault::Unavailable),
        (403, Kind::Unauthorized, Fault::Refused),
        (404, Kind::NoPath, Fault::Unclear),
        (405, Kind::NoPath, Fault::Unclear),
        (500, Kind::Untold, Fault::Unclear),
        (502, Kind::Unavailable, Fault::Unavailable),
        (503, Kind::Unavailable, Fault::Unavailable),
        (504, Kind::Unavailable, Fault::Unavailable),
    ];
    for body in [
        "",
        "<html>no</html>",
        "{}",
        "[]",
        "{\"value\":[]}",
        "\"text\"",
        "{\"messages\":[]}",
    ] {
        for (status, kind, fault) in table {
            let (refusal, _answer) = refusal(status, body);
            assert_eq!(
                (refusal.kind, refusal.fault()),
                (kind, fault),
                "{status} {body}"
            );
        }
    }
}

#[test]
fn a_body_without_a_type_is_told_by_the_statuses_of_its_dialect() {
    let body = r#"{"messages":[{"id":"vapi.some.message","default_message":"x","args":[]}]}"#;
    for (status, kind, fault) in [
        (400, Kind::Invalid, Fault::Refused),
        (401, Kind::Unauthenticated, Fault::Unavailable),
        (403, Kind::Unauthorized, Fault::Refused),
        (404, Kind::NotFound, Fault::Refused),
        (500, Kind::Untold, Fault::Unclear),
        (503, Kind::Unavailable, Fault::Unavailable),
    ] {
        let (refusal, _answer) = refusal(status, body);
        assert_eq!((refusal.kind, refusal.fault()), (kind, fault), "{status}");
    }
}

#[test]
fn a_path_that_does_not_exist_is_told_in_three_ways() {
    let old = json!({
        "name": "com.vmware.vapi.rest.httpNotFound", "majorErrorCode": 404,
        "localizableMessages": [{"id": "com.vmware.vapi.rest.httpNotFound", "defaultMessage": "Not found"}],
    });
    let id = |id: &str| json!({"type": "com.vmware.vapi.std.errors.not_found", "value": {"messages": [{"id": id}]}});
    let bodies = [
        old,
        id("com.vmware.vapi.rest.httpNotFound"),
        id("com.vmware.vapi.rest.operationsForUrlNotFound"),
        json!({"error_type": "OPERATION_NOT_FOUND", "messages": []}),
    ];
    for body in bodies {
        assert_eq!(
            refusal(404, &body.to_string()).0.kind,
            Kind::NoPath,
            "{body}"
        );
    }
}

#[test]
fn too_many_sessions_are_told_from_a_proxy_that_is_down() {
    let id = "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached";
    let full = json!({"error_type": "SERVICE_UNAVAILABLE", "messages": [{"id": id, "args": ["550", "a"]}]});
    assert!(refusal(503, &full.to_string()).0.is_of_full_sessions());
    // As a vCenter says that is about to start.
    let starts = json!({"error_type": "SERVICE_UNAVAILABLE", "messages": [{"id": "com.vmware.vapi.endpoint.cis.ServiceUnavailable"}]});
    assert!(!refusal(503, &starts.to_string()).0.is_of_full_sessions());
    assert!(
        !refusal(503, "upstream connect error")
            .0
            .is_of_full_sessions()
    );
}

#[test]
fn what_is_said_of_an_error_holds_no_text_of_the_answer() {
    let body = json!({"error_type": "INVALID_ARGUMENT", "messages": [
        {"id": "vapi.bad", "default_message": "secret text", "args": ["secret argument"]},
    ]});
    let (refusal, answer) = refusal(400, &body.to_string());
    let detail = refusal.error(answer).detail;
    assert!(
        detail.contains("vapi.bad") && !detail.contains("secret"),
        "{detail}"
    );
}
