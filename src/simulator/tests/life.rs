use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use super::support::HeldClock;
use crate::simulator::{
    RECIPES, SddcManager, SddcManagerOptions, SimTask, SubTask, TaskError, TaskStatus, Totals,
    Workload,
};

fn manager(clock: &HeldClock) -> SddcManager {
    SddcManager::new(clock.clock(), SddcManagerOptions::default())
}

/// A living manager after some seconds, looked at every `step` of them.
fn lived(seed: u64, seconds: i64, step: i64) -> (Vec<SimTask>, Totals) {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    let keep = Duration::from_secs(200);
    sim.set_workload(Workload::new(0.7, seed).retention(keep));
    sim.tick();
    for _ in 0..seconds / step {
        clock.pass(step);
        sim.tick();
    }
    (sim.tasks(), sim.totals())
}

fn count(tasks: &[SimTask], status: TaskStatus) -> usize {
    tasks.iter().filter(|task| task.status == status).count()
}

#[test]
fn tasks_already_run_at_the_start() {
    let (tasks, _) = lived(1, 0, 1);
    assert!(count(&tasks, TaskStatus::InProgress) > 2);
    assert!(count(&tasks, TaskStatus::Successful) > 2);
    let running = tasks.iter().filter(|t| t.status == TaskStatus::InProgress);
    for task in running {
        let states = task.sub_tasks.iter().map(|step| step.status);
        assert!(states.into_iter().any(|s| s == TaskStatus::InProgress));
    }
}

#[test]
fn a_minute_shows_every_outcome() {
    let (tasks, totals) = lived(2, 60, 1);
    for status in [
        TaskStatus::InProgress,
        TaskStatus::Successful,
        TaskStatus::Failed,
    ] {
        assert!(count(&tasks, status) > 0, "{status:?}");
    }
    assert!(!totals.retries.is_empty());
}

#[test]
fn failed_tasks_say_why() {
    let (tasks, totals) = lived(3, 600, 10);
    for task in tasks.iter().filter(|t| t.status == TaskStatus::Failed) {
        assert!(!task.errors.is_empty(), "{task:?}");
        assert!(task.completed.is_some());
    }
    let failures: u64 = totals.failures.values().sum();
    assert_eq!(failures, totals.ended(TaskStatus::Failed));
    for failure in totals.failures.keys() {
        assert!(!failure.error_code.is_empty() && !failure.sub_task.is_empty());
    }
}

#[rstest]
#[case(5)]
#[case(60)]
fn how_often_one_looks_does_not_matter(#[case] step: i64) {
    assert_eq!(lived(4, 600, 1), lived(4, 600, step));
}

#[test]
fn seeds_differ() {
    assert_ne!(lived(5, 60, 1).1, lived(6, 60, 1).1);
}

#[test]
fn retention_bounds_the_list() {
    let (tasks, totals) = lived(7, 3600, 30);
    let births: u64 = totals.births.values().sum();
    assert!(births > 2000, "{births}");
    assert!(tasks.len() < 500, "{}", tasks.len());
}

#[test]
fn a_task_that_nobody_retries_goes_on_when_somebody_does() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    sim.set_workload(Workload::new(1.0, 8).lead(Duration::from_secs(600)));
    sim.tick();
    let failed = sim
        .tasks()
        .into_iter()
        .filter(|t| t.status == TaskStatus::Failed);
    let ids: Vec<_> = failed.map(|task| task.id).collect();
    assert!(!ids.is_empty());
    for id in &ids {
        assert!(sim.retry(id));
        assert!(!sim.retry(id));
    }
    for _ in 0..20 {
        clock.pass(30);
        sim.tick();
    }
    for id in &ids {
        let status = sim.task(id).unwrap().status;
        assert!(status.is_ended(), "{status:?}");
    }
}

#[test]
fn a_task_retried_many_times_still_takes_its_time() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    let mut recipe = RECIPES[0];
    (recipe.length, recipe.failing) = ((500, 500), 0);
    sim.set_workload(Workload::new(1.0, 10).recipes([recipe]));
    sim.tick();
    let mut tasks = sim.tasks().into_iter();
    let running = tasks.find(|task| task.status == TaskStatus::InProgress);
    let id = running.unwrap().id;
    for _ in 0..10 {
        sim.fail(&id, TaskError::new("CODE", "text"));
        sim.retry(&id);
    }
    clock.pass(150);
    sim.tick();
    assert_eq!(sim.task(&id).unwrap().status, TaskStatus::InProgress);
}

#[test]
fn life_goes_on_after_a_restore() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    sim.set_workload(Workload::new(1.0, 9));
    sim.tick();
    let then = sim.snapshot();
    let before = sim.tasks();
    clock.pass(120);
    sim.tick();
    sim.restore_from(then);
    assert_eq!(sim.tasks(), before);
    clock.pass(300);
    sim.tick();
    for task in before {
        let status = sim.task(&task.id).unwrap().status;
        assert!(status.is_ended(), "{status:?}");
    }
}

