use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Bench, ids, task};
use crate::simulator::{Endpoint, SimTask, StatusCase, SubTask, TaskError, TaskStatus};

#[tokio::test]
async fn a_login_gives_a_token_with_its_times() {
    let mut bench = Bench::new(|_| {}).await;
    let pair = bench.log_in().await;
    let token = pair["accessToken"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let (from, to) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    assert_eq!(from, Some(bench.clock.now().as_second()));
    assert_eq!(to.unwrap() - from.unwrap(), 3600);
    assert!(pair["refreshToken"]["id"].is_string());
    assert_eq!(bench.sim.request_count(Endpoint::Login), 2);
}

#[rstest]
#[case::right(json!({"username": "administrator@vsphere.local", "password": "VMware123!"}), 201)]
#[case::key(json!({"apiKey": "key"}), 201)]
#[case::wrong_password(json!({"username": "administrator@vsphere.local", "password": ""}), 401)]
#[case::wrong_key(json!({"apiKey": "other"}), 401)]
#[case::empty(json!({}), 400)]
#[case::no_object(json!([]), 400)]
#[tokio::test]
async fn logins_answer_codes(#[case] body: Value, #[case] code: u16) {
    let bench = Bench::new(|options| options.api_key = Some("key".into())).await;
    let answer = bench.login(&body).await;
    assert_eq!(answer.status().as_u16(), code);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["errorCode"].is_string(), code != 201, "{body}");
}

#[tokio::test]
async fn codes_of_logins_are_options() {
    let bench = Bench::new(|options| {
        options.login_code = 200;
        options.bad_login_code = 400;
        options.unauthorized_code = 403;
    })
    .await;
    let right = json!({"username": "administrator@vsphere.local", "password": "VMware123!"});
    assert_eq!(bench.login(&right).await.status(), 200);
    let wrong = json!({"username": "x", "password": "y"});
    assert_eq!(bench.login(&wrong).await.status(), 400);
    let answer = bench.bare(Method::GET, "/v1/tasks").send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn bad_logins_lock_the_account() {
    let bench = Bench::new(|options| options.lockout_after = Some(2)).await;
    let wrong = json!({"username": "administrator@vsphere.local", "password": "no"});
    let right = json!({"username": "administrator@vsphere.local", "password": "VMware123!"});
    bench.login(&wrong).await;
    assert_eq!(bench.login(&right).await.status(), 201);
    bench.login(&wrong).await;
    assert_eq!(bench.login(&right).await.status(), 201);
    bench.login(&wrong).await;
    bench.login(&wrong).await;
    assert_eq!(bench.login(&right).await.status(), 401);
    bench
        .sim
        .set_credentials("administrator@vsphere.local", "new");
    let new = json!({"username": "administrator@vsphere.local", "password": "new"});
    assert_eq!(bench.login(&new).await.status(), 201);
}

#[tokio::test]
async fn a_token_ends_with_its_life() {
    let bench = Bench::new(|_| {}).await;
    bench.clock.pass(3599);
    assert_eq!(bench.code(Method::GET, "/v1/tasks").await, 200);
    bench.clock.pass(1);
    let answer = bench.get("/v1/tasks").await;
    assert_eq!(answer.status(), 401);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["errorCode"], "Unauthorized");
}

#[rstest]
#[case::none(None)]
#[case::unknown(Some("Bearer a.b.c"))]
#[case::basic(Some("Basic YTpi"))]
#[tokio::test]
async fn other_credentials_are_refused(#[case] header: Option<&str>) {
    let bench = Bench::new(|_| {}).await;
    for path in ["/v1/tasks", "/v1/tasks/x", "/v1/restores/tasks/x"] {
        let mut call = bench.bare(Method::GET, path);
        if let Some(header) = header {
            call = call.header("authorization", header);
        }
        assert_eq!(call.send().await.unwrap().status(), 401, "{path}");
    }
}

