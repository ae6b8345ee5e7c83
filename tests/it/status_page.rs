/// What can be asked for, what is refused, and how answers are sent.
mod questions;
/// How sources do, and what is withdrawn.
mod sources;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{Resource, SubTask, TaskError};

use crate::support::{Bench, PATIENCE, Program, Scratch, options, task};

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
