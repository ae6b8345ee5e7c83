use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{A, B, Bench, create};
use crate::simulator::{Endpoint, Fault, FaultKind};

/// A server with two tasks and one fault in its lists.
async fn faulty(kind: FaultKind) -> Bench {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A));
    bench.sim.add(create(B));
    bench.sim.inject(Fault::new(Endpoint::List, kind));
    bench
}

#[tokio::test]
async fn codes_have_the_documented_body() {
    let bench = faulty(FaultKind::Status(406)).await;
    let answer = bench.get("/tasks/").await;
    assert_eq!(answer.code, 406);
    assert!(answer.json()["error"].is_string());
    assert!(!answer.headers.contains_key("etag"));
    let bench = faulty(FaultKind::Status(500)).await;
    assert_eq!(bench.get("/tasks/").await.page(), (500, "text/plain"));
    assert_eq!(bench.sim.requests()[0].status, 500);
}

#[tokio::test]
async fn faults_strike_their_calls_and_end() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A));
    let fault = |endpoint| Fault::new(endpoint, FaultKind::RetryAfter(503, 7)).times(1);
    bench.sim.inject(fault(Endpoint::Task));
    assert_eq!(bench.get("/tasks/").await.code, 200);
    let one = format!("/tasks/{A}");
    let answer = bench.get(&one).await;
    assert_eq!(answer.code, 503);
    assert_eq!(answer.headers["retry-after"], "7");
    assert_eq!(bench.get(&one).await.code, 200);
    for (method, endpoint) in [
        (Method::POST, Endpoint::Create),
        (Method::PUT, Endpoint::Update),
        (Method::DELETE, Endpoint::Delete),
    ] {
        bench.sim.inject(fault(endpoint));
        let answer = bench.with(method, &one, &json!({})).await;
        assert_eq!(answer.code, 503);
    }
    assert_eq!(bench.sim.tasks().len(), 1);
    let any = Fault::new(Endpoint::Any, FaultKind::Status(400));
    bench.sim.inject(any);
    bench.sim.clear_faults();
    assert_eq!(bench.get("/tasks/").await.code, 200);
}

#[tokio::test]
async fn lists_can_be_of_the_wrong_type_or_double() {
    let bench = faulty(FaultKind::WrongType).await;
    assert!(bench.get("/tasks/").await.good()["tasks"].is_object());
    let bench = faulty(FaultKind::DuplicatedPage).await;
    assert_eq!(bench.get("/tasks/").await.uuids(), [A, B, A, B]);
}

#[tokio::test]
async fn bodies_are_spoilt() {
    let bench = faulty(FaultKind::TruncatedJson).await;
    let text = bench.get("/tasks/").await.text;
    assert!(serde_json::from_str::<Value>(&text).is_err());
    let bench = faulty(FaultKind::EmptyBody).await;
    assert_eq!(bench.get("/tasks/").await.text, "");
    let bench = faulty(FaultKind::Html(502)).await;
    assert_eq!(bench.get("/tasks/").await.code, 502);
    let bench = faulty(FaultKind::SlowHead(Duration::from_millis(1))).await;
    assert_eq!(bench.get("/tasks/").await.code, 200);
    for kind in [FaultKind::CutBody, FaultKind::Dropped] {
        let bench = faulty(kind).await;
        let answer = bench.call(Method::GET, "/tasks/").send().await;
        assert!(match answer {
            Ok(answer) => answer.bytes().await.is_err(),
            Err(_) => true,
        });
    }
}

#[tokio::test]
async fn an_endless_list_begins_as_a_right_one() {
    let bench = faulty(FaultKind::EndlessBody).await;
    let mut answer = bench.call(Method::GET, "/tasks/").send().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 100_000 {
        seen.extend_from_slice(&answer.chunk().await.unwrap().unwrap());
    }
    assert!(String::from_utf8_lossy(&seen).starts_with(r#"{"tasks":[{"uuid":"#));
}
