use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use super::{config, entry, reload, reloaded, rewrite, sddc, up};
use crate::support::{Program, Scratch, VcBench, eventually};

fn descriptors(program: &Program) -> usize {
    fs::read_dir(format!("/proc/{}/fd", program.id()))
        .unwrap()
        .count()
}

#[tokio::test]
async fn reloads_at_once_all_are_answered() {
    let vcenter = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::new(&config(&[entry("a", "vcenter", &vcenter.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    let other = entry("a", "vcenter", &vcenter.url, ", max_open_tasks: 7");
    rewrite(&scratch, &[other]);
    // The session is given back slowly, so that the reloads meet.
    let slow = FaultKind::SlowHead(Duration::from_millis(300));
    vcenter.sim.inject(Fault::new(Endpoint::Any, slow).times(2));
    let reloads = tokio::join!(reload(&program), reload(&program), reload(&program));
    for (code, text) in [reloads.0, reloads.1, reloads.2] {
        assert_eq!(code, 200, "{text}");
    }
    program.scraped("a poll", up("a")).await;
    eventually("one session", || {
        (vcenter.sim.sessions() == 1).then_some(())
    })
    .await;
    assert_eq!(vcenter.sim.logins(), 2);
}

#[tokio::test]
async fn a_storm_of_reloads_leaks_nothing() {
    let (vcenter, sddc) = (VcBench::real_time(|_| {}).await, sddc().await);
    let form = |number: usize| {
        let keys = format!(", max_open_tasks: {}", number + 1);
        let mut entries = vec![entry("a", "vcenter", &vcenter.url, &keys)];
        if number.is_multiple_of(2) {
            entries.push(entry("b", "sddc_manager", &sddc.url, ""));
        }
        entries
    };
    let scratch = Scratch::new(&config(&form(0)));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll of a", up("a")).await;
    program.scraped("a poll of b", up("b")).await;
    let before = descriptors(&program);
    for number in 1..=20 {
        rewrite(&scratch, &form(number));
        reloaded(&program).await;
        // One signal more or less is a reload of the same.
        program.signal(Signal::HUP);
    }
    program.scraped("a poll of a", up("a")).await;
    program.scraped("a poll of b", up("b")).await;
    eventually("one session", || {
        (vcenter.sim.sessions() == 1).then_some(())
    })
    .await;
    // Connections that were left are closed soon.
    eventually("no more descriptors than before", || {
        (descriptors(&program) <= before + 3).then_some(())
    })
    .await;
    program.signal(Signal::TERM);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert_eq!(vcenter.sim.sessions(), 0);
}
