use std::time::Duration;

use clap::{Arg, CommandFactory as _};
use rstest::rstest;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use virt_task_exporter::cli::Args;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use crate::support::{Bench, Scratch, options, task};

const GOOD: &str = "sources:
  - name: a
    system: sddc_manager
    url: http://127.0.0.1:1
    username: u
    password: p
";

#[tokio::test]
async fn check_says_valid_and_exits_0() {
    let ended = Scratch::new(GOOD).run(&["check"], &[]).await;
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(said.contains("virt-task-exporter.yml: valid"), "{said}");
}

#[rstest]
#[case::unknown_key("pasword: x", "sources[0].pasword", "unknown")]
#[case::bad_duration("poll_interval: 30", "sources[0].poll_interval", "no duration")]
#[case::bad_url("url: nowhere", "sources[0].url", "absolute URL")]
#[case::bad_system("system: vsphere", "sources[0].system", "must be one of")]
#[case::stale_too_soon("stale_after: 31s", "sources[0].stale_after", "3 poll intervals")]
#[case::two_logins("api_key_file: key", "sources[0]", "")]
#[case::redirects(
    "follow_redirects: true",
    "sources[0].follow_redirects",
    "must be false"
)]
#[case::no_ca(
    "tls_config: {ca_file: missing.pem}",
    "sources[0].tls_config.ca_file",
    "cannot read missing.pem"
)]
#[tokio::test]
async fn a_wrong_configuration_is_one_line_with_file_place_key_and_rule(
    #[case] line: &str,
    #[case] key: &str,
    #[case] rule: &str,
) {
    let name = line.split(':').next().unwrap();
    let others = GOOD
        .lines()
        .filter(|other| !other.trim().starts_with(&format!("{name}:")));
    let text: Vec<_> = others
        .chain([format!("    {line}").as_str()])
        .map(|line| format!("{line}\n"))
        .collect();
    let scratch = Scratch::new(&text.concat());
    let check = scratch.run(&["check"], &[]).await;
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let serve = scratch
        .run(&["--web.listen-address=127.0.0.1:0"], &[])
        .await;
    assert_eq!(serve.status.code(), Some(2), "{serve:?}");
    assert!(serve.stdout.is_empty());
    for said in [check.stderr, serve.stderr] {
        let said = String::from_utf8(said).unwrap();
        let told: Vec<_> = said
            .lines()
            .filter(|line| line.contains("virt-task-exporter.yml"))
            .collect();
        assert_eq!(told.len(), 1, "{said}");
        assert!(told[0].contains(key) && told[0].contains(rule), "{said}");
        assert!(!said.contains("listening"), "{said}");
    }
}

#[tokio::test]
async fn a_name_given_twice_is_refused() {
    let twice = GOOD.to_owned() + GOOD.strip_prefix("sources:\n").unwrap();
    let ended = Scratch::new(&twice).run(&[], &[]).await;
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    let place = "virt-task-exporter.yml:7:11: sources[1].name: is already the name of sources[0]";
    assert!(said.contains(place), "{said}");
}

#[rstest]
#[case::missing(&["--config.file=nowhere.yml"], "nowhere.yml")]
#[case::a_folder(&["--config.file=."], "cannot read")]
#[case::unknown_flag(&["--no-such-flag"], "--no-such-flag")]
#[case::unknown_command(&["frobnicate"], "frobnicate")]
#[case::bad_level(&["--log.level=loud"], "loud")]
#[case::bad_address(&["--web.listen-address=nowhere"], "nowhere")]
#[case::bad_path(&["--web.telemetry-path=metrics"], "metrics")]
#[case::shard_out_of_range(&["--shard=2", "--total-shards=2"], "--shard")]
#[case::tls_for_own_pages(&["--web.config.file=web.yml"], "--web.config.file")]
#[tokio::test]
async fn what_cannot_be_served_exits_2_and_says_why(#[case] arguments: &[&str], #[case] why: &str) {
    let ended = Scratch::new(GOOD).run(arguments, &[]).await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stdout.is_empty());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains(why), "{said}");
    assert!(!said.contains("listening"), "{said}");
}

