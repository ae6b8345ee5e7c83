//! Flags, without the environment: that belongs to the whole process.

use clap::error::ErrorKind;

use super::*;

fn read(line: &str) -> Result<Args, clap::Error> {
    let words = line.split(' ').filter(|word| !word.is_empty());
    let words = words.map(|word| if word == "EMPTY" { "" } else { word });
    Args::read(std::iter::once("virt-task-exporter").chain(words))
}

fn listens(args: &Args) -> Vec<String> {
    let addresses = args.listen_addresses.iter();
    addresses.map(ListenAddress::to_string).collect()
}

/// The first line of the message.
#[track_caller]
fn refused(line: &str) -> String {
    let error = read(line).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{line}");
    let text = error.to_string();
    text.lines().next().unwrap().to_owned()
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn defaults_are_those_of_the_contract() {
    let args = read("").unwrap();
    assert_eq!(args.config_file, Path::new("virt-task-exporter.yml"));
    assert_eq!(listens(&args), [":9894"]);
    assert_eq!(args.telemetry_path.as_str(), "/metrics");
    assert_eq!(args.web_config_file, None);
    assert_eq!(args.max_requests, 40);
    assert!(!args.disable_exporter_metrics);
    assert_eq!(args.storage_path, None);
    assert_eq!(args.storage_folder(), Some(Path::new("data/")));
    assert_eq!((args.shard, args.total_shards.get()), (0, 1));
    assert_eq!(args.log_level, Level::Info);
    assert_eq!(args.log_format, Format::Logfmt);
    assert!(args.command.is_none());
}

#[test]
fn flags_stand_before_and_after_a_command() {
    let flags = "--config.file=c.yml --web.listen-address :1,[::1]:2 --web.listen-address=h:3 \
        --web.telemetry-path /m --web.config.file w.yml --web.max-requests 0 --web.disable-exporter-metrics \
        --storage.path s --shard 1 --total-shards 2 --log.level debug --log.format json";
    for line in [
        flags.to_owned(),
        format!("{flags} check"),
        format!("check {flags}"),
    ] {
        let args = read(&line).unwrap();
        assert_eq!(args.config_file, Path::new("c.yml"));
        assert_eq!(listens(&args), [":1", "[::1]:2", "h:3"]);
        assert_eq!(args.telemetry_path.as_str(), "/m");
        assert_eq!(args.web_config_file.as_deref(), Some(Path::new("w.yml")));
        assert_eq!(args.max_requests, 0);
        assert!(args.disable_exporter_metrics);
        assert_eq!(args.storage_folder(), Some(Path::new("s")));
        assert_eq!((args.shard, args.total_shards.get()), (1, 2));
        assert_eq!(args.log_level, Level::Debug);
        assert_eq!(args.log_format, Format::Json);
        assert_eq!(args.command.is_some(), line != flags);
    }
}

#[test]
fn a_switch_takes_many_words() {
    for (word, value) in [
        ("", true),
        ("=true", true),
        ("=1", true),
        ("=yes", true),
        ("=false", false),
        ("=0", false),
        ("=no", false),
    ] {
        let args = read(&format!("--web.disable-exporter-metrics{word} check")).unwrap();
        assert_eq!(args.disable_exporter_metrics, value, "{word}");
    }
}

#[test]
fn an_empty_storage_path_means_memory_only() {
    for line in ["--storage.path EMPTY", "--storage.path="] {
        assert_eq!(read(line).unwrap().storage_folder(), None);
    }
}

#[test]
fn commands() {
    let check = |line: &str| match read(line).unwrap().command {
        Some(Command::Check(check)) => check,
        other => panic!("{other:?}"),
    };
    assert!(!check("check").login && check("check --login").login);
    assert!(matches!(read("demo").unwrap().command, Some(Command::Demo)));
    let simulate = |line: &str| match read(line).unwrap().command {
        Some(Command::Simulate(simulate)) => simulate,
        other => panic!("{other:?}"),
    };
    let args = simulate("simulate sddc_manager");
    assert_eq!(args.system, SimulatedSystem::SddcManager);
    assert_eq!(args.listen.to_string(), "127.0.0.1:8080");
    let args = simulate("simulate sddc_manager --listen :0 --tasks 7 --rate 2.5");
    assert_eq!((args.listen.port(), args.tasks), (0, 7));
    assert!((args.rate.per_second() - 2.5).abs() < f64::EPSILON);
    let args = simulate("simulate vcenter");
    assert_eq!(args.system, SimulatedSystem::Vcenter);
    let args = simulate("simulate virtshell");
    assert_eq!(args.system, SimulatedSystem::VirtShell);
}

#[test]
fn bad_flags_are_refused_with_2() {
    let of = |value: &str, flag: &str| format!("error: invalid value '{value}' for '{flag}'");
    let cases = [
        (
            "--shard 1",
            "error: --shard must be less than --total-shards".to_owned(),
        ),
        (
            "--shard 2 --total-shards 2 check",
            "error: --shard must be less than --total-shards".to_owned(),
        ),
        (
            "--total-shards 0",
            of("0", "--total-shards <COUNT>") + ": number would be zero for non-zero type",
        ),
        (
            "--shard -1",
            "error: unexpected argument '-1' found".to_owned(),
        ),
        (
            "--web.max-requests x",
            of("x", "--web.max-requests <COUNT>") + ": invalid digit found in string",
        ),
        (
            "--web.listen-address 9894",
            of("9894", "--web.listen-address <ADDRESS>")
                + ": a port is missing, as in :9894 or localhost:9894",
        ),
        (
            "--web.telemetry-path m",
            of("m", "--web.telemetry-path <PATH>") + ": must begin with a /",
        ),
        (
            "--web.disable-exporter-metrics=x",
            of("x", "--web.disable-exporter-metrics[=<BOOL>]") + ": value was not a boolean",
        ),
        ("--log.level trace", of("trace", "--log.level <LEVEL>")),
        ("--log.format xml", of("xml", "--log.format <FORMAT>")),
        ("simulate vcentre", of("vcentre", "<SYSTEM>")),
        (
            "simulate sddc_manager --rate -1",
            "error: unexpected argument '-1' found".to_owned(),
        ),
        ("serve", "error: unrecognized subcommand 'serve'".to_owned()),
        (
            "--verbose",
            "error: unexpected argument '--verbose' found".to_owned(),
        ),
    ];
    for (line, message) in cases {
        assert_eq!(refused(line), message, "{line}");
    }
}

#[test]
fn version_and_help_are_no_failures() {
    let version = read("--version").unwrap_err();
    assert_eq!(
        (version.kind(), version.exit_code()),
        (ErrorKind::DisplayVersion, 0)
    );
    let text = format!(
        "virt-task-exporter, version {} (branch: {}, revision: {})\n  compiler: {}\n",
        build_info::VERSION,
        build_info::BRANCH,
        build_info::REVISION,
        build_info::COMPILER
    );
    assert_eq!(version.to_string(), text);
    for command in ["check", "demo", "simulate"] {
        let version = read(&format!("{command} --version")).unwrap_err();
        assert_eq!(version.to_string(), text, "{command}");
    }
    let help = read("--help").unwrap_err();
    assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0));
    let text = help.to_string();
    assert!(
        text.contains("Usage: virt-task-exporter [OPTIONS] [COMMAND]"),
        "{text}"
    );
    assert!(text.contains("[env: VTE_WEB_LISTEN_ADDRESS=]"), "{text}");
}

