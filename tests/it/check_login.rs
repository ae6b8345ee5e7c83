use virt_task_exporter::simulator::{Endpoint, VcenterOptions};

use crate::support::{Bench, Scratch, VcBench, VsBench, options};

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
