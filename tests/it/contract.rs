use std::collections::BTreeSet;

use clap::CommandFactory as _;
use reqwest::Method;
use rstest::rstest;
use rustix::process::Signal;
use tokio::net::TcpListener;
use virt_task_exporter::cli::Args;

use crate::support::{Program, Scratch, VsBench, eventually, get};

/// A flag, its variable, a value other than the default, and one that is refused.
type Flag = (&'static str, &'static str, &'static str, &'static str);

/// The flags of all commands.
const FLAGS: [Flag; 11] = [
    ("config.file", "VTE_CONFIG_FILE", "other.yml", "nowhere.yml"),
    (
        "web.listen-address",
        "VTE_WEB_LISTEN_ADDRESS",
        "127.0.0.1:0,localhost:0",
        "nowhere",
    ),
    ("web.telemetry-path", "VTE_WEB_TELEMETRY_PATH", "/m", "m"),
    (
        "web.config.file",
        "VTE_WEB_CONFIG_FILE",
        "web.yml",
        "nowhere.yml",
    ),
    ("web.max-requests", "VTE_WEB_MAX_REQUESTS", "7", "many"),
    (
        "web.disable-exporter-metrics",
        "VTE_WEB_DISABLE_EXPORTER_METRICS",
        "yes",
        "perhaps",
    ),
    ("storage.path", "VTE_STORAGE_PATH", "ledgers", "other.yml"),
    ("shard", "VTE_SHARD", "1", "-1"),
    ("total-shards", "VTE_TOTAL_SHARDS", "2", "0"),
    ("log.level", "VTE_LOG_LEVEL", "debug", "loud"),
    ("log.format", "VTE_LOG_FORMAT", "json", "xml"),
];

/// The commands, with flags of their own.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("check", &["login"]),
    ("once", &["output"]),
    ("tasks", &["status", "source", "format"]),
    ("demo", &[]),
    ("simulate", &["listen", "tasks", "rate"]),
];

/// The paths, and the codes that GET, HEAD and POST are answered with.
const ENDPOINTS: [(&str, [u16; 3]); 9] = [
    ("/metrics", [200, 200, 405]),
    ("/metrics?source=NAME", [200, 200, 405]),
    ("/sd", [200, 200, 405]),
    ("/-/healthy", [200, 200, 405]),
    ("/-/ready", [200, 200, 405]),
    ("/-/reload", [405, 405, 200]),
    ("/", [200, 200, 405]),
    ("/api/v1/status", [200, 200, 405]),
    ("/api/v1/tasks", [200, 200, 405]),
];

const README: &str = include_str!("../../README.md");

/// The long names of a command's flags.
fn longs(command: &clap::Command) -> BTreeSet<&str> {
    let arguments = command.get_arguments();
    arguments.filter_map(clap::Arg::get_long).collect()
}

#[test]
fn every_flag_and_every_command_has_a_row() {
    let args = Args::command();
    let rows: BTreeSet<_> = FLAGS.iter().map(|(long, ..)| *long).collect();
    assert_eq!(longs(&args), rows);
    for (long, variable, ..) in FLAGS {
        let flag = args
            .get_arguments()
            .find(|flag| flag.get_long() == Some(long));
        let env = flag.unwrap().get_env().unwrap();
        assert_eq!(env, variable);
        let derived = long.replace(['.', '-'], "_").to_uppercase();
        assert_eq!(variable, format!("VTE_{derived}"));
    }
    let commands: BTreeSet<_> = args
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let rows: BTreeSet<_> = COMMANDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(commands, rows);
    for (name, flags) in COMMANDS {
        let command = args.find_subcommand(name).unwrap();
        assert_eq!(longs(command), flags.iter().copied().collect(), "{name}");
    }
}