#[tokio::test]
async fn a_demonstration_ticks_until_it_is_stopped() {
    let sim = manager(&HeldClock::new());
    sim.set_workload(Workload::new(1.0, 1));
    let stop = CancellationToken::new();
    stop.cancel();
    sim.live(Duration::from_secs(3600), stop).await;
    assert!(!sim.tasks().is_empty());
}

#[test]
fn a_step_follows_from_the_steps_inside_it() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    let step = |name: &str| SubTask::new(name, clock.now());
    let inner = step("inner").holding(step("a")).holding(step("b"));
    let task = SimTask::new("UPGRADE", "Upgrade").sub_task(step("outer").holding(inner));
    let id = sim.add(task.running());
    let statuses = || {
        let outer = &sim.task(&id).unwrap().sub_tasks[0];
        (outer.status, outer.sub_tasks[0].status)
    };
    let both = |status| (status, status);
    sim.advance(&id);
    assert_eq!(statuses(), both(TaskStatus::InProgress));
    sim.fail(&id, TaskError::new("CODE", "text"));
    assert_eq!(statuses(), both(TaskStatus::Failed));
    assert_eq!(sim.totals().failures.keys().next().unwrap().sub_task, "b");
    sim.retry(&id);
    assert_eq!(statuses(), both(TaskStatus::InProgress));
    sim.advance(&id);
    assert_eq!(statuses(), both(TaskStatus::Successful));
}

#[test]
fn no_rate_means_no_births() {
    for rate in [0.0, -1.0, f64::NAN] {
        let clock = HeldClock::new();
        let sim = manager(&clock);
        sim.set_workload(Workload::new(rate, 1));
        sim.tick();
        assert!(sim.tasks().is_empty());
    }
}

#[test]
fn history_is_of_usual_size_and_in_order() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    sim.history(2000);
    let tasks = sim.tasks();
    assert_eq!(tasks.len(), 2000);
    assert!(tasks.is_sorted_by_key(|task| task.created));
    let young = tasks.iter().all(|task| task.completed < Some(clock.now()));
    assert!(young && tasks.iter().all(|task| task.completed > task.created));
    let bytes: usize = tasks.iter().map(|task| task.json(task.case).len()).sum();
    let mean = bytes / tasks.len();
    assert!((1_200..3_000).contains(&mean), "{mean}");
    assert_eq!(sim.totals(), Totals::default());
}

#[test]
fn a_past_task_is_the_same_written_and_in_full() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    sim.history(300);
    let written = sim.with(|state, _| {
        let rows = state.tasks.rows();
        rows.map(|row| row.json(None)).collect::<Vec<_>>()
    });
    for (task, written) in sim.tasks().iter().zip(written) {
        assert_eq!(task.json(task.case), written);
    }
}

#[test]
fn past_tasks_can_be_changed() {
    let clock = HeldClock::new();
    let sim = manager(&clock);
    sim.history(50);
    let id = sim.tasks()[7].id.clone();
    sim.set_status(&id, TaskStatus::Failed);
    assert_eq!(sim.tasks()[7].status, TaskStatus::Failed);
    assert!(sim.retry(&id));
    sim.remove(&id);
    assert_eq!(sim.tasks().len(), 49);
}

#[test]
fn recipes_fail_at_steps_they_have() {
    for recipe in RECIPES {
        let mut leaves = Vec::new();
        for step in recipe.steps {
            if step.parts.is_empty() {
                leaves.push(step.name);
            }
            leaves.extend(step.parts.iter().map(|part| part.name));
        }
        assert!(!recipe.failures.is_empty());
        for failure in recipe.failures {
            assert!(leaves.contains(&failure.step), "{}", failure.step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Without removals, what the totals say is what the list shows.
    #[test]
    fn totals_match_the_list(seed: u64, ticks in 1_i64..200) {
        let clock = HeldClock::new();
        let sim = manager(&clock);
        sim.set_workload(Workload::new(0.5, seed));
        for _ in 0..ticks {
            clock.pass(3);
            sim.tick();
        }
        let totals = sim.totals();
        let mut births = BTreeMap::new();
        let tasks = sim.tasks();
        for task in &tasks {
            *births.entry(task.operation.clone().unwrap_or_default()).or_insert(0) += 1;
        }
        prop_assert_eq!(&totals.births, &births);
        let listed = |status| u64::try_from(count(&tasks, status)).unwrap();
        let retries: u64 = totals.retries.values().sum();
        prop_assert_eq!(totals.ended(TaskStatus::Successful), listed(TaskStatus::Successful));
        prop_assert_eq!(totals.ended(TaskStatus::Cancelled), listed(TaskStatus::Cancelled));
        prop_assert_eq!(totals.ended(TaskStatus::Failed), listed(TaskStatus::Failed) + retries);
    }
}
