use serde_json::{Value, json};
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use super::{ask, exporter, text, until};
use crate::support::{Bench, PATIENCE, Scratch, options, task};

#[tokio::test]
async fn a_source_says_how_it_does() {
    let (bench, program) = exporter("", |bench| {
        bench.sim.add(task("runs").running());
    })
    .await;
    let status = &ask(&program, "/api/v1/status").await["sources"][0];
    for (key, value) in [
        ("name", json!("a")),
        ("system", json!("sddc_manager")),
        ("url", json!(bench.url)),
        ("state", json!("up")),
        ("up", json!(true)),
        ("stale", json!(false)),
        ("listing_complete", json!(true)),
        ("failed_polls_in_a_row", json!(0)),
        ("unfinished", json!(1)),
        ("unresolved_failures", json!(0)),
    ] {
        assert_eq!(status[key], value, "{key}");
    }
    assert_eq!(status["tasks"]["running"], 1);
}

#[tokio::test]
async fn what_is_stale_is_withdrawn_and_the_error_told() {
    let keys = "stale_after: 500ms\nrequest_timeout: 300ms";
    let (bench, program) = exporter(keys, |bench| {
        bench.sim.add(task("runs").running());
    })
    .await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Dropped));
    let stale = |text: &str| text.contains("\"state\":\"stale\"");
    let status = until(&program, "/api/v1/status", "the withdrawal", stale).await;
    let status: Value = serde_json::from_str(&status).unwrap();
    let source = &status["sources"][0];
    assert_eq!(
        (&source["up"], &source["stale"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(
        (&source["tasks"], &source["unfinished"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(source["last_error"]["reason"], "connect");
    assert!(
        source["last_error"]["call"]
            .as_str()
            .unwrap()
            .starts_with("/v1/")
    );
    assert!(!source["last_error"]["message"].as_str().unwrap().is_empty());
    assert!(source["failing_since"].is_string() && source["last_success"].is_string());
    assert!(source["failed_polls_in_a_row"].as_u64().unwrap() > 0);
    let tasks = ask(&program, "/api/v1/tasks").await;
    assert_eq!(
        (&tasks["total"], &tasks["withdrawn"]),
        (&json!(0), &json!(["a"]))
    );
    let page = text(&program, "/").await;
    for shown in [
        ">stale</span>",
        "Its tasks are withdrawn",
        "Not below",
        "None that is known of",
        "<code>connect</code>",
    ] {
        assert!(page.contains(shown), "{shown} is not in\n{page}");
    }
    assert!(!page.contains("Upgrade runs"), "{page}");
    bench.sim.clear_faults();
    let back = |text: &str| text.contains("Upgrade runs");
    let page = until(&program, "/", "the state", back).await;
    assert!(
        page.contains("Last error"),
        "what was is still told\n{page}"
    );
}

#[tokio::test]
async fn a_source_that_was_not_polled_yet_says_so() {
    let mut real = options();
    real.clock_skew = None;
    let bench = Bench::real_time(real).await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::SlowHead(PATIENCE)));
    let program = Scratch::source(&bench.url, "").serve(&[]).await;
    let status = ask(&program, "/api/v1/status").await;
    assert_eq!(status["ready"], false);
    assert_eq!(status["sources"][0]["state"], "not_polled");
    assert_eq!(status["sources"][0]["up"], Value::Null);
    let page = text(&program, "/").await;
    assert!(
        page.contains("not polled yet") && page.contains("Never read yet"),
        "{page}"
    );
}