/// A folder with a source of its own for each shard of two, and a file of users.
async fn world() -> (VsBench, Scratch) {
    let bench = VsBench::new().await;
    let names = 0..6;
    let sources = names.map(|number| {
        format!(
            "  - {{name: s{number}, system: virtshell, url: '{}'}}\n",
            bench.url
        )
    });
    let text = format!("sources:\n{}", sources.collect::<String>());
    let scratch = Scratch::new("");
    scratch.write("other.yml", &text);
    let hash = bcrypt::hash("p", 4).unwrap();
    scratch.write("web.yml", &format!("basic_auth_users: {{u: '{hash}'}}\n"));
    (bench, scratch)
}

async fn page(program: &Program, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("http://{}{path}", program.address()));
    let answer = request.basic_auth("u", Some("p")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[rstest]
#[case::by_flags(true)]
#[case::by_variables(false)]
#[tokio::test]
async fn every_flag_does_what_it_says(#[case] by_flags: bool) {
    let (_bench, scratch) = world().await;
    let flags = FLAGS.map(|(long, _, good, _)| format!("--{long}={good}"));
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let variables = FLAGS.map(|(_, variable, good, _)| (variable, good));
    let program = if by_flags {
        scratch.serve_bare(&flags, &[]).await
    } else {
        scratch.serve_bare(&[], &variables).await
    };
    // Log: JSON at debug level, of two addresses.
    eventually("two addresses", || {
        (program.lines(&["listening", "\"level\":\"INFO\""]).len() == 2).then_some(())
    })
    .await;
    program.logged(&["\"level\":\"DEBUG\""]).await;
    // Web: users, another path, no metrics of the process.
    let refused = get(program.address(), Method::GET, "/m").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(page(&program, "/metrics").await.0, 404);
    let (code, text) = page(&program, "/m").await;
    assert_eq!(code, 200);
    assert!(!text.contains("process_"), "{text}");
    // Shards: the numbers, and not all of the sources.
    assert!(text.contains("virt_exporter_shard_ordinal 1\n"), "{text}");
    assert!(text.contains("virt_exporter_total_shards 2\n"), "{text}");
    let sources = text.matches("virt_source_info{").count();
    assert!((1..6).contains(&sources), "{sources} sources");
    // Storage.
    assert!(scratch.path("ledgers").is_dir() && !scratch.path("data").exists());
}

#[rstest]
#[tokio::test]
async fn a_bad_value_exits_2_and_names_itself(#[values(true, false)] by_flag: bool) {
    let (_bench, scratch) = world().await;
    for (long, variable, _, bad) in FLAGS {
        let good = ("VTE_CONFIG_FILE", "other.yml");
        let (flag, variables) = (format!("--{long}={bad}"), [good, (variable, bad)]);
        let ended = if by_flag {
            scratch.run(&[&flag], &[good]).await
        } else {
            scratch.run(&[], &variables).await
        };
        assert_eq!(ended.status.code(), Some(2), "{long}: {ended:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains(bad), "{long}: {said}");
        assert!(
            ended.stdout.is_empty() && !said.contains("listening"),
            "{long}: {said}"
        );
    }
}

#[tokio::test]
async fn every_endpoint_answers_each_method() {
    let (_bench, scratch) = world().await;
    let program = scratch.serve(&["--config.file=other.yml"]).await;
    let tried = |page: &crate::support::Page| page.family("virt_source_up", &[]).len() == 6;
    program.scraped("a try of each", tried).await;
    for (path, codes) in ENDPOINTS {
        let path = path.replace("NAME", "s0");
        for (method, code) in [Method::GET, Method::HEAD, Method::POST]
            .into_iter()
            .zip(codes)
        {
            let answer = get(program.address(), method.clone(), &path).await;
            assert_eq!(answer.status(), code, "{method} {path}");
        }
    }
    let (_, documented) = README
        .split_once("| path | answers |\n|---|---|\n")
        .unwrap();
    let rows = documented.lines().take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| {
        let names = row.split('|').nth(1).unwrap().split('`');
        names
            .skip(1)
            .step_by(2)
            .map(|name| name.trim_start_matches("POST "))
    });
    let rows: BTreeSet<_> = names.collect();
    assert_eq!(rows, ENDPOINTS.iter().map(|(path, _)| *path).collect());
}

/// What ends by itself: arguments, the configuration, and the exit code.
#[rstest]
#[case::check(&["check"], "good.yml", 0)]
#[case::check_of_a_wrong_file(&["check"], "wrong.yml", 1)]
#[case::check_of_no_file(&["check"], "nowhere.yml", 1)]
#[case::check_of_a_bad_flag(&["check", "--x"], "good.yml", 2)]
#[case::login(&["check", "--login"], "good.yml", 0)]
#[case::login_at_nobody(&["check", "--login"], "dead.yml", 1)]
#[case::once(&["once"], "good.yml", 0)]
#[case::once_of_nobody(&["once"], "dead.yml", 1)]
#[case::once_of_a_wrong_file(&["once"], "wrong.yml", 2)]
#[case::once_of_a_bad_flag(&["once", "--x"], "good.yml", 2)]
#[case::tasks(&["tasks"], "good.yml", 0)]
#[case::tasks_of_nobody(&["tasks"], "dead.yml", 1)]
#[case::tasks_of_a_wrong_file(&["tasks"], "wrong.yml", 2)]
#[case::tasks_of_a_bad_flag(&["tasks", "--x"], "good.yml", 2)]
#[case::demo_of_a_bad_flag(&["demo", "--x"], "good.yml", 2)]
#[case::simulate_of_nothing(&["simulate"], "good.yml", 2)]
#[case::serving_of_a_wrong_file(&[], "wrong.yml", 2)]
#[case::serving_of_a_bad_flag(&["--x"], "good.yml", 2)]
#[case::help(&["--help"], "wrong.yml", 0)]
#[case::version(&["--version"], "wrong.yml", 0)]
#[tokio::test]
async fn every_exit_code_is_that_of_the_contract(
    #[case] arguments: &[&str],
    #[case] file: &str,
    #[case] code: i32,
) {
    let bench = VsBench::new().await;
    let scratch = Scratch::new("");
    for (file, url) in [
        ("good.yml", bench.url.as_str()),
        ("dead.yml", "http://127.0.0.1:1"),
    ] {
        let text = format!("sources: [{{name: a, system: virtshell, url: '{url}'}}]\n");
        scratch.write(file, &text);
    }
    scratch.write("wrong.yml", "sources: [{name: a}]\n");
    let ended = scratch.run(arguments, &[("VTE_CONFIG_FILE", file)]).await;
    assert_eq!(ended.status.code(), Some(code), "{ended:?}");
    // Standard output is for what was asked for, and standard error for the rest.
    let asked = ended.stdout.is_empty();
    assert_eq!(
        asked,
        code == 2 || (file != "dead.yml" && code == 1),
        "{ended:?}"
    );
}

#[rstest]
#[case::serving(&[], "--web.listen-address")]
#[case::demo(&["demo"], "--web.listen-address")]
#[case::simulate(&["simulate", "virtshell"], "--listen")]
#[tokio::test]
async fn what_serves_ends_with_0_by_a_signal_and_with_1_on_a_taken_address(
    #[case] command: &[&str],
    #[case] flag: &str,
) {
    let (_bench, scratch) = world().await;
    let variables = [("VTE_CONFIG_FILE", "other.yml")];
    let free = format!("{flag}=127.0.0.1:0");
    let program = scratch
        .serve_bare(&[command, &[&free]].concat(), &variables)
        .await;
    program.signal(Signal::TERM);
    assert_eq!(program.over().await.0.code(), Some(0));
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("{flag}={}", taken.local_addr().unwrap());
    let ended = scratch
        .run(&[command, &[&address]].concat(), &variables)
        .await;
    drop(taken);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
}