#[tokio::test]
async fn tokens_are_expired_renewed_and_revoked() {
    let mut bench = Bench::new(|_| {}).await;
    let pair = bench.log_in().await;
    let id = pair["refreshToken"]["id"].as_str().unwrap().to_owned();
    bench.sim.expire_tokens();
    assert_eq!(bench.code(Method::GET, "/v1/tasks").await, 401);
    let path = "/v1/tokens/access-token/refresh";
    for body in [id.clone(), format!("\"{id}\"")] {
        let answer = bench
            .bare(Method::PATCH, path)
            .body(body)
            .send()
            .await
            .unwrap();
        let token: String = answer.json().await.unwrap();
        let call = bench.bare(Method::GET, "/v1/tasks").bearer_auth(token);
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    let call = bench.bare(Method::DELETE, "/v1/tokens/refresh-token");
    assert_eq!(call.body(id.clone()).send().await.unwrap().status(), 204);
    for (body, code) in [(id, 404), (String::new(), 400)] {
        let call = bench.bare(Method::PATCH, path).body(body);
        assert_eq!(call.send().await.unwrap().status(), code);
    }
}

#[rstest]
#[case(Method::GET, "/", 404)]
#[case(Method::GET, "/v1/hosts", 404)]
#[case(Method::POST, "/v1/tasks", 405)]
#[case(Method::PUT, "/v1/tasks/x", 405)]
#[case(Method::GET, "/v1/restores/tasks", 405)]
#[case(Method::GET, "/v1/tasks/x", 404)]
#[case(Method::PATCH, "/v1/tasks/x", 404)]
#[case(Method::DELETE, "/v1/tasks/x", 404)]
#[case(Method::GET, "/v1/restores/tasks/x", 400)]
#[case(Method::POST, "/v1/restores/tasks", 400)]
#[tokio::test]
async fn wrong_calls_say_so_in_json(#[case] method: Method, #[case] path: &str, #[case] code: u16) {
    let bench = Bench::new(|_| {}).await;
    let answer = bench.call(method, path).send().await.unwrap();
    assert_eq!(answer.status(), code);
    assert!(answer.headers().contains_key("date"));
    let body: Value = answer.json().await.unwrap();
    assert!(body["errorCode"].is_string());
}

#[tokio::test]
async fn a_task_is_written_as_documented() {
    let bench = Bench::new(|options| options.upper_case_by_id = true).await;
    let now = bench.clock.now();
    bench.sim.add(
        SimTask::untyped("Credentials rotate operation")
            .id("a")
            .case(StatusCase::Title)
            .sub_task(SubTask::new("sfo-vcf01.rainpole.io:FTP", now).stage("one"))
            .created(now)
            .running(),
    );
    bench.sim.fail(
        "a",
        TaskError::new("CODE", "text").nested(TaskError::new("IN", "in")),
    );
    let list = bench.json("/v1/tasks").await;
    let task = &list["elements"][0];
    assert!(task.get("type").is_none());
    assert_eq!(task["status"], "Failed");
    assert_eq!(task["creationTimestamp"], "2026-11-20T15:00:00.000Z");
    assert_eq!(task["subTasks"][0]["status"], "FAILED");
    assert_eq!(task["subTasks"][0]["stages"][0]["status"], "FAILED");
    assert_eq!(task["errors"][0]["nestedErrors"][0]["errorCode"], "IN");
    assert_eq!(task["resolutionStatus"], "UNRESOLVED");
    assert_eq!(task["isRetryable"], true);
    let one = bench.json("/v1/tasks/a").await;
    assert_eq!(one["status"], "FAILED");
}

#[tokio::test]
async fn only_a_failed_task_is_retried() {
    let bench = Bench::new(|_| {}).await;
    let now = bench.clock.now();
    let mut failing = task("a").sub_task(SubTask::new("one", now)).running();
    failing.sub_tasks.push(SubTask::new("two", now));
    failing.added_by_retry.push(SubTask::new("three", now));
    bench.sim.add(failing);
    assert_eq!(bench.code(Method::PATCH, "/v1/tasks/a").await, 409);
    bench.sim.advance("a");
    bench.sim.fail("a", TaskError::new("CODE", "text"));
    assert_eq!(bench.code(Method::PATCH, "/v1/tasks/a").await, 200);
    let task = bench.json("/v1/tasks/a").await;
    assert_eq!(task["status"], "IN_PROGRESS");
    assert!(task.get("completionTimestamp").is_none());
    let statuses: Vec<_> = (0..3).map(|at| &task["subTasks"][at]["status"]).collect();
    assert_eq!(statuses, ["SUCCESSFUL", "IN_PROGRESS", "PENDING"]);
    bench.sim.succeed("a");
    let totals = bench.sim.totals();
    assert_eq!(totals.ended(TaskStatus::Failed), 1);
    assert_eq!(totals.ended(TaskStatus::Successful), 1);
    assert_eq!(totals.failures.keys().next().unwrap().sub_task, "two");
    assert_eq!(totals.retries["HOST_COMMISSION"], 1);
}

#[tokio::test]
async fn a_credentials_task_is_not_retried_by_the_tasks_call() {
    let bench = Bench::new(|_| {}).await;
    let mut rotation = task("a").status(TaskStatus::Failed);
    rotation.retryable = false;
    bench.sim.add(rotation);
    assert_eq!(bench.code(Method::PATCH, "/v1/tasks/a").await, 409);
    assert!(bench.sim.retry("a"));
}

#[tokio::test]
async fn only_a_running_task_is_cancelled() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(task("a").running());
    assert_eq!(bench.code(Method::DELETE, "/v1/tasks/a").await, 200);
    assert_eq!(bench.json("/v1/tasks/a").await["status"], "CANCELLED");
    assert_eq!(bench.code(Method::DELETE, "/v1/tasks/a").await, 409);
    assert_eq!(bench.code(Method::PATCH, "/v1/tasks/a").await, 409);
}

