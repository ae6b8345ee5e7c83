use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rstest::rstest;
use rustix::process::Signal;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, TaskError};

use crate::support::{Bench, Page, Program, Sample, Scratch, Stub, json, options, task};

async fn bench() -> Bench {
    let mut options = options();
    options.clock_skew = None;
    Bench::real_time(options).await
}

fn fail(bench: &Bench, id: &str) {
    bench.sim.add(task(id));
    bench.sim.fail(id, TaskError::new("CODE", "It failed"));
}

/// An exporter whose ledger holds one failure that was counted.
async fn counted_one() -> (Bench, Scratch, Program) {
    let bench = bench().await;
    let scratch = Scratch::source(&bench.url, "");
    let program = scratch.serve(&[]).await;
    polled(&program).await;
    fail(&bench, "before");
    fails(&program, 1.0).await;
    (bench, scratch, program)
}

/// Waits until a page shows so many failures.
async fn fails(program: &Program, count: f64) -> Page {
    let shows = |page: &Page| {
        let found = page.metric("virt_task_failures_total").sum();
        (found - count).abs() < 0.5
    };
    program.scraped(&format!("{count} failures"), shows).await
}

/// Waits until the source was polled, and the ledger is on the disk.
async fn polled(program: &Program) -> Page {
    let there = |page: &Page| {
        page.metric("virt_source_up").sum() > 0.5
            && page.metric("virt_exporter_ledger_size_bytes").sum() > 0.5
    };
    program.scraped("a poll on the disk", there).await
}

