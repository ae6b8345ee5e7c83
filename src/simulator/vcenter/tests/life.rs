use std::collections::BTreeSet;
use std::time::Duration;

use super::support::{BUNDLE, Bench, SOFTWARE, VM, clone_task};
use crate::simulator::tests::support::HeldClock;
use crate::simulator::{VcError, VcStatus, VcTask, VcWorkload, Vcenter, VcenterOptions};

fn vcenter(clock: &HeldClock) -> Vcenter {
    Vcenter::new(clock.clock(), VcenterOptions::default())
}

#[tokio::test]
async fn ended_tasks_are_kept_as_long_as_their_provider_does() {
    let bench = Bench::new(|_| {}).await;
    let bundle = bench.sim.add(VcTask::new(BUNDLE, "create").succeeded());
    let failed = bench
        .sim
        .add(VcTask::new(BUNDLE, "create").failed(VcError::canceled()));
    let running = bench.sim.add(VcTask::new(BUNDLE, "create").running());
    let machine = bench.sim.add(clone_task("a").succeeded());
    bench.clock.pass(7 * 60 - 1);
    assert!(bench.task(&bundle).await.is_object());
    bench.clock.pass(1);
    assert_eq!(
        bench.get(&format!("/api/cis/tasks/{failed}")).await.code,
        404
    );
    assert_eq!(bench.ids(&[BUNDLE]).await, [running]);
    assert_eq!(bench.ids(&[VM]).await, [machine]);
    bench.clock.pass(24 * 3600);
    bench.sim.tick();
    assert_eq!(bench.sim.tasks().len(), 1);
}

#[test]
fn tasks_are_kept_for_ever_without_a_retention() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.configure(|options| options.retention = None);
    sim.add(clone_task("a").succeeded());
    clock.pass(365 * 24 * 3600);
    sim.tick();
    assert_eq!(sim.tasks().len(), 1);
}

#[test]
fn the_past_depends_on_the_seed_alone() {
    let past = |seed| {
        let options = VcenterOptions {
            seed,
            ..VcenterOptions::default()
        };
        let sim = Vcenter::new(HeldClock::new().clock(), options);
        sim.history(300);
        sim.tick();
        format!("{:?}", sim.tasks())
    };
    assert_eq!(past(1), past(1));
    assert_ne!(past(1), past(2));
}

#[test]
fn the_past_has_ended_and_is_still_kept() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.history(500);
    clock.pass(40);
    sim.tick();
    let tasks = sim.tasks();
    assert_eq!(tasks.len(), 500, "nothing of it goes at once");
    let failed = tasks.iter().filter(|task| task.status == VcStatus::Failed);
    assert!((10..100).contains(&failed.count()));
    for task in &tasks {
        assert!(task.status.is_ended(), "{task:?}");
        assert!(
            task.started < task.ended && task.ended < Some(clock.now()),
            "{task:?}"
        );
    }
    let services: BTreeSet<&str> = tasks.iter().map(|task| task.service.as_str()).collect();
    assert!(
        [VM, SOFTWARE, BUNDLE]
            .iter()
            .all(|service| services.contains(service))
    );
    assert_eq!(sim.totals(), crate::simulator::VcTotals::default());
}

#[test]
fn a_minute_shows_every_state() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.set_workload(Some(VcWorkload {
        rate: 60.0,
        blocked: 0.5,
        ..VcWorkload::default()
    }));
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        sim.tick();
        seen.extend(sim.tasks().iter().map(|task| task.status));
        clock.pass(1);
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[test]
fn totals_agree_with_the_tasks() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.configure(|options| {
        for provider in &mut options.providers {
            provider.retention = None;
        }
        options.retention = None;
    });
    sim.set_workload(Some(VcWorkload {
        rate: 60.0,
        ..VcWorkload::default()
    }));
    for _ in 0..100 {
        clock.pass(60);
        sim.tick();
    }
    let (tasks, totals) = (sim.tasks(), sim.totals());
    let born: u64 = totals.started.values().sum();
    assert_eq!(usize::try_from(born).unwrap(), tasks.len());
    for status in [VcStatus::Succeeded, VcStatus::Failed] {
        let count = tasks.iter().filter(|task| task.status == status).count();
        assert_eq!(totals.ended(status), u64::try_from(count).unwrap());
    }
    let share = |part: u64| part * 100 / born;
    assert!((5..20).contains(&share(totals.ended(VcStatus::Failed))));
    let canceled = totals
        .failures
        .keys()
        .filter(|(_, kind)| kind == "CANCELED");
    assert!(canceled.count() > 0);
    assert!(
        tasks
            .iter()
            .any(|task| task.progress.0 < 100 && task.status == VcStatus::Failed)
    );
}

#[test]
fn life_does_not_depend_on_how_often_one_looks() {
    let look = |every: i64| {
        let clock = HeldClock::new();
        let sim = vcenter(&clock);
        sim.set_workload(Some(VcWorkload {
            rate: 30.0,
            lead: Duration::ZERO,
            ..VcWorkload::default()
        }));
        sim.tick();
        for _ in 0..240 / every {
            clock.pass(every);
            sim.tick();
        }
        (sim.totals(), format!("{:?}", sim.tasks()))
    };
    assert_eq!(look(1), look(240));
}

#[test]
fn without_a_workload_all_stands_still() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.set_workload(Some(VcWorkload::default()));
    sim.tick();
    sim.set_workload(None);
    let before = sim.tasks().len();
    clock.pass(60);
    sim.tick();
    assert_eq!(sim.tasks().len(), before);
}

#[tokio::test]
async fn living_tasks_go_on_until_they_are_stopped() {
    let clock = HeldClock::new();
    let sim = vcenter(&clock);
    sim.set_workload(Some(VcWorkload::default()));
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    sim.live(Duration::from_millis(1), stop).await;
    assert!(!sim.tasks().is_empty());
}
