use serde_json::{Value, json};

use super::support::{BUNDLE, Bench, SOFTWARE, clone_task};
use crate::simulator::{VcError, VcStatus, VcTask};

/// Which of the members that depend on the state are there.
fn present(task: &Value) -> Vec<&'static str> {
    let names = ["start_time", "end_time", "progress", "error", "result"];
    names
        .into_iter()
        .filter(|name| task.get(name).is_some())
        .collect()
}

#[tokio::test]
async fn members_come_and_go_with_the_state() {
    let bench = Bench::new(|_| {}).await;
    let task = VcTask::new(SOFTWARE, "apply").target("ClusterComputeResource", "domain-c9");
    let id = bench.sim.add(task);
    assert!(present(&bench.task(&id).await).is_empty());
    bench.clock.pass(10);
    bench.sim.begin(&id);
    let running = bench.task(&id).await;
    assert_eq!(present(&running), ["start_time", "progress", "result"]);
    assert_eq!(running["start_time"], "2026-11-20T15:00:10.000Z");
    bench.sim.progress(&id, 40);
    bench.sim.block(&id);
    let blocked = bench.task(&id).await;
    assert_eq!(blocked["status"], "BLOCKED");
    assert_eq!(blocked["progress"]["completed"], 40);
    assert_eq!(blocked["progress"]["total"], 100);
    assert!(blocked["progress"]["message"]["default_message"].is_string());
    bench.clock.pass(10);
    bench.sim.begin(&id);
    assert_eq!(bench.task(&id).await["start_time"], running["start_time"]);
    bench.sim.fail(&id, VcError::new("TIMED_OUT", "Too slow."));
    let failed = bench.task(&id).await;
    assert_eq!(
        present(&failed),
        ["start_time", "end_time", "progress", "error", "result"]
    );
    assert_eq!(failed["end_time"], "2026-11-20T15:00:20.000Z");
    assert_eq!(failed["progress"]["completed"], 40);
    assert_eq!(
        failed["target"],
        json!({"type": "ClusterComputeResource", "id": "domain-c9"})
    );
}

#[tokio::test]
async fn an_error_names_its_class_in_rest_only() {
    let bench = Bench::new(|_| {}).await;
    let id = bench
        .sim
        .add(clone_task("a").failed(VcError::new("RESOURCE_BUSY", "Busy.")));
    let api = bench.task(&id).await["error"].clone();
    assert_eq!(api["error_type"], "RESOURCE_BUSY");
    assert_eq!(api["messages"][0]["default_message"], "Busy.");
    let rest = bench.get(&format!("/rest/cis/tasks/{id}")).await.good()["value"]["error"].clone();
    assert_eq!(rest["@class"], "com.vmware.vapi.std.errors.resource_busy");
    assert_eq!(rest["messages"], api["messages"]);
    assert!(api.get("@class").is_none());
}

#[tokio::test]
async fn a_canceled_task_has_failed() {
    let bench = Bench::new(|_| {}).await;
    let id = bench.sim.add(clone_task("a").running());
    bench.sim.cancel(&id);
    let task = bench.task(&id).await;
    assert_eq!(
        (&task["status"], &task["error"]["error_type"]),
        (&json!("FAILED"), &json!("CANCELED"))
    );
    bench.sim.succeed(&id);
    assert_eq!(
        bench.task(&id).await["status"],
        "FAILED",
        "an end is an end"
    );
}

#[tokio::test]
async fn vlcm_has_habits_of_its_own() {
    let bench = Bench::new(|_| {}).await;
    let vlcm = bench
        .sim
        .add(VcTask::new(SOFTWARE, "check").suffixed(true).running());
    let vlcm = bench.task(&vlcm).await;
    assert_eq!(
        (&vlcm["parent"], &vlcm["operation"]),
        (&json!(""), &json!("check$task"))
    );
    assert!(vlcm["notifications"].is_object());
    let appliance = bench.sim.add(VcTask::new(BUNDLE, "create").running());
    let appliance = bench.task(&appliance).await;
    assert_eq!(appliance["operation"], "create");
    for name in ["parent", "notifications", "user", "target"] {
        assert!(appliance.get(name).is_none(), "{name}");
    }
    assert_eq!(appliance["description"]["args"], json!([]));
    let child = bench.sim.add(
        clone_task("a")
            .parent("p")
            .user("root")
            .description("Clone it"),
    );
    let child = bench.task(&child).await;
    assert_eq!(
        (&child["parent"], &child["user"]),
        (&json!("p"), &json!("root"))
    );
    assert_eq!(child["description"]["default_message"], "Clone it");
}

