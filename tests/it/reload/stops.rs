use std::time::Duration;

use rustix::process::Signal;
use tokio::task::JoinSet;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use super::{config, entry, rewrite, up};
use crate::support::{PATIENCE, Program, Scratch, VcBench, eventually, get};

/// The session is given back after so long.
fn holds_on(vcenter: &VcBench, pause: Duration) {
    let slow = FaultKind::SlowHead(pause);
    vcenter.sim.inject(Fault::new(Endpoint::Revoke, slow));
}

/// The session is about to be given back.
async fn is_left(vcenter: &VcBench) {
    eventually("the end of a session", || {
        let mut requests = vcenter.sim.requests().into_iter();
        requests.find(|request| request.endpoint == Endpoint::Revoke)
    })
    .await;
}

/// Asks for a reload, which the test does not wait for.
fn reloading(program: &Program) -> JoinSet<u16> {
    let address = program.address().to_owned();
    let mut asking = JoinSet::new();
    asking.spawn(async move {
        let answer = get(&address, reqwest::Method::POST, "/-/reload").await;
        answer.status().as_u16()
    });
    asking
}

#[tokio::test]
async fn a_source_that_hangs_holds_up_no_other_one_that_changed() {
    let (hangs, healthy) = (
        VcBench::real_time(|_| {}).await,
        VcBench::real_time(|_| {}).await,
    );
    holds_on(&hangs, PATIENCE * 10);
    let form = |keys: &str| {
        let a = entry("a", "vcenter", &hangs.url, keys);
        [a, entry("b", "vcenter", &healthy.url, keys)]
    };
    let scratch = Scratch::new(&config(&form("")));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll of a", up("a")).await;
    program.scraped("a poll of b", up("b")).await;
    rewrite(&scratch, &form(", max_open_tasks: 7"));
    let mut asking = reloading(&program);
    eventually("a login", || (healthy.sim.logins() == 2).then_some(())).await;
    assert!(asking.try_join_next().is_none(), "a hangs no more");
    assert_eq!(hangs.sim.logins(), 1);
}

#[tokio::test]
async fn a_stop_ends_a_reload_and_none_begins_after_it() {
    let vcenter = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::new(&config(&[entry("a", "vcenter", &vcenter.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    let changed = entry("a", "vcenter", &vcenter.url, ", max_open_tasks: 7");
    rewrite(&scratch, &[changed]);
    holds_on(&vcenter, Duration::from_secs(1));
    let mut asking = reloading(&program);
    is_left(&vcenter).await;
    for signal in [Signal::TERM, Signal::HUP, Signal::HUP] {
        program.signal(signal);
    }
    let code = asking.join_next().await.unwrap().unwrap();
    assert_eq!(code, 503);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    let loaded = log
        .iter()
        .find(|line| line.contains("the configuration was"));
    assert_eq!(loaded, None);
    assert_eq!((vcenter.sim.logins(), vcenter.sim.sessions()), (1, 0));
}
