use std::collections::BTreeMap;

use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{
    Endpoint, Fault, FaultKind, Resource, SddcManager, SimTask, SubTask, TaskError, TaskStatus,
};

use crate::support::{SOURCE, Series, World, eventually, readme_blocks, simulated};

/// The operation of the task that the story is about.
const OPERATION: &str = "HOST_COMMISSION";

/// A name that no format may garble.
const NAME: &str = r#"Commissioning "sfo01-w01-esx05" from C:\hosts, größer {a="b"}"#;

/// A selector of the story's operation, with more labels.
fn of(metric: &str, labels: &str) -> String {
    format!("{metric}{{source=\"{SOURCE}\",operation=\"{OPERATION}\"{labels}}}")
}

/// A task of three steps, running the first.
fn commission() -> SimTask {
    let now = Clock::system().now();
    let step = |name: &str| SubTask::new(name, now);
    SimTask::new(OPERATION, NAME)
        .created(now)
        .resource(Resource::new("h-5", "HOST").fqdn("sfo01-w01-esx05.rainpole.io"))
        .sub_task(step("ValidateHosts"))
        .sub_task(step("sfo01-w01-esx05.rainpole.io:FTP"))
        .sub_task(step("AddHostsToInventory"))
        .running()
}

/// The label value for a state of the simulator.
fn word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Pending => "pending",
        TaskStatus::InProgress => "running",
        TaskStatus::Successful => "succeeded",
        TaskStatus::Failed => "failed",
        TaskStatus::Cancelled => "cancelled",
        TaskStatus::CompletedWithWarning => "warning",
        TaskStatus::Skipped | TaskStatus::NotApplicable => "skipped",
        TaskStatus::Other(_) => "unknown",
    }
}

/// Waits until Prometheus counts the tasks as the simulator holds them.
async fn agrees(world: &World, sddc: &SddcManager) {
    let mut held = BTreeMap::new();
    for task in sddc.tasks() {
        *held.entry(word(task.status).to_owned()).or_default() += 1.0;
    }
    let witness = async || world.exporter.witness().await;
    eventually(
        "virt_tasks agrees with the simulator",
        witness,
        async || {
            let answer = world
                .prometheus
                .query("sum by (status) (virt_tasks) > 0")
                .await?;
            let seen = answer
                .iter()
                .map(|series| (series.labels["status"].clone(), series.value));
            let seen: BTreeMap<_, f64> = seen.collect();
            if seen == held {
                return Ok(());
            }
            Err(format!("seen {seen:?}, held {held:?}"))
        },
    )
    .await;
}

