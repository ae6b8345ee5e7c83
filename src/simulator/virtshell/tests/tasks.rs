use jiff::Timestamp;
use serde_json::json;

use super::support::{A, Bench, OBJECT, create};
use crate::simulator::{VsShape, VsTask};

const USER: &str = "a379e6d4-0000-4000-8000-000000000001";

fn at(time: &str) -> Timestamp {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

#[tokio::test]
async fn the_real_shape_knows_times_of_day_only() {
    let bench = Bench::shaped(VsShape::Real).await;
    let born = create(A)
        .description("create web")
        .created(at("14:59:58.000407"));
    let uuid = bench.sim.add(born);
    assert_eq!(
        bench.task(A).await,
        json!({
            "uuid": A, "description": "create web", "status": "pending", "type": "create_instance",
            "object_uuid": OBJECT, "log": "", "date": "14:59:58.000407", "status_history": [],
        })
    );
    bench.sim.set_status(&uuid, "dispatched", "to host");
    bench.clock.pass(61);
    bench.sim.set_status(&uuid, "received", "");
    let task = bench.task(A).await;
    assert_eq!(
        (&task["date"], &task["log"]),
        (&json!("15:01:01"), &json!(""))
    );
    assert_eq!(
        task["status_history"],
        json!([
            ["pending", "14:59:58.000407", ""],
            ["dispatched", "15:00:00", "to host"]
        ])
    );
}

#[tokio::test]
async fn the_documented_shape_knows_seconds_as_text() {
    let bench = Bench::shaped(VsShape::Documented).await;
    let uuid = bench
        .sim
        .add(create(A).description("create web").user(USER));
    bench.clock.pass(75);
    bench.sim.set_status(&uuid, "in progress", "half");
    assert_eq!(
        bench.task(A).await,
        json!({
            "uuid": A, "description": "create web", "status": "in progress",
            "type": "create_instance", "object_uuid": OBJECT, "log": "half",
            "created": {"at": "1795186800", "by": USER}, "last_update": "1795186875",
        })
    );
}

#[tokio::test]
async fn a_task_that_is_no_longer_pending_was_so_before() {
    let bench = Bench::new(|_| {}).await;
    let created = create(A).created(at("13:00:00"));
    bench.sim.add(created.clone().status("provisioned"));
    let task = bench.task(A).await;
    assert_eq!(task["status_history"], json!([["pending", "13:00:00", ""]]));
    assert_eq!(task["date"], "15:00:00");
    bench
        .sim
        .add(created.status("error").changed(at("13:00:00")));
    assert_eq!(bench.task(A).await["status_history"], json!([]));
    let told = create(A).status("created").changed(at("13:00:09"));
    bench.sim.add(told.was("pending", at("12:00:00")));
    let task = bench.task(A).await;
    assert_eq!(task["status_history"], json!([["pending", "12:00:00", ""]]));
    assert_eq!(task["date"], "13:00:09");
    let created = bench.sim.task(A).unwrap().created;
    assert_eq!(created, Some(at("12:00:00")));
}

#[tokio::test]
async fn members_can_be_anything_or_absent() {
    let bench = Bench::new(|_| {}).await;
    let odd = create(A).with_field("status", json!(7));
    let odd = odd.without_field("log").with_field("extra", json!([1]));
    bench.sim.add(odd.with_field("type", json!({})));
    let task = bench.task(A).await;
    assert_eq!((&task["status"], &task["extra"]), (&json!(7), &json!([1])));
    assert_eq!(task["type"], json!({}));
    assert!(task.get("log").is_none());
    bench.sim.set_status(A, "error", "no host");
    let task = bench.task(A).await;
    assert_eq!(task["status"], "error");
    assert!(task.get("log").is_none());
    let failed = bench.sim.totals().ended;
    assert_eq!(failed.keys().next().unwrap().0, "unknown");
}

#[tokio::test]
async fn ids_that_are_none_are_found_too() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(create("t1"));
    assert_eq!(bench.task("t1").await["uuid"], "t1");
}

#[tokio::test]
async fn uuids_come_from_the_seed() {
    let uuids = |seed| async move {
        let bench = Bench::new(|options| options.seed = seed).await;
        let uuid = bench.sim.add(VsTask::new("create_instance"));
        assert_eq!(bench.task(&uuid).await["uuid"], uuid.as_str());
        uuid
    };
    assert_eq!(uuids(1).await, uuids(1).await);
    assert_ne!(uuids(1).await, uuids(2).await);
}
