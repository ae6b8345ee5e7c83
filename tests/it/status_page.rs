use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use rstest::rstest;
use serde_json::{Value, json};
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, Resource, SubTask, TaskError};

use crate::support::{Bench, PATIENCE, Program, Scratch, get, options, task};

/// A simulated SDDC Manager that goes by the system's clock, and its exporter.
async fn exporter(keys: &str, fill: impl FnOnce(&Bench)) -> (Bench, Program) {
    let mut real = options();
    real.clock_skew = None;
    let bench = Bench::real_time(real).await;
    fill(&bench);
    let program = Scratch::source(&bench.url, keys).serve(&[]).await;
    ready(&program).await;
    (bench, program)
}

async fn ready(program: &Program) {
    until(program, "/-/ready", "its first poll", |text| {
        text == "Ready\n"
    })
    .await;
}

/// Asks again and again until the answer is as it should be.
async fn until(program: &Program, path: &str, what: &str, is: impl Fn(&str) -> bool) -> String {
    let asking = async {
        loop {
            let text = program.get(path).await.text().await.unwrap();
            if is(&text) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let answer = tokio::time::timeout(PATIENCE, asking).await;
    answer.unwrap_or_else(|_late| panic!("{what} did not come"))
}

async fn text(program: &Program, path: &str) -> String {
    let answer = program.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn ask(program: &Program, path: &str) -> Value {
    serde_json::from_str(&text(program, path).await).unwrap()
}

fn ids(answer: &Value) -> Vec<&str> {
    let tasks = answer["tasks"].as_array().unwrap().iter();
    tasks.map(|task| task["id"].as_str().unwrap()).collect()
}

fn ago(seconds: i64) -> Timestamp {
    Clock::system().now() - SignedDuration::from_secs(seconds)
}

/// A restore on VxRail that failed deep down, as its document has such errors.
fn restore(bench: &Bench) {
    let inner = TaskError::new("VXRAIL_API_REFUSED", "The VxRail Manager refused the call")
        .remediation("Check the certificate of the VxRail Manager")
        .cause(
            "java.net.ConnectException",
            "Connection refused: vxm01.rainpole.io",
        );
    let mut error = TaskError::new("RESTORE_ELEMENT_FAILED", "The element cannot be restored")
        .remediation("Restore the element again")
        .nested(inner);
    error.reference_token = "PO5K2B".to_owned();
    let mut first = SubTask::new("Stop the services", ago(600));
    first.status = virt_task_exporter::simulator::TaskStatus::Successful;
    let part = SubTask::new("Restore vxm01.rainpole.io", ago(600))
        .stage("Upload")
        .stage("Import");
    let outer = SubTask::new("Restore the elements", ago(600)).holding(part);
    let restore = task("restore-1")
        .created(ago(600))
        .sub_task(first)
        .sub_task(outer)
        .resource(Resource::new("r-1", "VXRAIL_MANAGER").fqdn("vxm01.rainpole.io"))
        .running();
    bench.sim.add(restore);
    bench.sim.fail("restore-1", error);
}

#[tokio::test]
async fn a_nested_failure_is_shown_whole() {
    let (_bench, program) = exporter("", restore).await;
    let page = text(&program, "/").await;
    for shown in [
        "Upgrade restore-1",
        "Restore the elements <span class=\"step\">›</span> Restore vxm01.rainpole.io <span class=\"step\">›</span> Import",
        "RESTORE_ELEMENT_FAILED",
        "The element cannot be restored",
        "Restore the element again",
        "VXRAIL_API_REFUSED",
        "The VxRail Manager refused the call",
        "Check the certificate of the VxRail Manager",
        "java.net.ConnectException",
        "Connection refused: vxm01.rainpole.io",
        "PO5K2B",
        "VXRAIL_MANAGER",
        "<code>r-1</code>",
    ] {
        assert!(page.contains(shown), "{shown} is not in\n{page}");
    }
    // The sub-task's error is not repeated as the task's.
    assert_eq!(
        page.matches("The VxRail Manager refused the call").count(),
        1
    );
    let answer = ask(&program, "/api/v1/tasks").await;
    let failed = &answer["tasks"][0];
    assert_eq!(failed["error_code"], "RESTORE_ELEMENT_FAILED");
    let places = failed["failed_subtasks"].as_array().unwrap();
    let path = json!([
        "Restore the elements",
        "Restore vxm01.rainpole.io",
        "Import"
    ]);
    assert!(
        places
            .iter()
            .any(|place| place["path"] == path && place["stage"] == true)
    );
    let error = &failed["errors"][0];
    assert_eq!(error["reference"], "PO5K2B");
    assert_eq!(error["causes"][0]["code"], "VXRAIL_API_REFUSED");
    assert_eq!(
        error["causes"][0]["causes"][0]["kind"],
        "java.net.ConnectException"
    );
}

#[tokio::test]
async fn what_can_be_retried_has_a_call_to_copy() {
    let (bench, program) = exporter("", |bench| {
        for id in ["good-id", "bad'id", ".."] {
            bench.sim.add(task(id).running());
            bench.sim.fail(id, TaskError::new("CODE", "no"));
        }
    })
    .await;
    let page = text(&program, "/").await;
    let call = format!("'{}/v1/tasks/good-id'", bench.url);
    assert!(page.contains(&call.replace('\'', "&#39;")), "{page}");
    assert_eq!(page.matches("curl -X PATCH").count(), 1);
    let answer = ask(&program, "/api/v1/tasks").await;
    for task in answer["tasks"].as_array().unwrap() {
        assert_eq!(
            task["retry_call"].is_string(),
            task["id"] == "good-id",
            "{task}"
        );
    }
}

#[tokio::test]
async fn hostile_texts_are_harmless() {
    let hostile =
        "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\u{202e}gnp.exe\u{1b}[31m\u{9b}x";
    let (_bench, program) = exporter("", |bench| {
        let mut one = task("\"><script>alert(3)</script>").created(ago(60));
        one.name = hostile.to_owned();
        one.operation = Some(hostile.to_owned());
        bench
            .sim
            .add(one.resource(Resource::new(hostile, hostile)).running());
        let mut two = task("two").created(ago(60)).running();
        two.name = hostile.to_owned();
        two.sub_tasks.push(SubTask::new(hostile, ago(60)));
        two.sub_tasks[0].status = virt_task_exporter::simulator::TaskStatus::InProgress;
        bench.sim.add(two);
        let error = TaskError::new(hostile, hostile)
            .remediation(hostile)
            .cause(hostile, hostile);
        bench.sim.fail("two", error);
    })
    .await;
    let page = text(&program, "/").await;
    for raw in ["<script", "<img", "\u{202e}", "\u{1b}", "\u{9b}"] {
        assert!(!page.contains(raw), "{raw:?} is in\n{page}");
    }
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(page.contains("\\u202egnp.exe\\u001b[31m\\u009bx"), "{page}");
    let answer = text(&program, "/api/v1/tasks").await;
    assert!(
        !answer.contains(['\u{202e}', '\u{1b}', '\u{9b}']),
        "{answer}"
    );
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let names: Vec<_> = answer["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["name"])
        .collect();
    assert_eq!(
        names,
        [hostile, hostile],
        "what is escaped is the same text"
    );
}

/// Five tasks that run, and two that failed at about the same time.
fn seven(bench: &Bench) {
    for number in 0..5_i32 {
        let running = task(&format!("runs-{number}")).created(ago(500 - i64::from(number)));
        bench.sim.add(running.running());
    }
    for id in ["fails-0", "fails-1"] {
        let mut task = task(id).created(ago(100));
        task.operation = Some("BACKUP".to_owned());
        bench.sim.add(task.running());
        bench.sim.fail(id, TaskError::new("CODE", "no"));
    }
}

#[tokio::test]
async fn parameters_choose_tasks_and_totals_are_before_the_limit() {
    let (_bench, program) = exporter("max_open_tasks: 3", seven).await;
    for (query, total, shown) in [
        (
            "",
            7,
            vec!["fails-1", "fails-0", "runs-0", "runs-1", "runs-2"],
        ),
        ("?limit=1", 7, vec!["fails-1"]),
        ("?limit=0", 7, vec![]),
        ("?status=running", 5, vec!["runs-0", "runs-1", "runs-2"]),
        ("?status=running&limit=2", 5, vec!["runs-0", "runs-1"]),
        ("?status=failed", 2, vec!["fails-1", "fails-0"]),
        (
            "?status=failed&status=running&limit=3",
            7,
            vec!["fails-1", "fails-0", "runs-0"],
        ),
        ("?operation=BACKUP", 2, vec!["fails-1", "fails-0"]),
        ("?operation=UPGRADE&status=failed", 0, vec![]),
        ("?status=succeeded", 0, vec![]),
        ("?source=a&limit=1", 7, vec!["fails-1"]),
    ] {
        let answer = ask(&program, &format!("/api/v1/tasks{query}")).await;
        let mut found = ids(&answer);
        // Both failed within one moment or the next.
        if found.first() == Some(&"fails-0") && found.len() > 1 {
            found.swap(0, 1);
        }
        if query == "?limit=1" || query == "?source=a&limit=1" {
            assert!(found[0].starts_with("fails-"), "{query}");
        } else {
            assert_eq!(found, shown, "{query}");
        }
        assert_eq!(answer["total"], total, "{query}");
        assert_eq!(answer["shown"], shown.len(), "{query}");
        assert_eq!(answer["withdrawn"], json!([]));
    }
}

#[tokio::test]
async fn the_page_says_when_it_is_but_a_part() {
    let (_bench, program) = exporter("max_open_tasks: 3", seven).await;
    let page = text(&program, "/").await;
    assert!(page.contains("3 of 5 shown, oldest first"), "{page}");
    let part = text(&program, "/?status=failed&limit=1&refresh=off").await;
    assert!(part.contains("1 of 2 shown, newest first"), "{part}");
    assert!(
        part.contains("Only a part is shown") && !part.contains("http-equiv"),
        "{part}"
    );
    assert!(page.contains("http-equiv=\"refresh\""));
    let running = text(&program, "/?status=running").await;
    assert!(
        running.contains("None of those asked for."),
        "nor does a part say that nothing failed\n{running}"
    );
}

#[rstest]
#[case("/api/v1/tasks?source=b", 404, "No source is called \"b\"\n")]
#[case("/api/v1/status?source=b", 404, "No source is called \"b\"\n")]
#[case("/?source=b", 404, "No source is called \"b\"\n")]
#[case(
    "/api/v1/tasks?limit=x",
    400,
    "limit is \"x\", which is no whole number from 0 on\n"
)]
#[case("/api/v1/tasks?limit=-1", 400, "limit is \"-1\"")]
#[case(
    "/api/v1/tasks?status=FAILED",
    400,
    "\"FAILED\" is no status; there are: pending, running"
)]
#[case("/?status=no", 400, "\"no\" is no status")]
#[case("/api/v1/", 404, "Not found\n")]
#[case("/api/v1/tasks/", 404, "Not found\n")]
#[tokio::test]
async fn wrong_questions_are_told_why(#[case] path: &str, #[case] code: u16, #[case] says: &str) {
    let program = Scratch::source("http://127.0.0.1:1", "").serve(&[]).await;
    let answer = program.get(path).await;
    assert_eq!(answer.status(), code);
    let body = answer.text().await.unwrap();
    assert!(body.starts_with(says), "{body}");
}

#[rstest]
#[case("/", "text/html; charset=utf-8")]
#[case("/api/v1/status", "application/json")]
#[case("/api/v1/tasks", "application/json")]
#[tokio::test]
async fn answers_are_guarded_coded_and_reading_alone(#[case] path: &str, #[case] kind: &str) {
    let program = Scratch::source("http://127.0.0.1:1", "").serve(&[]).await;
    let answer = program.get(path).await;
    let headers = answer.headers();
    assert_eq!(headers[CONTENT_TYPE], kind);
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let head = get(program.address(), Method::HEAD, path).await;
    assert_eq!(
        (head.status().as_u16(), &head.headers()[CONTENT_TYPE]),
        (200, &answer.headers()[CONTENT_TYPE])
    );
    assert!(head.bytes().await.unwrap().is_empty());
    let post = get(program.address(), Method::POST, path).await;
    assert_eq!(post.status(), 405);
    let address = format!("http://{}/", program.address());
    let client = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .build()
        .unwrap();
    let coded = client
        .get(address)
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(coded.headers()[CONTENT_ENCODING], "gzip");
}

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
