//! The rules of the configuration, each by its message.

mod damage;
mod files;
mod http;
mod resolved;
mod rules;
mod same;
mod sddc_manager;
mod typing;
mod vcenter;
mod virtshell;

use std::path::Path;

use super::{Config, SddcManagerConfig, SourceConfig, SystemConfig};

/// Judges `text` as the content of `/etc/vte/vte.yml`.
fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/vte/vte.yml")).map_err(|error| error.to_string())
}

/// Expects `text` to be refused with exactly this message, after the file's name.
#[track_caller]
fn refused(text: &str, message: &str) {
    match parse(text) {
        Ok(config) => panic!("accepted:\n{text}\nas {config:?}"),
        Err(error) => {
            let error = error.strip_prefix("/etc/vte/vte.yml:").unwrap();
            assert_eq!(error, message, "for:\n{text}");
        }
    }
}

/// A source that is right, with `keys` added, one line each.
fn with(keys: &str) -> String {
    let keys = keys.replace('\n', "\n  ");
    format!(
        "sources:\n- name: a\n  system: sddc_manager\n  url: https://a.example\n  token_file: t\n  {keys}\n"
    )
}

/// The only source of `text`.
#[track_caller]
fn source(text: &str) -> SourceConfig {
    let mut config = parse(text).unwrap();
    assert_eq!(config.sources.len(), 1);
    config.sources.remove(0)
}

#[track_caller]
fn sddc_manager(text: &str) -> SddcManagerConfig {
    match source(text).system {
        SystemConfig::SddcManager(config) => config,
        other => panic!("{other:?}"),
    }
}

/// Expects the text that `text` makes of each first to be refused with each second.
#[track_caller]
fn table(text: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    for (keys, message) in cases {
        refused(&text(keys), message);
    }
}
