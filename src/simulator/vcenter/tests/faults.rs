use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::Value;

use super::support::{API_LIST, Bench, REST_SESSION, VM, clone_task, of};
use crate::simulator::{Endpoint, Fault, FaultKind};

/// A vCenter with two tasks and one fault in its lists.
async fn faulty(kind: FaultKind) -> Bench {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(clone_task("a").running());
    bench.sim.add(clone_task("b").running());
    bench.sim.inject(Fault::new(Endpoint::List, kind));
    bench
}

fn query() -> String {
    format!("filter_spec.services.1={VM}")
}

#[rstest]
#[case(401, "UNAUTHENTICATED")]
#[case(403, "UNAUTHORIZED")]
#[case(500, "INTERNAL_SERVER_ERROR")]
#[case(503, "SERVICE_UNAVAILABLE")]
#[tokio::test]
async fn codes_come_in_the_form_of_errors(#[case] code: u16, #[case] kind: &str) {
    let bench = faulty(FaultKind::Status(code)).await;
    assert_eq!(bench.api(&of(VM)).await.error(), (code, kind.to_owned()));
    let rest = bench.rest(&query()).await;
    assert_eq!(rest.error(), (code, kind.to_owned()));
    assert!(rest.json()["type"].is_string());
    assert_eq!(bench.sim.requests().pop().unwrap().status, code);
    assert_eq!(bench.sim.requests().pop().unwrap().services, [VM]);
}

#[tokio::test]
async fn faults_strike_their_calls_and_end() {
    let bench = Bench::new(|_| {}).await;
    let fault = |endpoint| Fault::new(endpoint, FaultKind::RetryAfter(503, 7)).times(1);
    bench.sim.inject(fault(Endpoint::Login));
    let answer = bench.login(REST_SESSION, "VMware123!").await;
    assert_eq!(answer.code, 503);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(bench.login(REST_SESSION, "VMware123!").await.code, 200);
    bench.sim.inject(fault(Endpoint::Task));
    assert_eq!(bench.api(&of(VM)).await.code, 200);
    assert_eq!(bench.get("/rest/cis/tasks/x").await.code, 503);
    assert_eq!(bench.get("/rest/cis/tasks/x").await.code, 404);
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Status(500)));
    bench.sim.clear_faults();
    assert_eq!(bench.get("/api/session").await.code, 200);
}

#[tokio::test]
async fn lists_can_be_of_the_wrong_type_or_double() {
    let bench = faulty(FaultKind::WrongType).await;
    assert!(bench.api(&of(VM)).await.good().is_array());
    assert!(bench.rest(&query()).await.good()["value"].is_object());
    let bench = faulty(FaultKind::DuplicatedPage).await;
    let rest = bench.rest(&query()).await.good();
    assert_eq!(rest["value"].as_array().unwrap().len(), 4);
    let api = bench.api(&of(VM)).await.text;
    assert_eq!(api.matches(&format!(r#""a:{VM}":"#)).count(), 2);
}

#[tokio::test]
async fn bodies_are_spoilt() {
    let bench = faulty(FaultKind::TruncatedJson).await;
    let text = bench.api(&of(VM)).await.text;
    assert!(serde_json::from_str::<Value>(&text).is_err());
    let bench = faulty(FaultKind::Html(502)).await;
    assert_eq!(bench.api(&of(VM)).await.code, 502);
    let bench = faulty(FaultKind::SlowHead(Duration::from_millis(1))).await;
    assert_eq!(bench.api(&of(VM)).await.code, 200);
    for kind in [FaultKind::CutBody, FaultKind::Dropped] {
        let bench = faulty(kind).await;
        let call = bench.call(Method::GET, &format!("/rest/cis/tasks?{}", query()));
        let answer = call.send().await;
        assert!(match answer {
            Ok(answer) => answer.bytes().await.is_err(),
            Err(_) => true,
        });
    }
}

#[rstest]
#[case(Method::GET, format!("/rest/cis/tasks?{}", query()), r#"{"value":[{"key":"#)]
#[case(Method::POST, API_LIST.to_owned(), r#"{"endless:"#)]
#[tokio::test]
async fn an_endless_list_begins_as_a_right_one(
    #[case] method: Method,
    #[case] path: String,
    #[case] start: &str,
) {
    let bench = faulty(FaultKind::EndlessBody).await;
    let mut answer = bench.call(method, &path).send().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 100_000 {
        seen.extend_from_slice(&answer.chunk().await.unwrap().unwrap());
    }
    assert!(String::from_utf8_lossy(&seen).starts_with(start));
}
