use rustix::process::Signal;
use tokio::time::Instant;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{SddcManager, SimTask, SubTask, TaskError};

use crate::support::{SOURCE, Simulated, World, simulated};

/// An operation that history does not know.
const OPERATION: &str = "CRASH_TEST";

/// What rises by one with each failed task, a counter or a histogram.
fn rising() -> [String; 4] {
    let of = |metric, labels| {
        format!("{metric}{{source=\"{SOURCE}\",operation=\"{OPERATION}\",{labels}}}")
    };
    [
        of("virt_task_failures_total", "error_code=\"NO_ANSWER\""),
        of("virt_task_finished_total", "status=\"failed\""),
        of("virt_subtask_failures_total", "subtask=\"Step\""),
        of("virt_task_duration_seconds_count", "status=\"failed\""),
    ]
}

/// Lets a task come and fail.
fn fail(sddc: &SddcManager) {
    let now = Clock::system().now();
    let task = SimTask::new(OPERATION, "Crash test").created(now);
    let id = sddc.add(task.sub_task(SubTask::new("Step", now)).running());
    sddc.fail(&id, TaskError::new("NO_ANSWER", "No answer"));
}

/// What is a range of the time since `start`, and no longer.
fn since(start: Instant) -> String {
    format!("[{}ms]", start.elapsed().as_millis())
}

#[tokio::test(flavor = "multi_thread")]
async fn increase_sees_each_failure_once_whatever_becomes_of_the_exporter() {
    let simulated = simulated().await;
    simulated.sddc.history(40);
    let mut world = World::over(&simulated).await;
    shows_history_and_counts_none(&world).await;
    sees_the_first_failure_ever(&world, &simulated.sddc).await;
    sees_what_failed_while_it_was_down(&mut world, &simulated).await;
    for signal in [Signal::TERM, Signal::KILL] {
        sees_nothing_in_a_restart(&mut world, &simulated, signal).await;
    }
    let history = format!("{{operation!=\"{OPERATION}\"}}");
    let counted = format!("sum(increase(virt_task_finished_total{history}[10m]))");
    world.is(&counted, 0.0).await;
    world
        .none(&format!("virt_task_failures_total{history}"))
        .await;
    let (status, log) = world.exporter.stop().await;
    assert_eq!(status.code(), Some(0), "{log}");
}

async fn shows_history_and_counts_none(world: &World) {
    world.is("sum(virt_tasks)", 40.0).await;
    world
        .is("count(virt_task_typical_duration_seconds) > bool 0", 1.0)
        .await;
    world.is("sum(virt_task_started_total)", 0.0).await;
    world.is("sum(virt_task_finished_total)", 0.0).await;
    for metric in [
        "virt_task_failures_total",
        "virt_task_duration_seconds_count",
    ] {
        world.none(metric).await;
    }
}

async fn sees_the_first_failure_ever(world: &World, sddc: &SddcManager) {
    fail(sddc);
    for series in rising() {
        world.some(&format!("increase({series}[1m]) > 0")).await;
        world.had(&series, &[0.0, 1.0]).await;
    }
}

async fn sees_what_failed_while_it_was_down(world: &mut World, simulated: &Simulated) {
    world.goes_down(Signal::KILL).await;
    for series in rising() {
        world.none(&series).await;
    }
    for _ in 0..3 {
        fail(&simulated.sddc);
    }
    let down = Instant::now();
    world.comes_back(simulated).await;
    for series in rising() {
        // Nothing in this range is from before the crash.
        world.is(&format!("{series} > 3"), 4.0).await;
        let increase = format!("increase({series}{}) > 0", since(down));
        world.some(&increase).await;
        world.had(&series, &[0.0, 1.0, 4.0]).await;
    }
}

async fn sees_nothing_in_a_restart(world: &mut World, simulated: &Simulated, signal: Signal) {
    let before = Instant::now();
    world.goes_down(signal).await;
    world.comes_back(simulated).await;
    // So many polls take longer than anything is held back.
    world.some("sum(virt_source_polls_total) > 30").await;
    for series in rising() {
        for function in ["increase", "resets", "changes"] {
            let expression = format!("{function}({series}{})", since(before));
            world.is(&expression, 0.0).await;
        }
    }
}
