use reqwest::Method;
use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use rstest::rstest;
use serde_json::json;
use virt_task_exporter::simulator::TaskError;

use super::{ago, ask, exporter, ids, text};
use crate::support::{Bench, Scratch, get, task};

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
