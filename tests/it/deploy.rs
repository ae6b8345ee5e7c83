use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use serde_json::Value;
use virt_task_exporter::build_info::VERSION;
use virt_task_exporter::cli::Args;
use virt_task_exporter::config::{Config, Secret};

const CONTAINERFILE: &str = include_str!("../../deploy/Containerfile");
const README: &str = include_str!("../../deploy/README.md");
const UNIT: &str = include_str!("../../deploy/systemd/virt-task-exporter.service");
const CONFIG: &str = include_str!("../../deploy/debian/virt-task-exporter.yml");
const DEFAULTS: &str = include_str!("../../deploy/debian/virt-task-exporter.default");
const STATEFULSET: &str = include_str!("../../deploy/kubernetes/statefulset.yaml");

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lines of the Containerfile; what goes on in the next one is one.
fn instructions() -> Vec<(String, Vec<String>)> {
    let text = CONTAINERFILE.replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let words = lines.map(|line| line.split_whitespace().map(str::to_owned));
    let words = words.filter_map(|mut words| Some((words.next()?, words.collect())));
    words.collect()
}

fn last(instruction: &str) -> String {
    let all = instructions();
    let found = all.iter().rfind(|(name, _)| name == instruction);
    found.unwrap().1.join(" ")
}

/// The program takes these values of its variables.
fn assert_variables(pairs: &[(&str, &str)]) {
    let known = Args::command();
    let mut command = vec!["virt-task-exporter".to_owned()];
    for (name, value) in pairs {
        let mut flags = known.get_arguments();
        let flag = flags.find(|flag| flag.get_env().is_some_and(|env| env == *name));
        let flag = flag.unwrap_or_else(|| panic!("no flag has the variable {name}"));
        command.push(format!("--{}={value}", flag.get_long().unwrap()));
    }
    Args::read(&command).unwrap();
    assert!(!pairs.is_empty());
}

fn pair(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap()
}

#[test]
fn the_image_copies_what_is_there_and_what_it_may_see() {
    let ignore = fs::read_to_string(project().join(".dockerignore")).unwrap();
    let mut copied = Vec::new();
    for (name, words) in instructions() {
        if name != "COPY" || words[0].starts_with("--from") {
            continue;
        }
        for source in &words[..words.len() - 1] {
            assert!(project().join(source).exists(), "{source}");
            assert!(ignore.contains(&format!("!{source}\n")), "{source}");
            copied.push(source.clone());
        }
    }
    let seen: Vec<_> = ignore
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    assert!(
        seen.iter().all(|path| copied.iter().any(|it| it == path)),
        "{seen:?}"
    );
    // What cargo reads to know the targets.
    for path in [
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "src",
        "benches",
        "tests",
    ] {
        assert!(copied.iter().any(|it| it == path), "{path}");
    }
}

#[test]
fn the_image_runs_as_the_pods_do() {
    let pod = serde_saphyr::from_str::<Value>(STATEFULSET).unwrap();
    let spec = &pod["spec"]["template"]["spec"];
    let context = &spec["securityContext"];
    let user = format!("{}:{}", context["runAsUser"], context["runAsGroup"]);
    assert_eq!(last("USER"), user);
    assert!(CONTAINERFILE.contains(&format!("--chown={user} ")));
    let container = &spec["containers"][0];
    assert_eq!(container["image"], format!("virt-task-exporter:{VERSION}"));
    assert_eq!(
        container["ports"][0]["containerPort"].to_string(),
        last("EXPOSE")
    );
    let mounts = container["volumeMounts"].as_array().unwrap();
    assert!(
        mounts
            .iter()
            .any(|mount| mount["mountPath"] == last("VOLUME"))
    );
}

#[test]
fn the_steps_for_the_image_make_what_its_configuration_names() {
    let (_, section) = README.split_once("\n## Image\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (_, yaml) = section.split_once("```yaml\n").unwrap();
    let text = yaml.split("```").next().unwrap();
    let config = Config::parse(text, Path::new("config/virt-task-exporter.yml")).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    let source = &config.sources[0];
    let Some(Secret::File(password)) = source.system.secret() else {
        panic!("{source:?} has no password file")
    };
    for path in source.http.files().chain([password.as_path()]) {
        assert!(
            section.contains(&format!(" {}", path.display())),
            "{path:?}"
        );
    }
    let user = last("USER");
    assert!(section.contains(&format!("chown -R {user} config")));
    let folder = Path::new("/etc/virt-task-exporter");
    let variables = last("ENV");
    let file = format!(
        "VTE_CONFIG_FILE={}/virt-task-exporter.yml",
        folder.display()
    );
    assert!(variables.contains(&file), "{variables}");
    let mount = format!("./config:{}:ro", folder.display());
    assert_eq!(section.matches(&mount).count(), 2);
}

#[test]
fn the_image_has_this_version_and_known_variables() {
    let label = format!("org.opencontainers.image.version=\"{VERSION}\"");
    assert!(last("LABEL").contains(&label));
    let variables = last("ENV");
    let pairs: Vec<_> = variables.split_whitespace().map(pair).collect();
    assert_variables(&pairs);
    let copied = instructions();
    let mut targets = copied.iter().filter_map(|(_, words)| words.last());
    let program = last("ENTRYPOINT").replace(['[', ']', '"'], "");
    assert!(targets.any(|target| *target == program), "{program}");
}

#[test]
fn the_unit_and_the_defaults_have_known_variables() {
    let lines = UNIT
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    assert_variables(&lines.map(pair).collect::<Vec<_>>());
    let lines = DEFAULTS
        .lines()
        .filter_map(|line| line.strip_prefix("#VTE_"));
    let lines: Vec<_> = lines.map(|line| format!("VTE_{line}")).collect();
    assert_variables(&lines.iter().map(|line| pair(line)).collect::<Vec<_>>());
}

#[test]
fn the_packaged_configuration_is_comments_alone_and_right_without_them() {
    assert!(
        CONFIG
            .lines()
            .all(|line| line.is_empty() || line.starts_with('#'))
    );
    let lines = CONFIG.lines().filter_map(|line| line.strip_prefix('#'));
    let typed =
        lines.filter(|line| line.starts_with("  ") || line.starts_with(char::is_alphabetic));
    let typed = typed.filter(|line| !line.starts_with("      "));
    let text = typed.collect::<Vec<_>>().join("\n");
    let config = Config::parse(&text, Path::new("virt-task-exporter.yml")).unwrap();
    assert_eq!(config.sources.len(), 3);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn every_build_takes_the_versions_of_the_lock_file() {
    let mut builds = 0;
    for script in [
        "tests/run",
        "benches/instructions",
        "deploy/Containerfile",
        "deploy/debian/build",
    ] {
        let text = fs::read_to_string(project().join(script)).unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let commands = [
            "build", "test", "bench", "run", "clippy", "doc", "tree", "metadata", "install",
        ];
        for line in lines {
            let called = |command: &&str| line.contains(&format!("cargo {command} "));
            let asks = line.contains("--version");
            if commands.iter().any(called) && !asks {
                assert!(line.contains("--locked"), "{script}: {line}");
                builds += 1;
            }
        }
    }
    assert!(builds > 8, "{builds}");
}
