use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;
use tokio::time::Instant;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, VcenterOptions};

use crate::support::{Bench, PATIENCE, Scratch, VcBench, VsBench, eventually, options};

/// Runs the check in a folder with one source, and returns its exit code and all
/// that it said.
async fn check(system: &str, url: &str, keys: &str) -> (Option<i32>, String) {
    let ended = Scratch::of(system, url, keys)
        .run(&["check", "--login"], &[])
        .await;
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn an_sddc_manager_is_logged_in_to_and_one_page_is_read() {
    let bench = Bench::real_time(options()).await;
    bench.sim.history(1000);
    let (code, said) = check("sddc_manager", &bench.url, "").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("a: can be read"), "{said}");
    assert_eq!(
        (bench.logins(), bench.sim.request_count(Endpoint::List)),
        (1, 1)
    );
    let (code, said) = check("sddc_manager", &bench.url, "username: u\npassword: wrong").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("a: unauthorized: ") && !said.contains("wrong"),
        "{said}"
    );
}

#[tokio::test]
async fn a_vcenter_has_its_session_back() {
    let bench = VcBench::real_time(|_: &mut VcenterOptions| {}).await;
    let (code, said) = check("vcenter", &bench.url, "").await;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((bench.sim.logins(), bench.sim.sessions()), (1, 0));
    assert_eq!(bench.lists(0).len(), 1);
    let (code, said) = check("vcenter", &bench.url, "username: u\npassword: wrong").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the login was rejected"), "{said}");
}

#[tokio::test]
async fn a_virtshell_is_asked_for_what_waits() {
    let bench = VsBench::new().await;
    bench.sim.history(100);
    let (code, said) = check("virtshell", &bench.url, "").await;
    assert_eq!(code, Some(0), "{said}");
    let paths: Vec<_> = bench
        .sim
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/tasks/status/pending"]);
}

#[tokio::test]
async fn nobody_at_home_is_told_by_its_reason() {
    let (code, said) = check("virtshell", "http://127.0.0.1:1", "").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("valid, 1 source") && said.contains("a: connect: "),
        "{said}"
    );
}

/// A listener that takes connections and never answers.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn sources_that_hang_do_not_add_up_and_are_told_in_the_order_of_the_file() {
    let (_listener, url) = silent();
    let names: Vec<_> = (0..40).map(|number| format!("s{}", 99 - number)).collect();
    let entry = |name| format!("- {{name: {name}, system: virtshell, url: '{url}'}}\n");
    let entries: String = names.iter().map(entry).collect();
    let scratch = Scratch::new(&format!(
        "global: {{request_timeout: 1s}}\nsources:\n{entries}"
    ));
    let began = Instant::now();
    let ended = scratch.run(&["check", "--login"], &[]).await;
    // One after the other they would take 40 s.
    assert!(began.elapsed() < Duration::from_secs(35), "{ended:?}");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    let told = said.lines().map(|line| line.split(": ").take(2).collect());
    let told: Vec<Vec<_>> = told.collect();
    let expected: Vec<_> = names.iter().map(|name| vec![&**name, "timeout"]).collect();
    assert_eq!(told, expected, "{said}");
}

#[rstest]
#[case(Signal::TERM)]
#[case(Signal::HUP)]
#[tokio::test]
async fn a_signal_ends_the_trial_with_the_session_given_back(#[case] signal: Signal) {
    let bench = VcBench::real_time(|_: &mut VcenterOptions| {}).await;
    let hang = FaultKind::SlowHead(PATIENCE * 10);
    bench.sim.inject(Fault::new(Endpoint::List, hang));
    let scratch = Scratch::of("vcenter", &bench.url, "");
    let program = scratch.launch(&["check", "--login"]);
    eventually("a session", || (bench.sim.sessions() == 1).then_some(())).await;
    program.signal(signal);
    let (status, said) = program.over().await;
    assert_eq!(status.code(), Some(1), "{said:?}");
    assert!(
        said.iter().any(|line| line.starts_with("a: stopped: ")),
        "{said:?}"
    );
    assert_eq!(bench.sim.sessions(), 0);
}
