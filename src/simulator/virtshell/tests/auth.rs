use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use rstest::rstest;
use serde_json::json;

use super::support::{Answer, Bench, send};
use crate::simulator::VsAuth;
use crate::simulator::stamp::{http_date, later};

const NAME: &str = "X-VirtShell-Authorization";

async fn signed_bench() -> Bench {
    Bench::new(|options| {
        options.prefix = "/api/virtshell/v1".to_owned();
        options.auth = VsAuth::Hmac {
            name: NAME.to_owned(),
            user_id: "user".to_owned(),
            secret: "secret".to_owned(),
        };
    })
    .await
}

/// A list call whose signature is that of a key at a time.
fn signed(bench: &Bench, user: &str, key: &str, minutes: i64) -> RequestBuilder {
    let date = http_date(later(bench.clock.now(), minutes * 60_000));
    let path = "/api/virtshell/v1/tasks/";
    let text = format!("GET\n{}\n\n\n{date}\n{path}", bench.address);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let call = bench.call(Method::GET, &format!("{path}?all=1"));
    call.header("date", date)
        .header(NAME, format!("{user}:{signature}"))
}

#[track_caller]
fn refused(answer: &Answer, why: &str) {
    assert_eq!((answer.code, answer.json()), (403, json!({"error": why})));
}

#[tokio::test]
async fn without_a_rule_everybody_may_call() {
    let bench = Bench::new(|_| {}).await;
    let bogus = bench.call(Method::GET, "/tasks/").header(NAME, "bogus");
    assert_eq!(send(bogus).await.code, 200);
    let request = bench.sim.requests().pop().unwrap();
    assert_eq!(request.authorization.as_deref(), Some("bogus"));
    assert_eq!(bench.get("/tasks/").await.code, 200);
    assert_eq!(bench.sim.requests().pop().unwrap().authorization, None);
}

#[tokio::test]
async fn a_header_has_one_value() {
    let bench = Bench::new(|options| {
        options.auth = VsAuth::Header {
            name: "X-Key".to_owned(),
            value: "open".to_owned(),
        };
    })
    .await;
    let call = |value| bench.call(Method::GET, "/tasks/").header("x-key", value);
    assert_eq!(send(call("open")).await.code, 200);
    let request = bench.sim.requests().pop().unwrap();
    assert_eq!(request.authorization.as_deref(), Some("open"));
    refused(&send(call("Open")).await, "AccessDenied");
    refused(&bench.get("/tasks/").await, "MissingAuthorization");
    assert_eq!(bench.sim.requests().pop().unwrap().status, 403);
}

#[rstest]
#[case(0)]
#[case(15)]
#[case(-15)]
#[tokio::test]
async fn signed_requests_are_let_in(#[case] minutes: i64) {
    let bench = signed_bench().await;
    let answer = send(signed(&bench, "user", "secret", minutes)).await;
    answer.good();
}

#[tokio::test]
async fn others_are_not() {
    let bench = signed_bench().await;
    let send = async |user, key, minutes| send(signed(&bench, user, key, minutes)).await;
    refused(&send("user", "other", 0).await, "SignatureDoesNotMatch");
    refused(&send("other", "secret", 0).await, "AccessDenied");
    refused(&send("user", "secret", 16).await, "RequestTimeTooSkewed");
    refused(&send("user", "secret", -16).await, "RequestTimeTooSkewed");
    let path = "/api/virtshell/v1/tasks/";
    refused(&bench.get(path).await, "MissingAuthorization");
}

#[tokio::test]
async fn a_date_is_a_must() {
    let bench = signed_bench().await;
    for date in [None, Some("yesterday")] {
        let mut call = bench.call(Method::GET, "/api/virtshell/v1/tasks/");
        if let Some(date) = date {
            call = call.header("date", date);
        }
        let answer = send(call.header(NAME, "user:c2lnbmF0dXJl")).await;
        refused(&answer, "RequestTimeTooSkewed");
    }
}

#[tokio::test]
async fn nobody_writes_without_a_signature() {
    let bench = signed_bench().await;
    let path = "/api/virtshell/v1/tasks/";
    let answer = bench.with(Method::POST, path, &json!({})).await;
    refused(&answer, "MissingAuthorization");
    assert!(bench.sim.tasks().is_empty());
}
