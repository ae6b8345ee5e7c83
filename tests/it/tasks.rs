use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{Resource, SimTask, SubTask, TaskError, TaskStatus};

use crate::support::{Bench, Scratch, options};

/// So many seconds ago, to the second.
fn ago(seconds: i64) -> Timestamp {
    let now = Timestamp::from_second(Clock::system().now().as_second()).unwrap();
    now - SignedDuration::from_secs(seconds)
}

fn ended(id: &str, status: TaskStatus, began: i64, took: i64) -> SimTask {
    let task = SimTask::new("BACKUP", format!("Backup {id}")).id(id);
    task.created(ago(began)).ended(status, ago(began - took))
}

fn running(id: &str, began: i64) -> SimTask {
    let task = SimTask::new("UPGRADE", format!("Upgrade {id}")).id(id);
    let task = task.created(ago(began)).running();
    task.sub_task(step("done", TaskStatus::Successful, began))
        .sub_task(step("next", TaskStatus::InProgress, began))
}

fn step(name: &str, status: TaskStatus, began: i64) -> SubTask {
    let mut step = SubTask::new(name, ago(began));
    step.status = status;
    step
}

/// An SDDC Manager with two tasks under way, a failed and two settled ones.
async fn sddc() -> Bench {
    let mut options = options();
    options.clock_skew = None;
    let bench = Bench::real_time(options).await;
    bench.sim.add(running("young", 60));
    bench.sim.add(running("old", 7_000));
    bench
        .sim
        .add(ended("good", TaskStatus::Successful, 9_000, 130));
    let failed = ended("bad", TaskStatus::Failed, 8_000, 3_700)
        .resource(Resource::new("h-1", "HOST").fqdn("esx-1.rainpole.io"))
        .sub_task(step("Copy", TaskStatus::Failed, 8_000))
        .error(TaskError::new("BACKUP_FAILED", "No space"));
    bench.sim.add(failed);
    bench
        .sim
        .add(ended("older", TaskStatus::Cancelled, 90_000, 1));
    bench
}

/// Runs it, and returns what was printed and logged.
async fn run(scratch: &Scratch, arguments: &[&str], code: i32) -> (String, String) {
    let ended = scratch.run(&[&["tasks"], arguments].concat(), &[]).await;
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    (
        String::from_utf8(ended.stdout).unwrap(),
        String::from_utf8(ended.stderr).unwrap(),
    )
}

#[tokio::test]
async fn the_table_has_a_line_for_each_task_unfinished_ones_first() {
    let bench = sddc().await;
    let scratch = Scratch::source(&bench.url, "");
    let (table, said) = run(&scratch, &[], 0).await;
    assert!(
        !table.contains('\u{1b}') && !said.contains('\u{1b}'),
        "{table}{said}"
    );
    let lines: Vec<_> = table.lines().collect();
    let ids: Vec<_> = lines
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["ID", "old", "young", "bad", "good", "older"],
        "{table}"
    );
    for (line, words) in [
        (
            0,
            &[
                "STATUS",
                "PROGRESS",
                "SOURCE",
                "NAME",
                "DURATION",
                "FAILED AT",
            ][..],
        ),
        (
            1,
            &[
                "running",
                "█████░░░░░  50%",
                "a",
                "UPGRADE",
                "Upgrade old",
                "1h 56m",
            ],
        ),
        (3, &["failed", "100%", "1h 1m", "Copy [BACKUP_FAILED]"]),
        (4, &["succeeded", "BACKUP", "Backup good", "2m 10s"]),
        (5, &["cancelled", "1s"]),
    ] {
        for word in words {
            assert!(lines[line].contains(word), "{word} in {:?}", lines[line]);
        }
    }
    assert!(!scratch.path("data").exists());
}

