//! What people and clients write: configurations and `Accept` headers.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use virt_task_exporter::config::Config;
use virt_task_exporter::web::WebConfig;
use virt_task_exporter::web::accept::negotiate;

/// The secret of the seeds; its plus keeps it from being taken for a key.
const SECRET: &str = "hunter+2";

/// Any text as the configuration.
pub fn configuration(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Config::parse(&text, Path::new("/etc/vte/vte.yml")) {
        Ok(config) => {
            let names: BTreeSet<_> = config.sources.iter().map(|source| &source.name).collect();
            assert_eq!(
                names.len(),
                config.sources.len(),
                "a name stands twice in {text}"
            );
            assert!(!names.is_empty(), "no source in {text}");
            assert!(
                !names.iter().any(|name| name.is_empty()),
                "a source without a name in {text}"
            );
            config.warnings.iter().for_each(|line| one_line(line));
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.starts_with("/etc/vte/vte.yml:"), "{message}");
            one_line(&message);
        }
    }
}

/// Any file as `--web.config.file`.
pub fn web_configuration(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = folder.path().join("web.yml");
    fs::write(&file, bytes).expect("it can be written to");
    if let Err(error) = WebConfig::load(&file) {
        let message = error.to_string();
        assert!(message.starts_with("--web.config.file: "), "{message}");
        // The name of a file is no secret, whatever it is.
        let (told, name) = message
            .split_once(": cannot read ")
            .unwrap_or((&message, ""));
        one_line(told);
        assert!(!name.contains(char::is_control), "{message:?}");
    }
}

/// Any `Accept` header: the answer is one that is served, and asking for it gives it.
pub fn accept(bytes: &[u8]) {
    let header = String::from_utf8_lossy(bytes);
    let choice = negotiate(&header);
    let kind = choice.content_type();
    let known = [
        "text/plain; version=0.0.4; charset=utf-8",
        "application/openmetrics-text; version=0.0.1; charset=utf-8",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    ];
    let rest = known.iter().find_map(|known| kind.strip_prefix(known));
    let escapings = ["", "; escaping=allow-utf-8", "; escaping=underscores"];
    assert!(
        rest.is_some_and(|rest| escapings.contains(&rest)),
        "{header:?} gets {kind}"
    );
    assert_eq!(negotiate(&kind), choice, "{kind}");
}

fn one_line(message: &str) {
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(!message.contains(SECRET), "{message:?}");
}
