use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, TaskError};

use crate::support::{Bench, Page, Scratch, VcBench, eventually, options, task};

const NOBODY: &str = "http://127.0.0.1:1";

/// The configuration of SDDC Managers by name and url.
fn sources(all: &[(&str, &str)]) -> String {
    let source = |(name, url): &(&str, &str)| {
        format!(
            "  - {{name: {name}, system: sddc_manager, url: '{url}', \
             username: administrator@vsphere.local, password: 'VMware123!'}}\n"
        )
    };
    let all: Vec<_> = all.iter().map(source).collect();
    format!("sources:\n{}", all.concat())
}

async fn sddc() -> Bench {
    let mut options = options();
    options.clock_skew = None;
    let bench = Bench::real_time(options).await;
    bench.sim.add(task("t"));
    bench
}

fn fail(bench: &Bench, id: &str) {
    bench.sim.add(task(id));
    bench.sim.fail(id, TaskError::new("CODE", "It failed"));
}

#[track_caller]
fn page(ended: &Output, code: i32) -> Page {
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    Page::read(std::str::from_utf8(&ended.stdout).unwrap())
}

#[track_caller]
fn failures(page: &Page, expected: u32) {
    let finished = page.metric("virt_task_finished_total");
    finished.with("status", "failed").sums_to(expected);
}

#[tokio::test]
async fn the_page_of_all_sources_goes_to_stdout() {
    let (a, b) = (sddc().await, sddc().await);
    let scratch = Scratch::new(&sources(&[("b", &b.url), ("a", &a.url)]));
    let ended = scratch.run(&["once"], &[]).await;
    let page = page(&ended, 0);
    for name in ["a", "b"] {
        page.metric("virt_source_up").with("source", name).is(1);
        page.metric("virt_tasks").with("source", name).sums_to(1);
    }
    page.metric("virt_exporter_build_info").stands(1);
    // The text format 0.0.4, without times, and without what node_exporter says of itself.
    let text = page.text();
    assert!(text.contains("\n# TYPE virt_task_started_total counter\n"));
    assert!(
        !text.contains("# EOF") && !text.contains("process_"),
        "{text}"
    );
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').unwrap();
        assert!(
            value.parse::<f64>().is_ok() && !line.contains("} 0 1"),
            "{line}"
        );
    }
    // What a terminal would get is not in a pipe, and there is no ledger.
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!said.contains('\u{1b}') && !said.contains('\r'), "{said}");
    assert!(!scratch.path("data").exists());
    assert_eq!((a.logins(), b.logins()), (1, 1));
}

#[tokio::test]
async fn a_source_that_fails_is_shown_so_and_the_exit_code_is_1() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("good", &bench.url), ("dead", NOBODY)]));
    let ended = scratch.run(&["once"], &[]).await;
    let page = page(&ended, 1);
    page.metric("virt_source_up").with("source", "good").is(1);
    page.metric("virt_source_up").with("source", "dead").is(0);
    page.metric("virt_source_poll_failures_total")
        .with("source", "dead")
        .with("reason", "connect")
        .is(1);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.contains("source=dead") && said.contains("reason=connect"),
        "{said}"
    );
}

#[tokio::test]
async fn a_file_is_replaced_whole_for_everybody_to_read() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let file = scratch.write("virt.prom", "old 1\n");
    let ended = scratch.run(&["once", "--output", "virt.prom"], &[]).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.is_empty());
    let page = Page::read(&fs::read_to_string(&file).unwrap());
    page.metric("virt_source_up").is(1);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let names = fs::read_dir(scratch.path("")).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["virt-task-exporter.yml", "virt.prom"]);
}

#[rstest]
#[case::no_folder(&["--output=missing/virt.prom"], "missing")]
#[case::a_folder(&["--output=."], "no regular file")]
#[case::a_device(&["--output=/dev/null"], "no regular file")]
#[case::no_configuration(&["--config.file=missing.yml", "--output=virt.prom"], "missing.yml")]
#[case::no_folder_for_ledgers(&["--storage.path=virt-task-exporter.yml"], "--storage.path")]
#[tokio::test]
async fn what_cannot_be_done_exits_2_before_anything_is_polled(
    #[case] arguments: &[&str],
    #[case] why: &str,
) {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let file = scratch.write("virt.prom", "old 1\n");
    let ended = scratch.run(&[&["once"], arguments].concat(), &[]).await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stdout.is_empty());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains(why), "{said}");
    assert_eq!(fs::read_to_string(file).unwrap(), "old 1\n");
    assert!(bench.sim.requests().is_empty());
}

#[tokio::test]
async fn without_a_ledger_every_run_is_a_baseline() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    failures(&page(&scratch.run(&["once"], &[]).await, 0), 0);
    fail(&bench, "f");
    let page = page(&scratch.run(&["once"], &[]).await, 0);
    failures(&page, 0);
    page.metric("virt_task_unresolved_failures").sums_to(1);
}

#[rstest]
#[case::by_flag(&["once", "--storage.path=ledgers"], &[])]
#[case::by_variable(&["once"], &[("VTE_STORAGE_PATH", "ledgers")])]
#[tokio::test]
async fn with_a_ledger_true_values_are_shown_and_a_later_server_is_not_disturbed(
    #[case] arguments: &[&str],
    #[case] variables: &[(&str, &str)],
) {
    let bench = sddc().await;
    let held = sources(&[("a", &bench.url)]) + "global: {counter_birth_hold: 1h}\n";
    let scratch = Scratch::new(&held);
    failures(&page(&scratch.run(arguments, variables).await, 0), 0);
    for (number, id) in (1..).zip(["f1", "f2"]) {
        fail(&bench, id);
        let page = page(&scratch.run(arguments, variables).await, 0);
        failures(&page, number);
        page.metric("virt_task_failures_total").is(number);
    }
    // Nobody scraped any of that, so whoever scrapes now shall see it rise.
    let server = scratch.serve(&["--storage.path=ledgers"]).await;
    let up = |page: &Page| page.metric("virt_source_up").sum() > 0.5;
    let shown = server.scraped("a poll", up).await;
    failures(&shown, 0);
    shown.metric("virt_task_failures_total").is(0);
    // A folder is one exporter's.
    let refused = scratch.run(arguments, variables).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stdout.is_empty());
    server.signal(Signal::TERM);
    server.over().await;
    failures(&page(&scratch.run(arguments, variables).await, 0), 2);
}

