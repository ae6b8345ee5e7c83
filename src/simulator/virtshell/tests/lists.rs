use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use super::support::{A, Answer, B, Bench, create, send};
use crate::simulator::VsShape;

/// A list call of one who knows a tag.
async fn knowing(bench: &Bench, tag: &str) -> Answer {
    let call = bench.call(Method::GET, "/tasks/");
    send(call.header("if-none-match", tag)).await
}

#[rstest]
#[case(VsShape::Real)]
#[case(VsShape::Documented)]
#[tokio::test]
async fn tasks_come_in_the_order_of_their_births(#[case] shape: VsShape) {
    let bench = Bench::shaped(shape).await;
    assert_eq!(bench.get("/tasks/").await.good(), json!({"tasks": []}));
    bench.sim.add(create(B));
    bench.sim.add(create(A));
    let list = bench.get("/tasks/?limit=1").await;
    assert_eq!(list.uuids(), [B, A]);
    assert_eq!(list.good()["tasks"][0], bench.task(B).await);
    bench.sim.add(create(B).status("received"));
    assert_eq!(bench.get("/tasks/").await.uuids(), [B, A]);
    bench.sim.remove(B);
    assert_eq!(bench.get("/tasks/").await.uuids(), [A]);
    bench.sim.clear();
    assert!(bench.get("/tasks/").await.uuids().is_empty());
}

#[rstest]
#[case("/tasks/status/")]
#[case("/tasks/")]
#[tokio::test]
async fn both_spellings_of_by_status_are_served(#[case] start: &str) {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A).status("setting up"));
    bench.sim.add(create(B).status("set+up&more"));
    let uuids = async |status: &str| bench.get(&format!("{start}{status}")).await.uuids();
    assert_eq!(uuids("setting%20up").await, [A]);
    assert_eq!(uuids("set+up&more").await, [B]);
    assert!(uuids("Setting%20up").await.is_empty());
    assert!(uuids("nonsense").await.is_empty());
}

#[tokio::test]
async fn an_unchanged_list_is_304() {
    let bench = Bench::new(|_| {}).await;
    let uuid = bench.sim.add(create(A));
    let tag = bench.get("/tasks/").await.headers["etag"].clone();
    let tag = tag.to_str().unwrap();
    for known in [tag, &format!("\"x\", W/{tag}"), "*"] {
        let answer = knowing(&bench, known).await;
        assert_eq!((answer.code, answer.text.as_str()), (304, ""));
        assert_eq!(answer.headers["etag"], tag);
        assert!(!answer.headers.contains_key("content-type"));
    }
    assert_eq!(knowing(&bench, "\"x\"").await.uuids(), [A]);
    bench.sim.set_status(&uuid, "received", "");
    let changed = knowing(&bench, tag).await;
    assert_ne!(changed.good()["tasks"][0]["status"], "pending");
    assert_ne!(changed.headers["etag"], tag);
    let requests = bench.sim.requests();
    assert!(!requests[0].if_none_match && requests[1].if_none_match);
    assert_eq!((requests[0].status, requests[1].status), (200, 304));
    assert_eq!(requests[1].path, "/tasks/");
    assert_eq!(bench.sim.request_count(), 6);
}

#[tokio::test]
async fn without_tags_there_is_no_304() {
    let bench = Bench::new(|options| options.etag = false).await;
    let answer = knowing(&bench, "*").await;
    assert_eq!(answer.code, 200);
    assert!(!answer.headers.contains_key("etag"));
}

#[tokio::test]
async fn what_is_accepted_and_asked_for_changes_nothing() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A));
    let call = bench.call(Method::GET, "/tasks/?status=none&page=7");
    let answer = send(call.header("accept", "image/png")).await;
    assert_eq!(answer.uuids(), [A]);
}