#[tokio::test]
async fn a_restore_goes_on_outside_the_list() {
    let bench = Bench::new(|options| options.basic_auth_for_restores = true).await;
    let body = json!({
        "backupFile": "vcf-backup.tar.gz",
        "elements": [{"resourceType": "SDDC_MANAGER"}],
        "encryption": {"passphrase": "secret"},
    });
    let call = bench.bare(Method::POST, "/v1/restores/tasks");
    let call = call.basic_auth("administrator@vsphere.local", Some("VMware123!"));
    let answer = call.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let task: Value = answer.json().await.unwrap();
    let path = format!("/v1/restores/tasks/{}", task["id"].as_str().unwrap());
    assert_eq!(bench.json(&path).await["status"], "IN_PROGRESS");
    assert!(bench.ids("").await.is_empty());
    bench.clock.pass(60);
    bench.sim.tick();
    assert_eq!(bench.json(&path).await["status"], "SUCCESSFUL");
}

#[tokio::test]
async fn raw_elements_are_served_as_they_are() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add_raw(&json!({"id": 7}));
    bench.sim.add_raw(&json!({"id": "raw", "status": null}));
    bench.sim.add(
        task("a")
            .with_field("name", json!(3))
            .without_field("status"),
    );
    let list = bench.json("/v1/tasks").await;
    assert_eq!(list["elements"][0], json!({"id": 7}));
    assert_eq!(list["elements"][2]["name"], 3);
    assert!(list["elements"][2].get("status").is_none());
    assert_eq!(bench.json("/v1/tasks/raw").await["status"], Value::Null);
    bench.sim.add_raw_text("not json");
    let text = bench.get("/v1/tasks").await.text().await.unwrap();
    assert!(text.contains(",not json]"), "{text}");
}

#[tokio::test]
async fn a_restored_manager_goes_back_in_time() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(task("old").running());
    let then = bench.sim.snapshot();
    bench.sim.succeed("old");
    bench.sim.add(task("new"));
    bench.sim.restore_from(then);
    let list = bench.json("/v1/tasks").await;
    assert_eq!(ids(&list), ["old"]);
    assert_eq!(list["elements"][0]["status"], "IN_PROGRESS");
    bench.sim.replace_all(vec![task("other")]);
    assert_eq!(bench.ids("").await, ["other"]);
    bench.sim.remove("other");
    assert!(bench.ids("").await.is_empty());
}

#[tokio::test]
async fn the_date_header_can_be_off() {
    let skew = jiff::SignedDuration::from_mins(5);
    let bench = Bench::new(|options| options.clock_skew = Some(skew)).await;
    let answer = bench.get("/v1/tasks").await;
    assert_eq!(answer.headers()["date"], "Fri, 20 Nov 2026 15:05:00 GMT");
    assert_eq!(answer.headers().get_all("date").iter().count(), 1);
}
