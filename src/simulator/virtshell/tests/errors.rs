use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use super::support::{A, B, Bench, create, send};
use crate::simulator::{Endpoint, VsShape};

const HTML: &str = "text/html; charset=UTF-8";

#[rstest]
#[case("/tasks")]
#[case("/")]
#[case("/tasks/status")]
#[case("/tasks/8B21A1E4-0000-4000-8000-00000000000A")]
#[case("/tasks/a/b")]
#[case("/hosts/")]
#[case("/api/virtshell/v1/tasks/")]
#[tokio::test]
async fn what_is_no_path_is_a_page(#[case] path: &str) {
    let bench = Bench::new(|_| {}).await;
    assert_eq!(bench.get(path).await.page(), (404, HTML));
    assert_eq!(bench.sim.requests()[0].endpoint, Endpoint::Unknown);
}

#[tokio::test]
async fn a_prefix_is_needed_where_there_is_one() {
    let bench = Bench::new(|options| options.prefix = "/api/virtshell/v1".to_owned()).await;
    bench.sim.add(create(A));
    assert_eq!(bench.get("/tasks/").await.page(), (404, HTML));
    assert_eq!(bench.get("/api/virtshell/v1/tasks").await.code, 404);
    assert_eq!(bench.get("/api/virtshell/v1/tasks/").await.uuids(), [A]);
    let one = format!("/api/virtshell/v1/tasks/{A}");
    assert_eq!(bench.get(&one).await.good()["uuid"], A);
}

#[rstest]
#[case(Method::HEAD, "/tasks/")]
#[case(Method::PATCH, "/tasks/")]
#[case(Method::POST, "/tasks/status/pending")]
#[tokio::test]
async fn other_methods_are_405(#[case] method: Method, #[case] path: &str) {
    let bench = Bench::new(|_| {}).await;
    assert_eq!(send(bench.call(method, path)).await.code, 405);
}

#[rstest]
#[case(VsShape::Real)]
#[case(VsShape::Documented)]
#[tokio::test]
async fn unknown_uuids_are_errors_with_200(#[case] shape: VsShape) {
    let bench = Bench::shaped(shape).await;
    bench.sim.add(create(A));
    assert_eq!(bench.task(B).await, json!({"error": "document not found"}));
}

#[tokio::test]
async fn an_empty_status_is_an_error_with_200() {
    let bench = Bench::new(|_| {}).await;
    let body = bench.get("/tasks/status/").await.good();
    assert_eq!(body["tasks_by_status"], "error");
    assert!(body["reason"].is_string());
    assert!(body.get("tasks").is_none());
}

#[tokio::test]
async fn without_its_database_it_hangs_and_then_shows_a_traceback() {
    let bench = Bench::new(|options| options.hang = true).await;
    let mut calls = JoinSet::new();
    calls.spawn(send(bench.call(Method::GET, "/tasks/")));
    while bench.sim.request_count() == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    let asked = tokio::time::Instant::now();
    let answer = calls.join_next().await.unwrap().unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(29));
    assert_eq!(answer.page(), (500, "text/plain"));
    assert!(
        answer
            .text
            .starts_with("Traceback (most recent call last):")
    );
    tokio::time::resume();
    bench.sim.configure(|options| options.hang = false);
    bench.get("/tasks/").await.good();
}
