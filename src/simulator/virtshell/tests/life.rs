use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use tokio_util::sync::CancellationToken;

use super::support::{A, create};
use crate::simulator::tests::support::HeldClock;
use crate::simulator::{
    VirtShell, VirtShellOptions, VsOutcome, VsShape, VsTask, VsTotals, VsWorkload,
};

const REAL: [&str; 10] = [
    "created",
    "creating",
    "dispatched",
    "dispatching",
    "error",
    "pending",
    "provisioned",
    "provisioning",
    "received",
    "setting up",
];

fn shell(clock: &HeldClock, shape: VsShape) -> VirtShell {
    let options = VirtShellOptions {
        shape,
        ..VirtShellOptions::default()
    };
    VirtShell::new(clock.clock(), options)
}

fn busy() -> VsWorkload {
    VsWorkload {
        rate: 60.0,
        ..VsWorkload::default()
    }
}

#[test]
fn each_stay_in_an_outcome_counts_once() {
    let sim = shell(&HeldClock::new(), VsShape::Real);
    sim.add(create(A).status("error"));
    for status in [
        "failed",
        "pending",
        "ERROR",
        "sucess",
        "Provisioned",
        "??",
        "success",
    ] {
        sim.set_status(A, status, "");
    }
    let totals = sim.totals();
    assert_eq!(totals.started["create_instance"], 1);
    assert_eq!(totals.ended(VsOutcome::Failed), 2);
    assert_eq!(totals.ended(VsOutcome::Succeeded), 2);
    sim.set_status("nobody", "error", "");
    sim.remove(A);
    assert_eq!(sim.totals(), totals);
}

#[rstest]
#[case(VsShape::Real)]
#[case(VsShape::Documented)]
fn the_past_has_ended_and_is_no_news(#[case] shape: VsShape) {
    let clock = HeldClock::new();
    let sim = shell(&clock, shape);
    sim.history(500);
    let tasks = sim.tasks();
    assert_eq!(tasks.len(), 500);
    assert!(tasks.is_sorted_by_key(|task| task.created));
    for task in &tasks {
        assert!(VsOutcome::of(&task.status).is_some(), "{task:?}");
        assert!(task.created < task.changed && task.changed < Some(clock.now()));
        assert_eq!(task.history[0].0, "pending");
    }
    let failed = |task: &&VsTask| VsOutcome::of(&task.status) == Some(VsOutcome::Failed);
    assert!((10..100).contains(&tasks.iter().filter(failed).count()));
    assert_eq!(sim.totals(), VsTotals::default());
}

#[test]
fn the_past_depends_on_the_seed_alone() {
    let past = |seed| {
        let options = VirtShellOptions {
            seed,
            ..VirtShellOptions::default()
        };
        let sim = VirtShell::new(HeldClock::new().clock(), options);
        sim.history(300);
        sim.tasks()
    };
    assert_eq!(past(1), past(1));
    assert_ne!(past(1), past(2));
}

#[rstest]
#[case(VsShape::Real, &REAL)]
#[case(VsShape::Documented, &["failed", "in progress", "pending", "sucess"])]
fn some_minutes_show_every_status(#[case] shape: VsShape, #[case] words: &[&str]) {
    let clock = HeldClock::new();
    let sim = shell(&clock, shape);
    sim.set_workload(Some(busy()));
    let mut seen = BTreeSet::new();
    for _ in 0..120 {
        sim.tick();
        seen.extend(sim.tasks().into_iter().map(|task| task.status));
        clock.pass(1);
    }
    assert!(seen.iter().eq(words), "{seen:?}");
}

#[rstest]
#[case(VsShape::Real)]
#[case(VsShape::Documented)]
fn totals_agree_with_the_tasks(#[case] shape: VsShape) {
    let clock = HeldClock::new();
    let sim = shell(&clock, shape);
    sim.set_workload(Some(busy()));
    clock.pass(6000);
    sim.tick();
    sim.set_workload(None);
    let (tasks, totals) = (sim.tasks(), sim.totals());
    let born: u64 = totals.started.values().sum();
    assert_eq!(usize::try_from(born).unwrap(), tasks.len());
    let stays = |outcome| {
        let words = tasks.iter().flat_map(|task| {
            let before = task.history.iter().map(|(word, ..)| word.as_str());
            before.chain([task.status.as_str()])
        });
        u64::try_from(
            words
                .filter(|word| VsOutcome::of(word) == Some(outcome))
                .count(),
        )
        .unwrap()
    };
    for outcome in [VsOutcome::Succeeded, VsOutcome::Failed] {
        assert_eq!(totals.ended(outcome), stays(outcome));
    }
    let share = totals.ended(VsOutcome::Failed) * 100 / born;
    assert!((5..20).contains(&share), "{share}");
    let again = |task: &VsTask| {
        let mut later = task.history.iter().skip(1);
        later.any(|(word, ..)| word == "pending")
    };
    assert!(tasks.iter().any(again), "some are run again");
}

#[test]
fn some_stick_in_a_working_status_for_ever() {
    let clock = HeldClock::new();
    let sim = shell(&clock, VsShape::Real);
    sim.set_workload(Some(VsWorkload {
        stuck: 1.0,
        failing: 0.0,
        ..busy()
    }));
    sim.tick();
    let born = sim.tasks().len();
    clock.pass(600);
    sim.tick();
    let tasks = sim.tasks();
    for task in tasks.iter().take(born) {
        assert!(!["pending", "dispatching"].contains(&task.status.as_str()));
        assert_eq!(VsOutcome::of(&task.status), None);
    }
    assert!(sim.totals().ended.is_empty());
    let early = |task: &VsTask| {
        task.history
            .iter()
            .position(|(word, ..)| word == "received")
    };
    assert!(
        tasks.iter().any(|task| early(task) == Some(2)),
        "not all in order"
    );
}

#[test]
fn life_does_not_depend_on_how_often_one_looks() {
    let look = |every: i64| {
        let clock = HeldClock::new();
        let sim = shell(&clock, VsShape::Real);
        sim.set_workload(Some(VsWorkload {
            lead: Duration::ZERO,
            ..busy()
        }));
        sim.tick();
        for _ in 0..240 / every {
            clock.pass(every);
            sim.tick();
        }
        (sim.totals(), sim.tasks())
    };
    assert_eq!(look(1), look(240));
}

#[test]
fn a_living_task_that_is_moved_by_hand_stays_there() {
    let clock = HeldClock::new();
    let sim = shell(&clock, VsShape::Real);
    sim.set_workload(Some(busy()));
    sim.tick();
    for task in sim.tasks() {
        sim.set_status(&task.uuid, "held", "");
    }
    let held = sim.tasks().len();
    clock.pass(3600);
    sim.tick();
    let tasks = sim.tasks();
    assert_eq!(
        tasks.iter().filter(|task| task.status == "held").count(),
        held
    );
}

#[tokio::test]
async fn living_tasks_go_on_until_they_are_stopped() {
    let clock = HeldClock::new();
    let sim = shell(&clock, VsShape::Real);
    sim.set_workload(Some(VsWorkload::default()));
    let stop = CancellationToken::new();
    stop.cancel();
    sim.live(Duration::from_millis(1), stop).await;
    let before = sim.tasks();
    assert!(!before.is_empty());
    sim.set_workload(None);
    clock.pass(60);
    sim.tick();
    assert_eq!(sim.tasks(), before);
}
