/// What goes on over a reload, and what starts anew.
mod ledgers;
/// Files that cannot be loaded.
mod refused;
/// Reloads that a source holds up, and stops in the middle of them.
mod stops;
/// Several reloads at once, and many after each other.
mod storms;

use std::time::Duration;

use reqwest::Method;
use reqwest::header::ALLOW;
use rustix::process::Signal;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use crate::support::{
    Bench, PATIENCE, Page, Program, Scratch, VcBench, clone, eventually, get, options,
};

/// A line of `sources`.
fn entry(name: &str, system: &str, url: &str, keys: &str) -> String {
    let login = "username: administrator@vsphere.local, password: 'VMware123!'";
    format!("  - {{name: {name}, system: {system}, url: '{url}', {login}{keys}}}\n")
}

/// A configuration whose sources are polled often.
fn config(entries: &[String]) -> String {
    let global = "global: {poll_interval: 100ms, counter_birth_hold: 0s}";
    format!("{global}\nsources:\n{}", entries.concat())
}

fn up(source: &str) -> impl Fn(&Page) -> bool {
    move |page| {
        let up = page.metric("virt_source_up").with("source", source);
        up.sum() > 0.5
    }
}

/// Writes another configuration.
fn rewrite(scratch: &Scratch, entries: &[String]) {
    scratch.write("virt-task-exporter.yml", &config(entries));
}

/// The answer to `POST /-/reload`.
async fn reload(program: &Program) -> (u16, String) {
    let answer = get(program.address(), Method::POST, "/-/reload").await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[track_caller]
fn reloaded(program: &Program) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let (code, text) = reload(program).await;
        assert_eq!(code, 200, "{place}: {text}");
    }
}

fn polls(page: &Page, source: &str) -> f64 {
    page.metric("virt_source_polls_total")
        .with("source", source)
        .sum()
}

async fn sddc() -> Bench {
    let mut options = options();
    options.clock_skew = None;
    Bench::real_time(options).await
}

#[tokio::test]
async fn sources_come_and_go_and_leave_the_others_alone() {
    let (vcenter, sddc) = (VcBench::real_time(|_| {}).await, sddc().await);
    let a = entry("a", "vcenter", &vcenter.url, "");
    let b = entry("b", "sddc_manager", &sddc.url, "");
    let scratch = Scratch::new(&config(std::slice::from_ref(&a)));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll of a", up("a")).await;

    rewrite(&scratch, &[b.clone(), a]);
    reloaded(&program).await;
    let both = program.scraped("a poll of b", up("b")).await;
    program
        .scraped("further polls", |page| polls(page, "a") > polls(&both, "a"))
        .await;
    assert_eq!((vcenter.sim.logins(), vcenter.sim.sessions()), (1, 1));

    rewrite(&scratch, &[b]);
    reloaded(&program).await;
    let page = program.scrape().await;
    assert!(!page.text().contains("source=\"a\""), "{}", page.text());
    assert_eq!(program.get("/metrics?source=a").await.status(), 404);
    let sd = program.get("/sd").await.text().await.unwrap();
    assert!(sd.contains("\"b\"") && !sd.contains("\"a\""), "{sd}");
    assert_eq!((vcenter.sim.logins(), vcenter.sim.sessions()), (1, 0));
    assert_eq!(sddc.logins(), 1);
}

#[tokio::test]
async fn a_signal_reloads_too() {
    let (first, second) = (sddc().await, sddc().await);
    let a = entry("a", "sddc_manager", &first.url, "");
    let scratch = Scratch::new(&config(std::slice::from_ref(&a)));
    let program = scratch.serve(&[]).await;
    let before = program.scraped("a poll", up("a")).await;
    rewrite(&scratch, &[a, entry("b", "sddc_manager", &second.url, "")]);
    program.signal(Signal::HUP);
    let after = program.scraped("the new one", up("b")).await;
    assert!(polls(&after, "a") >= polls(&before, "a"));
    assert_eq!(first.logins(), 1);
    let lines = program.lines(&["the configuration was loaded again"]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("added=1 changed=0 removed=0 unchanged=1"));
}

#[tokio::test]
async fn a_changed_source_gives_its_session_back_and_takes_another() {
    let vcenter = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::new(&config(&[entry("a", "vcenter", &vcenter.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    // A key of `global` is a key of the source.
    let text = config(&[entry("a", "vcenter", &vcenter.url, "")]);
    let text = text.replace("100ms", "150ms");
    scratch.write("virt-task-exporter.yml", &text);
    reloaded(&program).await;
    eventually("a login", || (vcenter.sim.logins() == 2).then_some(())).await;
    assert_eq!(vcenter.sim.sessions(), 1);
}

#[tokio::test]
async fn a_changed_file_of_a_client_changes_the_source() {
    let sddc = sddc().await;
    let keys = ", http_headers: {x-tenant: {files: [tenant]}}";
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, keys)]));
    scratch.write("tenant", "one");
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    reloaded(&program).await;
    assert_eq!(sddc.logins(), 1);
    scratch.write("tenant", "two");
    reloaded(&program).await;
    eventually("a login", || (sddc.logins() == 2).then_some(())).await;
}