#[tokio::test]
async fn a_port_in_use_is_told_with_its_address() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flag = format!("--web.listen-address={address}");
    let ended = Scratch::new(GOOD).run(&[&flag], &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.contains(&address) && said.contains("level=error"),
        "{said}"
    );
}

#[tokio::test]
async fn version_and_help_go_to_stdout() {
    for (flag, word) in [
        ("--version", "virt-task-exporter, version "),
        ("--help", "--config.file"),
    ] {
        let ended = Scratch::new(GOOD).run(&[flag], &[]).await;
        assert_eq!(ended.status.code(), Some(0));
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(said.contains(word), "{said}");
    }
}

#[rstest]
#[case(Signal::TERM)]
#[case(Signal::INT)]
#[tokio::test]
async fn a_signal_ends_it_with_0_and_stdout_stays_empty(#[case] signal: Signal) {
    let program = Scratch::new(GOOD).serve(&[]).await;
    program.signal(signal);
    let (status, stdout) = program.ended().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(stdout, "");
}

#[rstest]
#[case::demo(&["demo", "--web.listen-address=127.0.0.1:0"])]
#[case::simulate(&["simulate", "vcenter", "--listen=127.0.0.1:0"])]
#[tokio::test]
async fn a_terminal_that_is_closed_ends_a_demo_which_leaves_nothing(#[case] arguments: &[&str]) {
    let scratch = Scratch::new("");
    let folder = scratch.path("tmp");
    std::fs::create_dir(&folder).unwrap();
    let variables = [("TMPDIR", folder.to_str().unwrap())];
    let program = scratch.serve_bare(arguments, &variables).await;
    // The shell sends one, and so does the system.
    program.signal(Signal::HUP);
    program.logged(&["stopping"]).await;
    program.signal(Signal::HUP);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
}