async fn stop(program: Program, signal: Signal) {
    program.signal(signal);
    let (status, log) = program.over().await;
    let code = (signal == Signal::TERM).then_some(0);
    assert_eq!(status.code(), code, "{log:#?}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

/// The lines of a refusal to start.
async fn refused(scratch: &Scratch, arguments: &[&str]) -> String {
    let arguments = [&["--web.listen-address=127.0.0.1:0"], arguments].concat();
    let ended = scratch.run(&arguments, &[]).await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(!said.contains("listening"), "{said}");
    said
}

#[tokio::test]
async fn a_folder_in_use_is_refused_until_its_exporter_is_gone() {
    let bench = bench().await;
    let scratch = Scratch::source(&bench.url, "");
    let first = scratch.serve(&[]).await;
    let said = refused(&scratch, &["--storage.path=data"]).await;
    let process = format!("(process {})", first.id());
    for part in ["--storage.path", "data", "in use", process.as_str()] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    polled(&first).await;
    fail(&bench, "t");
    fails(&first, 1.0).await;
    let _elsewhere = scratch.serve(&["--storage.path=other"]).await;
    stop(first, Signal::KILL).await;
    fails(&scratch.serve(&[]).await, 1.0).await;
}

#[tokio::test]
async fn what_is_no_folder_is_refused() {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    scratch.write("data", "mine");
    let said = refused(&scratch, &[]).await;
    assert!(said.contains("--storage.path: data/"), "{said}");
    assert_eq!(fs::read_to_string(scratch.path("data")).unwrap(), "mine");
}

#[tokio::test]
async fn the_files_are_their_owners_alone_and_hold_no_secret() {
    let stub = Stub::bare(|request| {
        if request.starts_with("POST /v1/tokens ") {
            return json(r#"{"accessToken":"ACCESS","refreshToken":{"id":"REFRESH"}}"#);
        }
        json(r#"{"elements":[{"id":"t","name":"n","type":"T","status":"FAILED"}]}"#)
    })
    .await;
    let login = "username: admin\npassword: PASS-word!\n";
    let scratch = Scratch::source(&stub.url, login);
    let program = scratch.serve(&[]).await;
    polled(&program).await;
    let folder = scratch.path("data");
    assert_eq!(mode(&folder), 0o700);
    let files = files(&folder);
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
        let bytes = fs::read(&file).unwrap();
        for secret in ["PASS-word!", "ACCESS", "REFRESH"] {
            let mut parts = bytes.windows(secret.len());
            assert!(!parts.any(|part| part == secret.as_bytes()), "{secret}");
        }
    }
}

#[tokio::test]
async fn what_others_can_write_is_named_and_left_as_it_is() {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    let folder = scratch.path("data");
    fs::create_dir(&folder).unwrap();
    let ledger = folder.join("gone.redb");
    fs::write(&ledger, "").unwrap();
    for (path, mode) in [(&folder, 0o777), (&ledger, 0o666)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let program = scratch.serve(&[]).await;
    let warned = |words: &[&str]| program.lines(&[&["level=warn"], words].concat()).len();
    assert_eq!(warned(&["path=data/ ", "mode=0777", "wanted=0700"]), 1);
    let words = ["path=data/gone.redb ", "mode=0666", "wanted=0600"];
    assert_eq!(warned(&words), 1, "{:?}", program.log());
    assert_eq!((mode(&folder), mode(&ledger)), (0o777, 0o666));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn without_a_folder_it_counts_in_memory_and_says_so() {
    let bench = bench().await;
    let scratch = Scratch::source(&bench.url, "");
    let program = scratch.serve(&["--storage.path="]).await;
    program.logged(&["memory"]).await;
    let up = |page: &Page| page.metric("virt_source_up").sum() > 0.5;
    program.scraped("a poll", up).await;
    fail(&bench, "t");
    let page = fails(&program, 1.0).await;
    page.metric("virt_exporter_ledger_size_bytes").is_absent();
    page.metric("virt_exporter_ledger_commit_failures_total")
        .is(0);
    assert!(!scratch.path("data").exists());
    stop(program, Signal::TERM).await;
    let program = scratch.serve(&["--storage.path="]).await;
    let page = program.scraped("a poll", up).await;
    page.metric("virt_task_failures_total").is_absent();
}

/// What counts, as it stands on a page.
fn events(page: &Page) -> Vec<Sample> {
    let mut samples = page.tasks();
    samples.retain(|sample| sample.name.contains("_total") || sample.name.contains("_duration_"));
    samples
}

#[rstest]
#[case::stopped(Signal::TERM)]
#[case::killed(Signal::KILL)]
#[tokio::test]
async fn counts_go_on_where_they_were_and_nothing_counts_again(#[case] signal: Signal) {
    let bench = bench().await;
    let scratch = Scratch::source(&bench.url, "");
    fail(&bench, "history");
    let program = scratch.serve(&[]).await;
    polled(&program).await;
    bench.sim.add(task("runs"));
    fail(&bench, "before");
    let before = fails(&program, 1.0).await;
    stop(program, signal).await;
    let program = scratch.serve(&[]).await;
    let again = polled(&program).await;
    assert_eq!(events(&again), events(&before));
    stop(program, signal).await;
    fail(&bench, "meanwhile");
    bench.sim.succeed("runs");
    let page = fails(&scratch.serve(&[]).await, 2.0).await;
    page.metric("virt_task_started_total").sums_to(3);
    let finished = |status| {
        page.metric("virt_task_finished_total")
            .with("status", status)
    };
    finished("failed").sums_to(2);
    finished("succeeded").sums_to(1);
}

/// What says when and how long: of the last and the typical task.
const MEMORIES: [&str; 4] = [
    "virt_task_last_success_timestamp_seconds",
    "virt_task_last_failure_timestamp_seconds",
    "virt_task_last_duration_seconds",
    "virt_task_typical_duration_seconds",
];

fn memories(page: &Page) -> Vec<Sample> {
    let found: Vec<_> = MEMORIES.map(|name| page.family(name, &[])).concat();
    assert!(found.len() >= MEMORIES.len(), "{found:#?}");
    found
}

#[tokio::test]
async fn what_is_known_of_the_last_tasks_outlives_retention_and_the_source() {
    let bench = bench().await;
    let scratch = Scratch::source(&bench.url, "");
    let program = scratch.serve(&[]).await;
    polled(&program).await;
    fail(&bench, "fails");
    bench.sim.add(task("ends"));
    bench.sim.succeed("ends");
    let ended = |page: &Page| page.metric("virt_task_finished_total").sum() > 1.5;
    let before = memories(&program.scraped("two ends", ended).await);
    // The source forgets both, and dies.
    bench.sim.remove("fails");
    bench.sim.remove("ends");
    let gone = |page: &Page| page.metric("virt_tasks").sum() < 0.5;
    let page = program.scraped("an empty list", gone).await;
    assert_eq!(memories(&page), before);
    stop(program, Signal::KILL).await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Dropped));
    let program = scratch.serve(&[]).await;
    let tried = |page: &Page| page.metric("virt_source_polls_total").sum() > 0.5;
    for page in [
        program.scrape().await,
        program.scraped("a try", tried).await,
    ] {
        assert_eq!(memories(&page), before);
        for state in [
            "virt_tasks",
            "virt_task_unresolved_failures",
            "virt_open_task_info",
        ] {
            page.metric(state).is_absent();
        }
    }
}

#[rstest]
#[case::cut(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2), true)]
#[case::empty(|bytes: &mut Vec<u8>| bytes.clear(), true)]
#[case::no_ledger(|bytes: &mut Vec<u8>| *bytes = b"poem".to_vec(), true)]
#[case::sound(|_: &mut Vec<u8>| {}, false)]
#[tokio::test]
async fn a_damaged_file_is_set_aside_whole_and_the_others_count_on(
    #[case] damage: fn(&mut Vec<u8>),
    #[case] damaged: bool,
) {
    let (bench, scratch, program) = counted_one().await;
    stop(program, Signal::TERM).await;
    let (folder, path) = (scratch.path("data"), scratch.path("data/a.redb"));
    let mut bytes = fs::read(&path).unwrap();
    damage(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let program = scratch.serve(&[]).await;
    let page = polled(&program).await;
    page.metric("virt_task_failures_total")
        .sums_to(i32::from(!damaged));
    page.metric("virt_tasks").with("status", "failed").is(1);
    let kept: Vec<_> = files(&folder)
        .into_iter()
        .filter(|path| path.display().to_string().contains("a.redb.damaged-"))
        .collect();
    let errors = program.lines(&["level=error", "set aside"]);
    assert_eq!(
        (kept.len(), errors.len()),
        if damaged { (1, 1) } else { (0, 0) }
    );
    for kept in kept {
        assert!(fs::read(kept).unwrap() == bytes, "the file is as it was");
    }
    fail(&bench, "after");
    fails(&program, if damaged { 1.0 } else { 2.0 }).await;
}

#[tokio::test]
async fn a_file_of_another_source_is_not_called_damaged_and_can_be_had_back() {
    let (_bench, scratch, program) = counted_one().await;
    stop(program, Signal::TERM).await;
    let (ours, theirs) = (scratch.path("data/a.redb"), scratch.path("data/b.redb"));
    fs::rename(&ours, &theirs).unwrap();
    let other = "sources: [{name: b, system: virtshell, url: 'http://127.0.0.1:1'}]";
    let told = scratch.write("other.yml", other);
    let config = format!("--config.file={}", told.display());
    let program = scratch.serve(&[&config]).await;
    let lines = program.lines(&["level=error", "set aside"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("give it the name of that source"),
        "{lines:?}"
    );
    assert!(!lines[0].contains("cannot be trusted"), "{lines:?}");
    stop(program, Signal::TERM).await;
    let all = files(&scratch.path("data"));
    let mut aside = all
        .iter()
        .filter(|path| path.display().to_string().contains("b.redb."));
    fs::rename(aside.next().unwrap(), ours).unwrap();
    fails(&scratch.serve(&[]).await, 1.0).await;
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_written_anew() {
    let (bench, scratch, program) = counted_one().await;
    fs::remove_file(scratch.path("data/a.redb")).unwrap();
    fail(&bench, "after");
    fails(&program, 2.0).await;
    stop(program, Signal::KILL).await;
    fails(&scratch.serve(&[]).await, 2.0).await;
}