#[tokio::test]
async fn a_value_that_a_server_showed_is_shown_on_by_the_next_one() {
    let bench = sddc().await;
    let scratch =
        Scratch::new(&(sources(&[("a", &bench.url)]) + "global: {counter_birth_hold: 1h}\n"));
    let up = |page: &Page| page.metric("virt_source_up").sum() > 0.5;
    let server = scratch.serve(&[]).await;
    failures(&server.scraped("a poll", up).await, 0);
    server.signal(Signal::TERM);
    server.over().await;
    fail(&bench, "f");
    let between = scratch.run(&["once", "--storage.path=data/"], &[]).await;
    failures(&page(&between, 0), 1);
    let server = scratch.serve(&[]).await;
    failures(&server.scraped("a poll", up).await, 0);
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_is_not_counted_yet() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let arguments = ["once", "--storage.path=ledgers"];
    failures(&page(&scratch.run(&arguments, &[]).await, 0), 0);
    fail(&bench, "f");
    let full = page(&scratch.run_on_full_disk(&arguments).await, 1);
    failures(&full, 0);
    full.metric("virt_task_unresolved_failures").sums_to(1);
    full.metric("virt_exporter_ledger_commit_failures_total")
        .is(1);
    failures(&page(&scratch.run(&arguments, &[]).await, 0), 1);
}

#[tokio::test]
async fn a_full_disk_leaves_the_old_file() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let file = scratch.write("virt.prom", "old 1\n");
    let ended = scratch
        .run_on_full_disk(&["once", "--output=virt.prom"])
        .await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert_eq!(fs::read_to_string(file).unwrap(), "old 1\n");
    assert_eq!(fs::read_dir(scratch.path("")).unwrap().count(), 2);
}

#[tokio::test]
async fn a_session_is_given_back() {
    let bench = VcBench::real_time(|_| {}).await;
    let scratch = Scratch::of("vcenter", &bench.url, "");
    for command in ["once", "tasks"] {
        let ended = scratch.run(&[command], &[]).await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert_eq!(bench.sim.sessions(), 0, "{command}");
    }
    assert_eq!(bench.sim.logins(), 2);
}

#[rstest]
#[case::terminate(Signal::TERM, &["once", "--output=virt.prom"])]
#[case::interrupt(Signal::INT, &["once", "--output=virt.prom"])]
#[case::hangup(Signal::HUP, &["once", "--output=virt.prom"])]
#[case::tasks(Signal::TERM, &["tasks"])]
#[tokio::test]
async fn a_signal_ends_it_soon_with_the_session_given_back_and_nothing_written(
    #[case] signal: Signal,
    #[case] arguments: &[&str],
) {
    let bench = VcBench::real_time(|_| {}).await;
    let slow = FaultKind::SlowHead(Duration::from_secs(600));
    bench.sim.inject(Fault::new(Endpoint::List, slow));
    let scratch = Scratch::of("vcenter", &bench.url, "");
    let file = scratch.write("virt.prom", "old 1\n");
    let program = scratch.launch(arguments);
    eventually("a session", || (bench.sim.sessions() == 1).then_some(())).await;
    program.signal(signal);
    // Sooner than any timeout of the call.
    let (status, stdout) = program.ended().await;
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    assert_eq!(fs::read_to_string(file).unwrap(), "old 1\n");
    assert_eq!(bench.sim.sessions(), 0);
}

#[rstest]
#[case::once("once")]
#[case::tasks("tasks")]
#[case::check("check")]
#[tokio::test]
async fn a_reader_that_has_had_enough_is_no_error(#[case] command: &str) {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let ended = scratch.run_unread(&[command, "--log.level=error"]).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !said.contains("panicked") && !said.contains("error"),
        "{said}"
    );
}

#[tokio::test]
async fn each_shard_polls_its_own_sources() {
    let bench = sddc().await;
    let names: Vec<_> = (0..8).map(|number| format!("s{number}")).collect();
    let all: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), bench.url.as_str()))
        .collect();
    let scratch = Scratch::new(&sources(&all));
    let mut seen = Vec::new();
    for shard in ["--shard=0", "--shard=1"] {
        let ended = scratch.run(&["once", shard, "--total-shards=2"], &[]).await;
        let infos = page(&ended, 0).family("virt_source_info", &[]);
        seen.extend(infos.into_iter().map(|info| info.labels["source"].clone()));
    }
    seen.sort();
    assert_eq!(seen, names);
    assert_eq!(bench.logins(), 8);
}

#[tokio::test]
async fn files_of_two_runs_in_one_folder_need_not_clash() {
    let bench = sddc().await;
    let scratch = Scratch::new(&sources(&[("a", &bench.url)]));
    let ended = scratch
        .run(&["once", "--web.disable-exporter-metrics"], &[])
        .await;
    let page = page(&ended, 0);
    page.metric("virt_source_up").is(1);
    assert!(!page.text().contains("virt_exporter_"), "{}", page.text());
}