#[rstest]
#[case(Signal::TERM)]
#[case(Signal::INT)]
#[tokio::test]
async fn a_signal_gives_up_a_slow_poll(#[case] signal: Signal) {
    let mut options = options();
    options.clock_skew = None;
    let bench = Bench::real_time(options).await;
    bench.sim.add(task("t"));
    let slow = FaultKind::SlowBody {
        piece: 1,
        pause: Duration::from_secs(3600),
    };
    bench.sim.inject(Fault::new(Endpoint::List, slow));
    let program = Scratch::source(&bench.url, "").serve(&[]).await;
    let asked = || (bench.sim.request_count(Endpoint::List) > 0).then_some(());
    crate::support::eventually("a poll", asked).await;
    program.signal(signal);
    // Sooner than any timeout of the call.
    let (status, _) = program.ended().await;
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let program = Scratch::new(GOOD).serve(&[]).await;
    let mut under_way = TcpStream::connect(program.address()).await.unwrap();
    under_way
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    let mut idle = TcpStream::connect(program.address()).await.unwrap();
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut piece = [0; 1024];
    assert!(idle.read(&mut piece).await.unwrap() > 0);
    program.signal(Signal::TERM);
    program.logged(&["stopping"]).await;
    under_way.write_all(b"\r\n").await.unwrap();
    let mut answer = Vec::new();
    under_way.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("virt_exporter_build_info"), "{answer}");
    let (status, stdout) = program.ended().await;
    assert_eq!((status.code(), stdout.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn flags_stand_before_or_after_the_command() {
    let scratch = Scratch::new("");
    scratch.write("other.yml", GOOD);
    for arguments in [
        ["--config.file=other.yml", "check"],
        ["check", "--config.file=other.yml"],
    ] {
        let ended = scratch.run(&arguments, &[]).await;
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    }
    let ended = scratch.run(&["check"], &[]).await;
    assert_eq!(ended.status.code(), Some(1), "an empty file has no sources");
}

#[tokio::test]
async fn variables_stand_in_for_flags_and_flags_win() {
    let scratch = Scratch::new("");
    scratch.write("other.yml", GOOD);
    let ended = scratch
        .run(&["check"], &[("VTE_CONFIG_FILE", "other.yml")])
        .await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let variables = [
        ("VTE_CONFIG_FILE", "nowhere.yml"),
        ("VTE_WEB_LISTEN_ADDRESS", "127.0.0.1:0,localhost:0"),
        ("VTE_WEB_TELEMETRY_PATH", "/m"),
        ("VTE_WEB_DISABLE_EXPORTER_METRICS", "yes"),
        ("VTE_LOG_FORMAT", "json"),
    ];
    let program = scratch
        .serve_bare(
            &["--config.file=other.yml", "--log.format=logfmt"],
            &variables,
        )
        .await;
    crate::support::eventually("both addresses", || {
        (program.lines(&["listening"]).len() == 2).then_some(())
    })
    .await;
    assert_eq!(program.get("/metrics").await.status(), 404);
    let page = program.get("/m").await.text().await.unwrap();
    assert!(
        page.contains("virt_source_info") && !page.contains("process_"),
        "{page}"
    );
}

#[tokio::test]
async fn an_empty_variable_is_as_good_as_none_but_for_the_folder() {
    let scratch = Scratch::new(GOOD);
    let flags = Args::command();
    let names: Vec<_> = flags.get_arguments().filter_map(Arg::get_env).collect();
    assert!(names.len() > 10, "{names:?}");
    let empty: Vec<_> = names
        .iter()
        .map(|name| (name.to_str().unwrap(), ""))
        .collect();
    // Only the address is given, as a port of the default may be in use.
    let program = scratch
        .serve_bare(&["--web.listen-address=127.0.0.1:0"], &empty)
        .await;
    assert_eq!(program.get("/metrics").await.status(), 200);
    assert_eq!(program.lines(&["in memory alone"]).len(), 1);
    let ended = scratch.run(&["check"], &empty).await;
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_json_log_is_one_object_a_line() {
    let program = Scratch::new(GOOD).serve(&["--log.level=debug"]).await;
    program.signal(Signal::TERM);
    program.ended().await;
    let scratch = Scratch::new(GOOD);
    let ended = scratch
        .run(&["--log.format=json", "--web.config.file=x"], &[])
        .await;
    for line in String::from_utf8(ended.stderr).unwrap().lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(value.is_object(), "{line}");
    }
}

#[tokio::test]
async fn each_source_belongs_to_one_shard() {
    let name = |number: u32| GOOD.replace("name: a", &format!("name: s{number}"));
    let sources: Vec<_> = (0..12).map(name).collect();
    let text = sources.concat().replace("sources:\n", "");
    let scratch = Scratch::new(&format!("sources:\n{text}"));
    let mut names = Vec::new();
    for shard in ["0", "1", "2"] {
        let program = scratch.serve(&["--shard", shard, "--total-shards=3"]).await;
        let page = program.scrape().await;
        page.metric("virt_exporter_total_shards").is(3);
        let infos = page.family("virt_source_info", &[]);
        names.extend(infos.into_iter().map(|info| info.labels["source"].clone()));
    }
    names.sort();
    let mut expected: Vec<_> = (0..12).map(|number| format!("s{number}")).collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_configuration_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new(GOOD);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(scratch.path("virt-task-exporter.yml"), open).unwrap();
    let ended = scratch.run(&["check"], &[]).await;
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        said.contains("warning") && said.contains("password"),
        "{said}"
    );
}
#[tokio::test]
async fn check_warns_of_a_secret_that_is_not_there_yet() {
    let scratch = Scratch::source("http://127.0.0.1:1", "username: u\npassword_file: later\n");
    let output = scratch.run(&["check"], &[]).await;
    assert_eq!(output.status.code(), Some(0));
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.starts_with("warning: source a: "), "{warned}");
    assert!(warned.contains("later"), "{warned}");
}
