use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::support::{Bench, REST_SESSION, VM, clone_task, of, send};
use crate::simulator::{ErrorForm, ProviderState};

/// A vCenter with more tasks of machines than a list may have.
async fn overfull(form: ErrorForm) -> Bench {
    let bench = Bench::new(|options| {
        options.error_form = form;
        options.cap = 0;
    })
    .await;
    bench.sim.add(clone_task("a"));
    bench
}

fn rest_query() -> String {
    format!("filter_spec.services.1={VM}")
}

#[tokio::test]
async fn typed_errors_name_their_type_in_both_dialects() {
    let bench = overfull(ErrorForm::Typed).await;
    let rest = bench.rest(&rest_query()).await;
    let body = rest.json();
    assert_eq!(rest.code, 400);
    assert_eq!(
        body["type"],
        "com.vmware.vapi.std.errors.resource_inaccessible"
    );
    assert_eq!(body["value"]["error_type"], "RESOURCE_INACCESSIBLE");
    let text = &body["value"]["messages"][0];
    assert!(
        text["default_message"].is_string() && text["args"].is_array(),
        "{body}"
    );
    let api = bench.api(&of(VM)).await;
    assert_eq!(api.code, 500);
    assert_eq!(api.json()["messages"], body["value"]["messages"]);
    assert_eq!(api.json()["error_type"], "RESOURCE_INACCESSIBLE");
}

#[tokio::test]
async fn bare_errors_have_no_error_type() {
    let bench = overfull(ErrorForm::Bare).await;
    let body = bench.rest(&rest_query()).await.json();
    assert_eq!(
        body["type"],
        "com.vmware.vapi.std.errors.resource_inaccessible"
    );
    assert!(body["value"].get("error_type").is_none(), "{body}");
    assert!(body["value"]["messages"].is_array(), "{body}");
    let body = bench.api(&of(VM)).await.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
}

#[tokio::test]
async fn errors_by_status_have_no_readable_body() {
    let bench = overfull(ErrorForm::ByStatus).await;
    for answer in [bench.rest(&rest_query()).await, bench.api(&of(VM)).await] {
        assert!([400, 500].contains(&answer.code));
        assert!(serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
    }
}

#[tokio::test]
async fn swapped_errors_have_the_statuses_of_the_portal() {
    let bench = overfull(ErrorForm::Swapped).await;
    let error = (404, "RESOURCE_INACCESSIBLE".to_owned());
    assert_eq!(bench.rest(&rest_query()).await.error(), error);
    assert_eq!(bench.api(&of(VM)).await.error(), error);
    bench.sim.configure(|options| {
        for provider in &mut options.providers {
            provider.state = ProviderState::Forbidden;
        }
    });
    let error = (401, "UNAUTHORIZED".to_owned());
    assert_eq!(bench.rest(&rest_query()).await.error(), error);
}

#[tokio::test]
async fn a_vcenter_of_6_7_has_no_api() {
    let bench = Bench::new(|options| options.api = false).await;
    let answer = bench.login("/api/session", "VMware123!").await;
    assert_eq!(answer.code, 404);
    let id = "com.vmware.vapi.rest.httpNotFound";
    let body = json!({
        "name": id,
        "majorErrorCode": 404,
        "localizableMessages": [{"id": id, "defaultMessage": "Not found."}],
    });
    assert_eq!(answer.json(), body);
    assert_eq!(bench.api(&of(VM)).await.json(), body);
    assert_eq!(bench.rest(&rest_query()).await.code, 200);
}

#[tokio::test]
async fn a_later_vcenter_may_have_no_rest() {
    let bench = Bench::new(|options| options.rest = false).await;
    for answer in [
        bench.login(REST_SESSION, "VMware123!").await,
        bench.rest(&rest_query()).await,
    ] {
        assert_eq!(answer.error(), (404, "NOT_FOUND".to_owned()));
        assert_eq!(answer.message_id(), "com.vmware.vapi.rest.httpNotFound");
    }
    assert_eq!(bench.api(&of(VM)).await.code, 200);
}

#[rstest]
#[case(Method::GET, "/api/cis/tasks", "operationsForUrlNotFound")]
#[case(Method::POST, "/api/cis/tasks", "operationsForUrlNotFound")]
#[case(Method::POST, "/rest/cis/tasks", "operationsForUrlNotFound")]
#[case(Method::DELETE, "/api/cis/tasks/x", "operationsForUrlNotFound")]
#[case(Method::GET, REST_SESSION, "operationsForUrlNotFound")]
#[case(Method::GET, "/api/cis", "httpNotFound")]
#[case(Method::GET, "/rest/cis/tasks/x/y", "httpNotFound")]
#[tokio::test]
async fn other_paths_are_not_found_without_a_session_too(
    #[case] method: Method,
    #[case] path: &str,
    #[case] id: &str,
) {
    let bench = Bench::new(|_| {}).await;
    let answer = send(bench.bare(method, path)).await;
    assert_eq!(answer.error(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(answer.message_id(), format!("com.vmware.vapi.rest.{id}"));
}

#[tokio::test]
async fn an_unknown_id_is_not_found() {
    let bench = Bench::new(|_| {}).await;
    for path in ["/rest/cis/tasks", "/api/cis/tasks"] {
        let answer = bench.get(&format!("{path}/x:{VM}")).await;
        assert_eq!(answer.error(), (404, "NOT_FOUND".to_owned()));
    }
    assert_eq!(send(bench.bare(Method::GET, "/ui")).await.code, 404);
}

#[tokio::test]
async fn every_answer_has_the_date_of_its_clock() {
    let skew = jiff::SignedDuration::from_mins(-5);
    let bench = Bench::new(|options| options.skew = skew).await;
    for path in ["/api/session", "/rest/cis/tasks", "/api/cis", "/"] {
        let answer = bench.get(path).await;
        assert_eq!(
            answer.headers["date"], "Fri, 20 Nov 2026 14:55:00 GMT",
            "{path}"
        );
        assert_eq!(answer.headers.get_all("date").iter().count(), 1);
    }
    let id = bench.sim.add(clone_task("a").running());
    assert_eq!(
        bench.task(&id).await["start_time"],
        "2026-11-20T14:55:00.000Z"
    );
}