#[tokio::test]
async fn a_reload_ends_a_back_off_and_finds_the_new_password() {
    let sddc = sddc().await;
    let login = "username: administrator@vsphere.local, password_file: secret";
    let text = format!(
        "sources:\n  - {{name: a, system: sddc_manager, url: '{}', {login}}}\n",
        sddc.url
    );
    let scratch = Scratch::new(&text);
    scratch.write("secret", "wrong");
    let program = scratch.serve(&[]).await;
    program.logged(&["reason=unauthorized"]).await;
    let tries = sddc.logins();
    scratch.write("secret", "VMware123!");
    // Without this it waits for a minute.
    reloaded(&program).await;
    program.scraped("a poll", up("a")).await;
    assert_eq!(sddc.logins(), tries + 1);
}

#[tokio::test]
async fn a_poll_under_way_goes_on_if_its_source_is_unchanged() {
    let vcenter = VcBench::real_time(|_| {}).await;
    let hang = FaultKind::SlowHead(Duration::from_millis(500));
    vcenter
        .sim
        .inject(Fault::new(Endpoint::List, hang).times(1));
    let scratch = Scratch::new(&config(&[entry("a", "vcenter", &vcenter.url, "")]));
    let program = scratch.serve(&[]).await;
    eventually("a session", || (vcenter.sim.sessions() == 1).then_some(())).await;
    reloaded(&program).await;
    let page = program.scraped("the poll", up("a")).await;
    page.metric("virt_source_poll_failures_total").sums_to(0);
    assert_eq!(vcenter.sim.logins(), 1);
}

#[tokio::test]
async fn a_poll_under_way_is_given_up_if_its_source_changed() {
    let vcenter = VcBench::real_time(|_| {}).await;
    vcenter.sim.add(clone("a"));
    let hang = FaultKind::SlowHead(PATIENCE * 10);
    vcenter
        .sim
        .inject(Fault::new(Endpoint::List, hang).times(1));
    let scratch = Scratch::new(&config(&[entry("a", "vcenter", &vcenter.url, "")]));
    let program = scratch.serve(&[]).await;
    eventually("a session", || (vcenter.sim.sessions() == 1).then_some(())).await;
    let changed = entry("a", "vcenter", &vcenter.url, ", max_open_tasks: 7");
    rewrite(&scratch, &[changed]);
    reloaded(&program).await;
    program.scraped("a poll", up("a")).await;
    assert_eq!((vcenter.sim.logins(), vcenter.sim.sessions()), (2, 1));
}

#[tokio::test]
async fn only_a_post_reloads() {
    let sddc = sddc().await;
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, "")]));
    let program = scratch.serve(&[]).await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let answer = get(program.address(), method, "/-/reload").await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()[ALLOW], "POST");
    }
    assert!(program.lines(&["the configuration was"]).is_empty());
}

#[tokio::test]
async fn readiness_is_not_taken_back() {
    let (first, slow) = (sddc().await, sddc().await);
    let hang = FaultKind::SlowHead(PATIENCE * 10);
    slow.sim.inject(Fault::new(Endpoint::Any, hang));
    let a = entry("a", "sddc_manager", &first.url, "");
    let scratch = Scratch::new(&config(std::slice::from_ref(&a)));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    rewrite(&scratch, &[a, entry("b", "sddc_manager", &slow.url, "")]);
    reloaded(&program).await;
    assert_eq!(program.get("/-/ready").await.status(), 200);
}

#[tokio::test]
async fn the_level_of_the_log_follows_the_file() {
    let sddc = sddc().await;
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    assert!(program.lines(&["level=debug"]).is_empty());
    let text = config(&[entry("a", "sddc_manager", &sddc.url, "")]);
    let louder = text.replace("global: {", "global: {log_level: debug, ");
    scratch.write("virt-task-exporter.yml", &louder);
    reloaded(&program).await;
    program.logged(&["level=debug"]).await;
    // The source itself is unchanged.
    assert_eq!(sddc.logins(), 1);
    scratch.write("virt-task-exporter.yml", &text);
    reloaded(&program).await;
    let lines = program.lines(&["level=debug"]).len();
    let before = program.scrape().await;
    program
        .scraped("more polls", |page| {
            polls(page, "a") > polls(&before, "a") + 2.5
        })
        .await;
    assert_eq!(program.lines(&["level=debug"]).len(), lines);
}