/// Tasks of the past, and one in each state that the past does not know.
fn fill(sddc: &SddcManager) {
    sddc.history(40);
    let now = Clock::system().now();
    for status in [
        TaskStatus::Pending,
        TaskStatus::CompletedWithWarning,
        TaskStatus::Cancelled,
        TaskStatus::Skipped,
        TaskStatus::Other("BOILING"),
    ] {
        let task = SimTask::new("BUNDLE_DOWNLOAD", "Downloading").created(now);
        sddc.add(task.status(status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_a_task_fail_and_succeed_when_retried() {
    let simulated = simulated().await;
    let sddc = &simulated.sddc;
    fill(sddc);
    let world = World::over(&simulated).await;
    world.is("up", 1.0).await;
    world.is("virt_source_up", 1.0).await;
    world.is("virt_source_listing_complete", 1.0).await;
    agrees(&world, sddc).await;

    let id = sddc.add(commission());
    starts(&world, &id).await;
    agrees(&world, sddc).await;
    sddc.advance(&id);
    world
        .is(
            &format!("round(3 * virt_open_task_progress_ratio{{task_id=\"{id}\"}})"),
            1.0,
        )
        .await;

    sddc.fail(&id, TaskError::new("HOST_COMMISSION_FAILED", "No answer"));
    fails(&world, &id).await;
    is_told_by_the_readme(&world).await;
    agrees(&world, sddc).await;

    assert!(sddc.retry(&id));
    runs_again(&world, &id).await;
    sddc.succeed(&id);
    succeeds(&world, &id).await;
    agrees(&world, sddc).await;
    announces(&world).await;

    goes_silent_and_comes_back(&world, sddc).await;
    let (status, log) = world.exporter.stop().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("a task failed"), "{log}");
}

async fn starts(world: &World, id: &str) {
    world.is(&of("virt_task_started_total", ""), 1.0).await;
    world
        .is(&of("virt_tasks", ",status=\"running\""), 1.0)
        .await;
    world
        .is(&of("virt_subtasks", ",status=\"pending\""), 2.0)
        .await;
    // Only a counter that was seen at 0 can be seen to rise.
    world
        .is(&of("virt_task_finished_total", ",status=\"failed\""), 0.0)
        .await;
    let info = world
        .is(&format!("virt_open_task_info{{task_id=\"{id}\"}}"), 1.0)
        .await;
    for (label, value) in [
        ("source", SOURCE),
        ("operation", OPERATION),
        ("status", "running"),
        ("name", NAME),
        ("resource", "sfo01-w01-esx05.rainpole.io"),
    ] {
        assert_eq!(
            info.labels.get(label).map(String::as_str),
            Some(value),
            "{info:?}"
        );
    }
    assert!(!info.labels.contains_key("error_code"), "{info:?}");
}

async fn fails(world: &World, id: &str) {
    let code = ",error_code=\"HOST_COMMISSION_FAILED\"";
    world.is(&of("virt_task_failures_total", code), 1.0).await;
    world.is(&of("virt_task_failures_total", ""), 1.0).await;
    world
        .is(
            &of("virt_subtask_failures_total", ",subtask=\"*:FTP\""),
            1.0,
        )
        .await;
    world.is(&of("virt_subtask_failures_total", ""), 1.0).await;
    world
        .is(&of("virt_task_unresolved_failures", ""), 1.0)
        .await;
    world.is(&of("virt_tasks", ",status=\"failed\""), 1.0).await;
    let failed = ",status=\"failed\"";
    world.is(&of("virt_task_finished_total", failed), 1.0).await;
    world
        .is(&of("virt_task_duration_seconds_count", failed), 1.0)
        .await;
    world
        .some(&format!(
            "increase({}[1m]) > 0",
            of("virt_task_finished_total", failed)
        ))
        .await;
    let place = format!("{code},task_id=\"{id}\",status=\"failed\",failed_subtask=\"*:FTP\"");
    world.is(&of("virt_open_task_info", &place), 1.0).await;
    let since = format!("time() - virt_open_task_end_timestamp_seconds{{task_id=\"{id}\"}} < 120");
    world.some(&since).await;
    world
        .some(&format!(
            "time() - {} < 120",
            of("virt_task_last_failure_timestamp_seconds", "")
        ))
        .await;
}

/// The README's question for the failed tasks.
async fn is_told_by_the_readme(world: &World) {
    let question = readme_blocks("promql").next().unwrap();
    let answer = world.some(question).await;
    let told = |series: &&Series| series.labels.get("name").is_some_and(|name| name == NAME);
    let found = answer.iter().find(told);
    let place = found.and_then(|series| series.labels.get("failed_subtask"));
    assert_eq!(place.map(String::as_str), Some("*:FTP"), "{answer:#?}");
}

async fn runs_again(world: &World, id: &str) {
    world
        .is(&of("virt_task_unresolved_failures", ""), 0.0)
        .await;
    world
        .is(&of("virt_tasks", ",status=\"running\""), 1.0)
        .await;
    world
        .is(
            &format!("virt_open_task_info{{task_id=\"{id}\",status=\"running\"}}"),
            1.0,
        )
        .await;
    world
        .none(&format!(
            "virt_open_task_info{{task_id=\"{id}\",status=\"failed\"}}"
        ))
        .await;
    // The same task, started once.
    world.is(&of("virt_task_started_total", ""), 1.0).await;
}

async fn succeeds(world: &World, id: &str) {
    let succeeded = ",status=\"succeeded\"";
    world
        .is(&of("virt_task_finished_total", succeeded), 1.0)
        .await;
    world
        .is(&of("virt_task_duration_seconds_count", succeeded), 1.0)
        .await;
    let all = of(
        "virt_task_duration_seconds_bucket",
        ",status=\"succeeded\",le=\"+Inf\"",
    );
    world.is(&all, 1.0).await;
    world
        .is(&of("virt_task_finished_total", ",status=\"failed\""), 1.0)
        .await;
    world
        .is(&of("virt_task_unresolved_failures", ""), 0.0)
        .await;
    world
        .none(&format!("virt_open_task_info{{task_id=\"{id}\"}}"))
        .await;
    world
        .some(&of("virt_task_last_success_timestamp_seconds", ""))
        .await;
    world
        .some(&of("virt_task_typical_duration_seconds", ""))
        .await;
}

/// Counters are announced without `_total` in OpenMetrics alone.
async fn announces(world: &World) {
    let types = world.prometheus.types().await.unwrap();
    for (family, kind) in [
        ("virt_tasks", "gauge"),
        ("virt_open_task_info", "gauge"),
        ("virt_task_finished", "counter"),
        ("virt_task_failures", "counter"),
        ("virt_task_duration_seconds", "histogram"),
        ("process_cpu_seconds", "counter"),
    ] {
        assert_eq!(
            types.get(family).map(String::as_str),
            Some(kind),
            "{family} in {types:#?}"
        );
    }
    assert!(
        !types.contains_key("virt_task_finished_total"),
        "{types:#?}"
    );
}

/// A source that cannot be read is down, its state is withdrawn, its counts stay.
async fn goes_silent_and_comes_back(world: &World, sddc: &SddcManager) {
    sddc.inject(Fault::new(Endpoint::Any, FaultKind::Status(503)));
    world.is("virt_source_up", 0.0).await;
    world
        .some("virt_source_poll_failures_total{reason=\"server_error\"} > 0")
        .await;
    world.none("virt_tasks").await;
    world.none("virt_open_task_info").await;
    world
        .is(
            &of("virt_task_finished_total", ",status=\"succeeded\""),
            1.0,
        )
        .await;
    world.is("up", 1.0).await;
    sddc.clear_faults();
    world.is("virt_source_up", 1.0).await;
    agrees(world, sddc).await;
    world
        .is(
            &of("virt_task_finished_total", ",status=\"succeeded\""),
            1.0,
        )
        .await;
}
