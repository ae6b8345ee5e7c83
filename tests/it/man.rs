use std::fs;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};
use virt_task_exporter::build_info::VERSION;
use virt_task_exporter::cli::Args;

const NAME: &str = "virt-task-exporter";

/// The page of `command`, whose name is `name` there.
fn page(command: &Command, name: &str) -> String {
    let shown = command
        .clone()
        .version(VERSION)
        .display_name(name.to_owned())
        .after_help(None::<&'static str>);
    let mut bytes = Vec::new();
    Man::new(shown)
        .title(name)
        .source(format!("{NAME} {VERSION}"))
        .manual("User Commands")
        .render(&mut bytes)
        .unwrap();
    let mut roff = Roff::new();
    exit_status(&mut roff, command);
    let word = command.get_name();
    for (title, items) in [
        ("SIGNALS", signals(word)),
        ("FILES", files(word)),
        ("EXAMPLES", examples(word)),
    ] {
        section(&mut roff, title, items);
    }
    see_also(&mut roff, name);
    bytes.extend(roff.to_roff().into_bytes());
    String::from_utf8(bytes).unwrap()
}

type Items = &'static [(&'static str, &'static str)];

fn section(roff: &mut Roff, title: &str, items: Items) {
    if items.is_empty() {
        return;
    }
    roff.control("SH", [title]);
    for (term, text) in items {
        item(roff, term, text);
    }
}

fn item(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(text)]);
}

/// The codes are those of `--help`.
fn exit_status(roff: &mut Roff, command: &Command) {
    let help = command.get_after_help().unwrap().to_string();
    let (title, codes) = help.split_once('\n').unwrap();
    assert_eq!(title, "Exit codes:");
    roff.control("SH", ["EXIT STATUS"]);
    for line in codes.lines() {
        let (code, text) = line.trim().split_once("  ").unwrap();
        item(roff, code, text);
    }
}

fn signals(word: &str) -> Items {
    const STOP: &str = "Stop, within 10 s at most; a second one ends it at once.";
    match word {
        NAME => &[
            ("SIGTERM, SIGINT", STOP),
            (
                "SIGHUP",
                "Load the configuration again; one that cannot be loaded changes nothing.",
            ),
        ],
        "demo" | "simulate" => &[("SIGTERM, SIGINT, SIGHUP", STOP)],
        _ => &[(
            "SIGTERM, SIGINT, SIGHUP",
            "Give sessions back and end; a second one ends it at once.",
        )],
    }
}

fn files(word: &str) -> Items {
    match word {
        NAME => &[
            (
                "virt-task-exporter.yml",
                "The configuration, unless --config.file names another.",
            ),
            (
                "data/",
                "The ledgers, a file NAME.redb for each source, unless --storage.path names another folder.",
            ),
            (
                "/etc/virt-task-exporter/virt-task-exporter.yml, /var/lib/virt-task-exporter",
                "Both of the service that the Debian package brings.",
            ),
            (
                "/etc/default/virt-task-exporter",
                "Variables for flags of that service.",
            ),
        ],
        _ => &[],
    }
}

fn examples(word: &str) -> Items {
    match word {
        NAME => &[(
            "virt-task-exporter --config.file=/etc/virt-task-exporter.yml --web.listen-address=127.0.0.1:9894",
            "Serve to this machine alone.",
        )],
        "check" => &[(
            "virt-task-exporter check --login --config.file=/etc/virt-task-exporter.yml",
            "Judge the configuration, and try each source.",
        )],
        "once" => &[(
            "virt-task-exporter once --storage.path=/var/lib/virt-task-exporter --output=/var/lib/node_exporter/virt.prom",
            "Write the metrics for the textfile collector of node_exporter, as from cron.",
        )],
        "tasks" => &[
            (
                "virt-task-exporter tasks --status running --status failed",
                "Print what runs and what failed.",
            ),
            (
                "virt-task-exporter tasks --source sfo-vcf01 --format json",
                "Print all tasks of a source for a program.",
            ),
        ],
        "demo" => &[(
            "virt-task-exporter demo",
            "Show simulated systems at http://localhost:9894/.",
        )],
        "simulate" => &[(
            "virt-task-exporter simulate vcenter --listen 127.0.0.1:8443 --tasks 1000 --rate 1",
            "Be a vCenter with a thousand ended tasks and a new one each second, over http.",
        )],
        other => panic!("{other} has no example"),
    }
}

/// All other pages, and where everything is said.
fn see_also(roff: &mut Roff, name: &str) {
    let others = Args::shown();
    let others = others.get_subcommands();
    let others = others.map(|command| format!("{NAME}-{}", command.get_name()));
    let pages = [NAME.to_owned()].into_iter().chain(others);
    let mut line: Vec<Inline> = Vec::new();
    for page in pages.filter(|page| page != name) {
        line.extend([bold(page), roman("(1), ")]);
    }
    line.push(roman(
        "and README.md, with the Debian package in /usr/share/doc/virt-task-exporter.",
    ));
    roff.control("SH", ["SEE ALSO"]);
    roff.text(line);
}

#[test]
fn the_examples_are_right() {
    for command in Args::shown().get_subcommands().map(Command::get_name) {
        for (line, _) in [examples(command), examples(NAME)].concat() {
            Args::read(line.split(' ')).unwrap();
        }
    }
}

/// The name and the text of each page.
fn pages() -> Vec<(String, String)> {
    let command = Args::shown();
    let subcommands = command.get_subcommands().map(|command| {
        let name = format!("{NAME}-{}", command.get_name());
        let text = page(command, &name);
        (format!("{name}.1"), text)
    });
    let mut pages: Vec<_> = subcommands.collect();
    pages.push((format!("{NAME}.1"), page(&command, NAME)));
    pages.sort();
    pages
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man")
}

#[test]
fn the_manual_pages_are_those_of_the_command_line() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    fs::create_dir_all(&fresh).unwrap();
    let mut stale = Vec::new();
    for (file, text) in pages() {
        fs::write(fresh.join(&file), &text).unwrap();
        if fs::read_to_string(folder().join(&file)).ok() != Some(text) {
            stale.push(file);
        }
    }
    assert!(
        stale.is_empty(),
        "{stale:?}: copy them from {}",
        fresh.display()
    );
}

#[test]
fn no_manual_page_is_left_over() {
    let files = fs::read_dir(folder()).unwrap();
    let mut files: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let pages: Vec<_> = pages().into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, pages);
}
