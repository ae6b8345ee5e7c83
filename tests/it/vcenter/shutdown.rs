//! No session is left behind, however the built binary ends.

use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, ProviderState};

use crate::support::{Page, Scratch, VcBench, clone, eventually};

/// The next calls take longer than the test.
fn hang(bench: &VcBench, endpoint: Endpoint, pause: Duration) {
    bench
        .sim
        .inject(Fault::new(endpoint, FaultKind::SlowHead(pause)).times(1));
}

#[rstest]
#[case("rest")]
#[case("api")]
#[tokio::test]
async fn sigterm_gives_the_session_back(#[case] dialect: &str) {
    let bench = VcBench::real_time(|_| {}).await;
    bench.sim.add(clone("a"));
    let scratch = Scratch::of("vcenter", &bench.url, &format!("dialect: {dialect}"));
    let program = scratch.serve(&[]).await;
    program
        .scraped("a poll", |page| page.metric("virt_source_up").sum() > 0.0)
        .await;
    assert_eq!(bench.sim.sessions(), 1);
    program.signal(Signal::TERM);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (0, 1));
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_poll_gives_the_session_back() {
    let bench = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::of("vcenter", &bench.url, "");
    hang(&bench, Endpoint::List, Duration::from_secs(600));
    let program = scratch.serve(&[]).await;
    eventually("a session", || (bench.sim.sessions() == 1).then_some(())).await;
    program.signal(Signal::TERM);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (0, 1));
}

#[tokio::test]
async fn sigterm_while_logging_in_gives_the_session_back() {
    let bench = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::of("vcenter", &bench.url, "");
    // The session exists before its answer comes.
    hang(&bench, Endpoint::Login, Duration::from_millis(700));
    let program = scratch.serve(&[]).await;
    eventually("a session", || (bench.sim.sessions() == 1).then_some(())).await;
    program.signal(Signal::TERM);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (0, 1));
}

#[tokio::test]
async fn a_killed_exporter_leaves_one_session_until_it_times_out() {
    let bench = VcBench::new().await;
    bench
        .sim
        .configure(|options| options.session_life = Duration::from_secs(7200));
    let scratch = Scratch::of("vcenter", &bench.url, "");
    // A request of a second poll would still use the session after the kill.
    let config = std::fs::read_to_string(scratch.path("virt-task-exporter.yml")).unwrap();
    let rarely = config.replace("poll_interval: 100ms", "poll_interval: 1m");
    assert_ne!(config, rarely);
    scratch.write("virt-task-exporter.yml", &rarely);
    let program = scratch.serve(&[]).await;
    program
        .scraped("a poll", |page| page.metric("virt_source_up").sum() > 0.0)
        .await;
    program.signal(Signal::KILL);
    program.over().await;
    assert_eq!(bench.sim.sessions(), 1);
    bench.clock.pass(7000);
    let program = scratch.serve(&[]).await;
    program
        .scraped("a poll", |page| page.metric("virt_source_up").sum() > 0.0)
        .await;
    assert_eq!(bench.sim.sessions(), 2);
    bench.clock.pass(300);
    assert_eq!(
        bench.sim.sessions(),
        1,
        "the one that nobody uses has timed out"
    );
    program.signal(Signal::TERM);
    program.over().await;
    assert_eq!(bench.sim.sessions(), 0);
}

#[tokio::test]
async fn a_provider_that_is_down_at_the_start_is_missed() {
    let bench = VcBench::real_time(|_| {}).await;
    bench.sim.add(clone("a").running());
    let scratch = Scratch::of("vcenter", &bench.url, "");
    let complete = |expected: bool| {
        move |page: &Page| (page.metric("virt_source_listing_complete").sum() > 0.0) == expected
    };
    let program = scratch.serve(&[]).await;
    let up = |page: &Page| page.metric("virt_source_up").sum() > 0.0;
    program.scraped("a poll", up).await;
    program.signal(Signal::TERM);
    program.over().await;
    bench
        .sim
        .configure(|options| options.providers[1].state = ProviderState::Unavailable);
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up).await;
    // What is not known to be still so is said not to be known.
    let page = program.scraped("what is missing", complete(false)).await;
    page.metric("virt_tasks").with("status", "running").is(1);
    bench
        .sim
        .configure(|options| options.providers[1].state = ProviderState::Working);
    program.scraped("all of it", complete(true)).await;
}
