use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use virt_task_exporter::build_info::VERSION;
use virt_task_exporter::cli::Args;

const NAME: &str = "virt-task-exporter";

/// The page of `command`, whose name is `name` there.
fn page(command: &Command, name: &str) -> String {
    let command = command
        .clone()
        .version(VERSION)
        .display_name(name.to_owned());
    let mut bytes = Vec::new();
    Man::new(command)
        .title(name)
        .source(format!("{NAME} {VERSION}"))
        .manual("User Commands")
        .render(&mut bytes)
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The name and the text of each page.
fn pages() -> Vec<(String, String)> {
    let mut command = Args::command();
    command.build();
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
