//! Pages of whatever tasks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use virt_task_exporter::ledger::{KeptLedger, Limits, Now};
use virt_task_exporter::metrics::{
    Exporter, Exposition, SourceFacts, SourcePage, SourceView, TextFormat,
};
use virt_task_exporter::sources::rest::Traffic;
use virt_task_exporter::sources::{Health, sddc_manager, vcenter, virtshell};
use virt_task_exporter::task::{Call, Listing};

use super::super::Page;
use super::bytes::{Bytes, noon};
use super::decoders::Read;

/// The longest label value, in bytes.
const LONGEST: usize = 200;

/// A source lists nothing, and then what the bytes say, of one of the systems: the
/// page can be read in both formats, and they hold the same.
pub fn exposition(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let system = bytes.next();
    let body = String::from_utf8_lossy(bytes.rest());
    let Ok(read) = decode(system, &body) else {
        return;
    };
    let mut kept = KeptLedger::in_memory(limits());
    let mut health = Health::default();
    poll(&mut kept, &mut health, Ok(Vec::new()));
    let [before, _] = texts(&kept, &health);
    poll(&mut kept, &mut health, Ok(read));
    let [classic, open] = texts(&kept, &health);
    let page = Page::read(&classic);
    assert!(page.tasks().len() >= Page::read(&before).tasks().len());
    for sample in page.family("virt_", &[]) {
        let longest = sample.labels.values().map(String::len).max();
        assert!(longest.unwrap_or_default() <= LONGEST, "{sample:?}");
    }
    let samples = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(samples(&classic), samples(&open));
    assert!(open.ends_with("\n# EOF\n"), "{open}");
    families(&classic);
    families(&open);
}

fn decode(system: u8, body: &str) -> Read {
    match system % 4 {
        0 => sddc_manager::decode(body, noon()),
        1 => virtshell::decode(body, noon()),
        dialect => vcenter::decode(body, dialect == 2, noon()),
    }
}

fn limits() -> Limits {
    Limits {
        retention: Duration::from_secs(86_400),
        failure_open_for: Duration::from_secs(30 * 86_400),
        birth_hold: Duration::ZERO,
        operations: 8,
        subtask_names: 8,
        error_codes: 8,
    }
}

/// Takes in one whole listing.
fn poll(kept: &mut KeptLedger, health: &mut Health, read: Read) {
    let mut listing = Listing::new();
    for element in read.expect("it could be read") {
        match element {
            Ok(task) => drop(listing.meet("tasks", Call::List, task)),
            Err(reason) => listing.skip(reason),
        }
    }
    listing.read("tasks", true);
    let now = noon();
    health.read_all(now, true, &listing.unreadable());
    health.succeeded(now);
    let now = Now {
        here: now,
        there: now,
    };
    kept.apply(listing, now);
    kept.commit(Instant::now().into_std(), now.here);
}

/// The page in both formats.
fn texts(kept: &KeptLedger, health: &Health) -> [String; 2] {
    let facts = SourceFacts {
        name: "a".to_owned(),
        system: "sddc_manager",
        url: "https://a.example".to_owned(),
        stale_after: Duration::from_secs(60),
        max_open_tasks: 5,
        max_open_failures: 5,
        retry_call: None,
    };
    let page = Arc::new(SourcePage::new(SourceView {
        facts: &facts,
        kept,
        health,
        traffic: &Traffic::default(),
        clock_skew: None,
    }));
    let exporter = Exporter {
        configured_at: noon(),
        reload_failed: false,
        past_commit_failures: 0,
        shard: 0,
        total_shards: 1,
        process: false,
    };
    let now = Instant::now();
    let exposition = Exposition::new(vec![page], &exporter, now);
    [TextFormat::Classic, TextFormat::OpenMetrics].map(|format| exposition.text(format))
}

/// Each family stands once and whole, under its own header.
fn families(text: &str) {
    let (mut known, mut family) = (BTreeSet::new(), "");
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("# HELP ") {
            family = header.split(' ').next().unwrap_or_default();
            assert!(known.insert(family), "{family} stands twice in\n{text}");
        } else if let Some(header) = line.strip_prefix("# TYPE ") {
            assert!(header.starts_with(family), "{line} under {family}");
        } else if line != "# EOF" {
            assert!(line.starts_with(family), "{line} under {family}");
        }
    }
}