#[tokio::test]
async fn the_object_has_each_task_and_each_source() {
    let bench = sddc().await;
    let scratch = Scratch::source(&bench.url, "");
    let (text, _) = run(&scratch, &["--format=json"], 0).await;
    let object: Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<_> = object.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["sources", "tasks", "time"]);
    assert!(
        object["time"]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .is_ok()
    );
    assert_eq!(
        object["sources"],
        json!([{
            "source": "a", "system": "sddc_manager", "up": true,
            "listing_complete": true, "listed": 5, "error": null,
        }])
    );
    let tasks = object["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 5);
    let failed = &tasks[2];
    let times = ["started", "ended"].map(|key| failed[key].as_str().unwrap().parse::<Timestamp>());
    let took = times[1]
        .as_ref()
        .unwrap()
        .duration_since(times[0].clone().unwrap());
    assert_eq!(took.as_secs(), 3_700);
    let mut fixed = failed.clone();
    for key in ["started", "ended"] {
        fixed.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(
        fixed,
        json!({
            "source": "a", "task_id": "bad", "operation": "BACKUP", "name": "Backup bad",
            "status": "failed", "open": true, "duration_seconds": 3700.0, "progress_ratio": 1.0,
            "resources": ["esx-1.rainpole.io"],
            "failed_subtasks": [{"path": ["Copy"], "error_code": null}],
            "error_code": "BACKUP_FAILED", "error_message": "No space",
        })
    );
    assert_eq!(tasks[0]["progress_ratio"], json!(0.5));
    assert_eq!(
        (&tasks[0]["ended"], &tasks[0]["duration_seconds"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&tasks[3]["open"], &tasks[3]["duration_seconds"]),
        (&json!(false), &json!(130.0))
    );
}

#[rstest]
#[case(&["--status=failed"], &["bad"])]
#[case(&["--status", "FAILED", "--status", "succeeded"], &["bad", "good"])]
#[case(&["--status=blocked"], &[])]
#[tokio::test]
async fn statuses_are_chosen(#[case] arguments: &[&str], #[case] ids: &[&str]) {
    let bench = sddc().await;
    let scratch = Scratch::source(&bench.url, "");
    let (text, _) = run(&scratch, &[arguments, &["--format=json"]].concat(), 0).await;
    let object: Value = serde_json::from_str(&text).unwrap();
    let found = object["tasks"].as_array().unwrap().iter();
    let found: Vec<_> = found
        .map(|task| task["task_id"].as_str().unwrap())
        .collect();
    assert_eq!(found, ids);
    // How many there are is not a matter of choice.
    assert_eq!(object["sources"][0]["listed"], json!(5));
}

#[tokio::test]
async fn an_unknown_status_is_told_the_known_ones() {
    let (_, said) = run(&Scratch::new("sources: []"), &["--status=broken"], 2).await;
    for word in [
        "broken",
        "pending",
        "running",
        "blocked",
        "cancelled",
        "unknown",
    ] {
        assert!(said.contains(word), "{said}");
    }
}

#[tokio::test]
async fn sources_are_chosen_and_no_other_is_polled() {
    let (a, b) = (sddc().await, sddc().await);
    let login =
        "system: sddc_manager, username: administrator@vsphere.local, password: 'VMware123!'";
    let text = format!(
        "sources:\n  - {{name: a, url: '{}', {login}}}\n  - {{name: b, url: '{}', {login}}}\n",
        a.url, b.url
    );
    let scratch = Scratch::new(&text);
    let (table, _) = run(&scratch, &["--source=b"], 0).await;
    assert_eq!(table.lines().count(), 6, "{table}");
    assert_eq!((a.logins(), b.logins()), (0, 1));
    let (table, _) = run(&scratch, &["--source=b", "--source=a"], 0).await;
    assert_eq!(table.lines().count(), 11, "{table}");
    let (table, said) = run(&scratch, &["--source=c"], 2).await;
    assert!(
        table.is_empty() && said.contains("c: no source is called so"),
        "{said}"
    );
    assert_eq!((a.logins(), b.logins()), (1, 2));
    let mut codes = Vec::new();
    for shard in ["--shard=0", "--shard=1"] {
        let arguments = ["tasks", "--source=a", shard, "--total-shards=2"];
        let ended = scratch.run(&arguments, &[]).await;
        let said = String::from_utf8(ended.stderr).unwrap();
        let known = ended.status.code() == Some(0);
        assert!(
            known || said.contains("a: belongs to another shard"),
            "{said}"
        );
        codes.push(ended.status.code().unwrap());
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 2]);
}

#[tokio::test]
async fn a_source_that_fails_is_told_and_the_others_are_printed() {
    let bench = sddc().await;
    let login =
        "system: sddc_manager, username: administrator@vsphere.local, password: 'VMware123!'";
    let text = format!(
        "sources:\n  - {{name: a, url: '{}', {login}}}\n  - {{name: dead, url: 'http://127.0.0.1:1', {login}}}\n",
        bench.url
    );
    let scratch = Scratch::new(&text);
    let (table, said) = run(&scratch, &[], 1).await;
    assert_eq!(table.lines().count(), 6, "{table}");
    assert!(
        said.contains("source=dead") && said.contains("reason=connect"),
        "{said}"
    );
    let (text, _) = run(&scratch, &["--format=json"], 1).await;
    let object: Value = serde_json::from_str(&text).unwrap();
    let dead = &object["sources"][1];
    assert_eq!(
        (&dead["up"], &dead["listed"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(dead["error"]["reason"], json!("connect"));
}

#[rstest]
#[case("--format=table")]
#[case("--format=json")]
#[tokio::test]
async fn what_a_terminal_would_act_on_is_made_visible(#[case] format: &str) {
    let bench = sddc().await;
    let mut evil = running("evil\u{9b}2J", 5);
    evil.name = "two\nlines \u{1b}[2J \u{202e}gnihton\u{7}".to_owned();
    bench.sim.add(evil);
    let (text, _) = run(&Scratch::source(&bench.url, ""), &[format], 0).await;
    let active = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(active), "{text:?}");
    assert!(
        text.contains("\\u001b[2J") && text.contains("\\u202e"),
        "{text}"
    );
    assert!(text.contains("two\\nlines"), "{text}");
}