#[test]
fn help_says_the_exit_codes_and_hides_what_has_no_effect() {
    let help = |line: &str| read(line).unwrap_err().to_string();
    for line in ["--help", "check --help", "once -h", "tasks -h", "demo -h"] {
        assert!(help(line).contains("\nExit codes:\n  0  "), "{line}");
    }
    let check = help("check --help");
    assert!(check.contains("--web.config.file"), "{check}");
    for flag in ["--web.listen-address", "--shard", "--log.level"] {
        assert!(!check.contains(flag), "{check}");
        assert!(help("once --help").contains(flag), "{flag}");
    }
    assert!(!help("simulate --help").contains("--storage.path"));
    // They are taken all the same.
    assert_eq!(read("check --shard=0 --log.level=warn").unwrap().shard, 0);
}

#[test]
fn each_flag_has_its_variable() {
    let command = Args::command();
    let mut count = 0;
    for argument in command
        .get_arguments()
        .filter(|argument| argument.get_env().is_some())
    {
        let long = argument.get_long().unwrap();
        let name = format!("VTE_{}", long.to_uppercase().replace(['.', '-'], "_"));
        assert_eq!(argument.get_env().unwrap(), name.as_str());
        count += 1;
    }
    assert_eq!(count, command.get_arguments().count());
    assert_eq!(count, 11);
}

/// Judges the environment that [`variables_stand_in_for_flags`] sets; without it there is nothing to judge.
#[test]
fn variables_as_set_by_another_test() {
    let args = read("check --shard 1 --total-shards 3").unwrap();
    if args.storage_path.is_none() {
        return;
    }
    assert_eq!(args.config_file, Path::new("c.yml"));
    assert_eq!(listens(&args), [":1", "[::1]:2"]);
    assert!(args.disable_exporter_metrics);
    assert_eq!(args.storage_folder(), None);
    assert_eq!(args.log_level, Level::Warn);
    assert_eq!(args.max_requests, 7);
    // A flag wins.
    assert_eq!((args.shard, args.total_shards.get()), (1, 3));
}

#[test]
fn variables_stand_in_for_flags() {
    let ran = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cli::tests::variables_as_set_by_another_test"])
        .env("VTE_CONFIG_FILE", "c.yml")
        .env("VTE_WEB_LISTEN_ADDRESS", ":1,[::1]:2")
        .env("VTE_WEB_DISABLE_EXPORTER_METRICS", "yes")
        .env("VTE_STORAGE_PATH", "")
        .env("VTE_SHARD", "0")
        .env("VTE_WEB_MAX_REQUESTS", "7")
        .env("VTE_LOG_LEVEL", "warn")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && text.contains("1 passed"), "{text}");
}
