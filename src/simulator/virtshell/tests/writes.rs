use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::support::{A, B, Bench, create, send};
use crate::simulator::{VsOutcome, VsShape};

/// Posts a task and returns its uuid.
async fn post(bench: &Bench, body: &Value) -> String {
    let answer = bench.with(Method::POST, "/tasks/", body).await.good();
    assert_eq!(answer["create"], "success");
    answer["task_id"].as_str().unwrap().to_owned()
}

async fn put(bench: &Bench, uuid: &str, body: &Value) -> super::support::Answer {
    bench
        .with(Method::PUT, &format!("/tasks/{uuid}"), body)
        .await
}

#[tokio::test]
async fn the_real_server_stores_what_it_is_given() {
    let bench = Bench::shaped(VsShape::Real).await;
    let uuid = post(
        &bench,
        &json!({"description": "d", "status": 3, "x": null, "uuid": "mine"}),
    )
    .await;
    let stored = json!({"description": "d", "status": 3, "x": null, "uuid": uuid});
    assert_eq!(bench.task(&uuid).await, stored);
    assert_eq!(
        bench.get("/tasks/").await.good(),
        json!({"tasks": [stored]})
    );
    assert_eq!(bench.sim.totals().started["unknown"], 1);
}

#[tokio::test]
async fn the_documented_one_adds_times() {
    let bench = Bench::shaped(VsShape::Documented).await;
    let uuid = post(
        &bench,
        &json!({"status": "pending", "type": "delete_instance"}),
    )
    .await;
    let task = bench.task(&uuid).await;
    assert_eq!(task["created"]["at"], task["last_update"]);
    assert!(task.get("log").is_none());
    assert_eq!(bench.sim.totals().started["delete_instance"], 1);
}

#[rstest]
#[case(VsShape::Real)]
#[case(VsShape::Documented)]
#[tokio::test]
async fn a_put_moves_a_task(#[case] shape: VsShape) {
    let bench = Bench::shaped(shape).await;
    bench.sim.add(create(A));
    let answer = put(&bench, A, &json!({"status": "error", "log": "no host"})).await;
    assert_eq!(answer.good(), json!({"update": "success"}));
    let task = bench.task(A).await;
    assert_eq!(
        (&task["status"], &task["log"]),
        (&json!("error"), &json!("no host"))
    );
    assert_eq!(bench.sim.task(A).unwrap().history[0].0, "pending");
    assert_eq!(bench.sim.totals().ended(VsOutcome::Failed), 1);
}

#[tokio::test]
async fn a_put_needs_all_it_writes() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A));
    for body in [json!({"status": "error"}), json!({"log": ""}), json!([])] {
        let answer = put(&bench, A, &body).await;
        assert_eq!(answer.page(), (500, "text/plain"), "{body}");
    }
    let whole = json!({"status": "error", "log": ""});
    let missing = put(&bench, B, &whole).await.good();
    assert_eq!(
        missing,
        json!({"update": "error", "reason": "document not found"})
    );
    let nobody = bench.with(Method::PUT, "/tasks/", &whole).await.good();
    assert_eq!(nobody["update"], "error");
    assert_eq!(bench.task(A).await["status"], "pending");
}

#[tokio::test]
async fn a_task_posted_without_history_cannot_be_put() {
    let bench = Bench::new(|_| {}).await;
    let change = json!({"status": "received", "log": "l"});
    let bare = post(&bench, &json!({"status": "pending", "log": ""})).await;
    assert_eq!(put(&bench, &bare, &change).await.code, 500);
    let body = json!({
        "status": "pending", "log": "", "date": "23:59:59.000001",
        "status_history": [["made", "23:00:00", ""]],
    });
    let whole = post(&bench, &body).await;
    put(&bench, &whole, &change).await.good();
    let task = bench.task(&whole).await;
    assert_eq!(task["date"], "15:00:00");
    let history = json!([["made", "23:00:00", ""], ["pending", "23:59:59.000001", ""]]);
    assert_eq!(task["status_history"], history);
}

#[tokio::test]
async fn tasks_are_deleted_one_by_one_or_all() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create(A));
    bench.sim.add(create(B));
    let delete = async |path: &str| send(bench.call(Method::DELETE, path)).await.good();
    let one = format!("/tasks/{A}");
    assert_eq!(delete(&one).await, json!({"delete": "success"}));
    assert_eq!(delete(&one).await["delete"], "error");
    assert_eq!(bench.get("/tasks/").await.uuids(), [B]);
    assert_eq!(delete("/tasks/").await, json!({"delete": "success"}));
    assert!(bench.get("/tasks/").await.uuids().is_empty());
}

#[tokio::test]
async fn what_is_no_object_is_not_stored() {
    let bench = Bench::new(|_| {}).await;
    for body in ["", "{", "[]", "7"] {
        let call = bench.call(Method::POST, "/tasks/").body(body);
        assert_eq!(send(call).await.page(), (500, "text/plain"));
    }
    assert!(bench.sim.tasks().is_empty());
}