#[tokio::test]
async fn tasks_inside_follow_their_task() {
    let bench = Bench::new(|_| {}).await;
    let inside = |id: &str| VcTask::new(SOFTWARE, "apply").id(id);
    let task = VcTask::new(SOFTWARE, "apply");
    let task = task
        .subtask(inside("1"))
        .subtask(inside("2"))
        .subtask(inside("3"));
    let id = bench.sim.add(task);
    let states = || {
        let inside = bench.sim.task(&id).unwrap().subtasks;
        inside
            .into_iter()
            .map(|task| task.status)
            .collect::<Vec<_>>()
    };
    let (waits, runs) = (VcStatus::Pending, VcStatus::Running);
    assert_eq!(states(), [waits; 3]);
    bench.sim.begin(&id);
    assert_eq!(states(), [runs, waits, waits]);
    bench.sim.progress(&id, 50);
    assert_eq!(states(), [VcStatus::Succeeded, runs, waits]);
    bench.sim.fail(&id, VcError::new("ERROR", "no"));
    assert_eq!(states(), [VcStatus::Succeeded, VcStatus::Failed, waits]);
    assert_eq!(
        bench.task(&id).await["subtasks"]["2"]["error"]["error_type"],
        "ERROR"
    );
    assert_eq!(bench.ids(&[SOFTWARE]).await, [id], "they are in no list");
}

#[tokio::test]
async fn times_and_members_can_be_given() {
    let bench = Bench::new(|_| {}).await;
    let (start, end) = (bench.clock.now(), bench.clock.now());
    bench.clock.pass(60);
    let task = clone_task("a").succeeded().started(start).ended(end);
    let id = bench.sim.add(
        task.with_field("error", json!("text"))
            .without_field("start_time"),
    );
    let task = bench.task(&id).await;
    assert_eq!(task["end_time"], "2026-11-20T15:00:00.000Z");
    assert_eq!(
        (&task["error"], task.get("start_time")),
        (&json!("text"), None)
    );
    let zero = bench.sim.add(clone_task("b").running().progress(0, 0));
    assert_eq!(bench.task(&zero).await["progress"]["total"], 0);
    bench.sim.succeed(&zero);
    bench.sim.remove(&id);
    assert_eq!(bench.ids(&["com.vmware.vcenter.VM"]).await, [zero]);
}

#[tokio::test]
async fn totals_count_what_happened() {
    let bench = Bench::new(|_| {}).await;
    let operation = |name: &str| format!("{SOFTWARE}.{name}");
    let ids: Vec<String> = (0..3)
        .map(|_| bench.sim.add(VcTask::new(SOFTWARE, "check").suffixed(true)))
        .collect();
    bench.sim.succeed(&ids[0]);
    bench.sim.succeed(&ids[0]);
    bench.sim.cancel(&ids[1]);
    bench
        .sim
        .add(VcTask::new(SOFTWARE, "apply").failed(VcError::new("TIMED_OUT", "")));
    bench.sim.history(5);
    bench.sim.remove(&ids[2]);
    let totals = bench.sim.totals();
    assert_eq!(totals.started[&operation("check")], 3);
    assert_eq!(totals.ended[&(operation("check"), VcStatus::Succeeded)], 1);
    assert_eq!(totals.ended(VcStatus::Failed), 2);
    assert_eq!(
        totals.failures[&(operation("check"), "CANCELED".to_owned())],
        1
    );
    assert_eq!(
        totals.failures[&(operation("apply"), "TIMED_OUT".to_owned())],
        1
    );
}
