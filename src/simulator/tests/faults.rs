use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Bench, ids};
use crate::simulator::{Endpoint, Fault, FaultKind};

/// A simulator with three tasks and one fault in its list.
async fn faulty(kind: FaultKind) -> Bench {
    let bench = Bench::new(|_| {}).await;
    bench.add_many(3);
    bench.sim.inject(Fault::new(Endpoint::List, kind));
    bench
}

#[rstest]
#[case(FaultKind::Status(401), 401, "application/json")]
#[case(FaultKind::Status(403), 403, "application/json")]
#[case(FaultKind::Status(500), 500, "application/json")]
#[case(FaultKind::Html(502), 502, "text/html")]
#[case(FaultKind::Html(200), 200, "text/html")]
#[tokio::test]
async fn codes_and_html(#[case] kind: FaultKind, #[case] code: u16, #[case] media: &str) {
    let bench = faulty(kind).await;
    let answer = bench.get("/v1/tasks").await;
    assert_eq!(answer.status(), code);
    assert_eq!(answer.headers()["content-type"], media);
    assert!(!answer.text().await.unwrap().is_empty());
    assert_eq!(bench.sim.requests().pop().unwrap().status, code);
}

#[tokio::test]
async fn some_faults_say_when_to_come_again() {
    for code in [429, 503] {
        let bench = faulty(FaultKind::RetryAfter(code, 7)).await;
        let answer = bench.get("/v1/tasks").await;
        assert_eq!(answer.status(), code);
        assert_eq!(answer.headers()["retry-after"], "7");
    }
}

#[tokio::test]
async fn a_redirect_names_another_place() {
    let bench = faulty(FaultKind::Redirect("http://127.0.0.1:9/".into())).await;
    let answer = bench.get("/v1/tasks").await;
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "http://127.0.0.1:9/");
}

#[tokio::test]
async fn bodies_are_empty_or_truncated() {
    let bench = faulty(FaultKind::EmptyBody).await;
    assert_eq!(bench.get("/v1/tasks").await.text().await.unwrap(), "");
    let bench = faulty(FaultKind::TruncatedJson).await;
    let text = bench.get("/v1/tasks").await.text().await.unwrap();
    assert!(text.starts_with(r#"{"elements":["#));
    assert!(serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn a_cut_body_ends_before_its_length() {
    let bench = faulty(FaultKind::CutBody).await;
    let mut answer = bench.get("/v1/tasks").await;
    assert_eq!(answer.status(), 200);
    let promised = answer.content_length().unwrap();
    let mut seen = 0;
    let error = loop {
        match answer.chunk().await {
            Ok(Some(piece)) => seen += u64::try_from(piece.len()).unwrap(),
            Ok(None) => panic!("the body was whole"),
            Err(error) => break error,
        }
    };
    assert!(seen > 0 && seen < promised, "{seen} of {promised}: {error}");
}

#[tokio::test]
async fn a_dropped_connection_gives_no_answer() {
    let bench = faulty(FaultKind::Dropped).await;
    assert!(bench.call(Method::GET, "/v1/tasks").send().await.is_err());
}

#[tokio::test]
async fn slow_answers_are_whole_in_the_end() {
    let pause = Duration::from_millis(1);
    for kind in [
        FaultKind::SlowHead(pause),
        FaultKind::SlowBody { piece: 512, pause },
    ] {
        let bench = faulty(kind).await;
        assert_eq!(bench.ids("").await.len(), 3);
    }
}

#[tokio::test]
async fn an_answer_can_be_slower_than_patience() {
    let pause = Duration::from_secs(3600);
    for kind in [
        FaultKind::SlowHead(pause),
        FaultKind::SlowBody { piece: 1, pause },
    ] {
        let bench = faulty(kind).await;
        let call = bench.call(Method::GET, "/v1/tasks");
        let call = call.timeout(Duration::from_millis(50));
        let answer = async { call.send().await?.bytes().await };
        assert!(answer.await.unwrap_err().is_timeout());
    }
}

#[tokio::test]
async fn an_endless_body_goes_on() {
    let bench = faulty(FaultKind::EndlessBody).await;
    let mut answer = bench.get("/v1/tasks").await;
    let mut seen = 0;
    while seen < 4_000_000 {
        seen += answer.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn lists_are_wrong_in_many_ways() {
    let bench = faulty(FaultKind::WrongType).await;
    assert_eq!(bench.json("/v1/tasks").await["elements"], json!({}));
    let bench = faulty(FaultKind::DuplicatedPage).await;
    let twice = bench.ids("?pageNumber=1&pageSize=2").await;
    assert_eq!(twice, ["t1", "t2", "t1", "t2"]);
    let bench = faulty(FaultKind::RepeatedPage).await;
    let list = bench.json("/v1/tasks?pageNumber=700&pageSize=2").await;
    assert_eq!(ids(&list), ["t1", "t2"]);
    assert_eq!(list["pageMetadata"]["pageNumber"], 700);
    let lie = FaultKind::LyingTotals {
        elements: 1,
        pages: 9,
    };
    let bench = faulty(lie).await;
    let list = bench.json("/v1/tasks").await;
    assert_eq!(ids(&list).len(), 3);
    assert_eq!(list["pageMetadata"]["totalElements"], 1);
    assert_eq!(list["pageMetadata"]["totalPages"], 9);
}

#[tokio::test]
async fn a_fault_strikes_so_many_requests_of_one_call() {
    let mut bench = Bench::new(|_| {}).await;
    let fault = Fault::new(Endpoint::List, FaultKind::Status(500));
    bench.sim.inject(fault.times(2).after(1));
    let mut codes = Vec::new();
    for _ in 0..4 {
        assert_eq!(bench.code(Method::GET, "/v1/tasks/x").await, 404);
        codes.push(bench.code(Method::GET, "/v1/tasks").await.as_u16());
    }
    assert_eq!(codes, [200, 500, 500, 200]);
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Status(503)));
    assert!(bench.log_in().await["accessToken"].is_null());
    assert_eq!(bench.code(Method::GET, "/v1/restores/tasks/x").await, 503);
    bench.sim.clear_faults();
    bench.log_in().await;
    assert_eq!(bench.code(Method::GET, "/v1/tasks").await, 200);
}
