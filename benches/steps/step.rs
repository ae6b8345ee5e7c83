//! The steps: what a page becomes on its way to a scrape.

use std::any::Any;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use virt_task_exporter::ledger::{KeptLedger, Limits, Now};
use virt_task_exporter::metrics::{Exposition, SourceFacts, SourcePage, SourceView, TextFormat};
use virt_task_exporter::sources::rest::Traffic;
use virt_task_exporter::sources::{Health, sddc_manager};
use virt_task_exporter::task::{Call, Extent, Listing, Skipped};

use super::{Result, bare};

/// Tasks of one page.
const PAGE: usize = 100;

/// New tasks of a steady poll.
const NEW: usize = 10;

const PART: &str = "tasks";

/// Something that is measured; what it returns is let go after that.
pub(super) type Run = Box<dyn FnOnce() -> Result<Box<dyn Any>>>;

/// A step, what it is compared with, and how both are made ready for so many tasks.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) floor: &'static str,
    pub(super) prepare: fn(usize) -> Result<[Run; 2]>,
}

pub(super) const STEPS: [Step; 5] = [
    Step {
        name: "decode",
        floor: "a bare typed parse",
        prepare: decode,
    },
    Step {
        name: "first",
        floor: "a B-tree of the ids",
        prepare: first,
    },
    Step {
        name: "again",
        floor: "a B-tree of the ids",
        prepare: again,
    },
    Step {
        name: "steady",
        floor: "the same with an empty ledger",
        prepare: steady,
    },
    Step {
        name: "render",
        floor: "copying the text",
        prepare: render,
    },
];

/// Text to tasks.
#[expect(clippy::unnecessary_wraps, reason = "as the other steps")]
fn decode(tasks: usize) -> Result<[Run; 2]> {
    // More pages would not fit into memory.
    let pages: Arc<Vec<_>> = Arc::new(pages(tasks).take(1000).collect());
    let rounds = tasks.div_ceil(pages.len() * PAGE);
    let same = Arc::clone(&pages);
    let run = move || {
        for page in pages.iter().cycle().take(rounds * pages.len()) {
            drop(black_box(sddc_manager::decode(page, now().here)?));
        }
        Ok(boxed(()))
    };
    let floor = move || {
        for page in same.iter().cycle().take(rounds * same.len()) {
            drop(black_box(serde_json::from_str::<bare::Page>(page)?));
        }
        Ok(boxed(()))
    };
    Ok([Box::new(run), Box::new(floor)])
}

/// Tasks, all of which are new, to what changed.
fn first(tasks: usize) -> Result<[Run; 2]> {
    let mut kept = KeptLedger::in_memory(limits());
    kept.apply(whole(0)?, now());
    let listing = whole(tasks)?;
    let run = move || {
        let applied = black_box(kept.apply(listing, now()));
        Ok(boxed((kept, applied)))
    };
    Ok([Box::new(run), tree(tasks)])
}

/// Tasks, none of which is new or changed, to that.
fn again(tasks: usize) -> Result<[Run; 2]> {
    let mut kept = KeptLedger::in_memory(limits());
    kept.apply(whole(tasks)?, now());
    let listing = whole(tasks)?;
    let run = move || {
        let applied = black_box(kept.apply(listing, now()));
        Ok(boxed((kept, applied)))
    };
    Ok([Box::new(run), tree(tasks)])
}

/// A few new tasks beside so many that are known.
fn steady(tasks: usize) -> Result<[Run; 2]> {
    let ready = |known: usize| -> Result<Run> {
        let mut kept = KeptLedger::in_memory(limits());
        kept.apply(whole(known)?, now());
        let mut listing = Listing::new();
        meet(&mut listing, &bare::page(known, NEW))?;
        listing.read(PART, Extent::Newest);
        Ok(Box::new(move || {
            let applied = black_box(kept.apply(listing, now()));
            Ok(boxed((kept, applied)))
        }))
    };
    Ok([ready(tasks)?, ready(0)?])
}

/// What is known to the text of a scrape.
fn render(tasks: usize) -> Result<[Run; 2]> {
    let mut kept = KeptLedger::in_memory(limits());
    kept.apply(whole(tasks)?, now());
    let text = text(&kept);
    let run = move || {
        let text = black_box(self::text(&kept));
        Ok(boxed((kept, text)))
    };
    let floor = move || {
        let copy = black_box(text.clone());
        Ok(boxed((text, copy)))
    };
    Ok([Box::new(run), Box::new(floor)])
}

fn text(kept: &KeptLedger) -> String {
    let page = SourcePage::new(SourceView {
        facts: &facts(),
        kept,
        health: &Health::default(),
        traffic: &Traffic::default(),
        clock_skew: None,
    });
    let pages = vec![Arc::new(page)];
    Exposition::of_sources(pages, Instant::now()).text(TextFormat::OpenMetrics)
}

/// The least that keeping tasks by their ids takes.
fn tree(tasks: usize) -> Run {
    let mut random = fastrand::Rng::with_seed(1);
    let ids: Vec<_> = (0..tasks).map(|_| random.u128(..)).collect();
    Box::new(move || {
        let tree: BTreeSet<_> = ids.iter().copied().collect();
        Ok(boxed((ids, black_box(tree))))
    })
}

fn boxed(made: impl Any) -> Box<dyn Any> {
    Box::new(made)
}

fn pages(tasks: usize) -> impl Iterator<Item = String> {
    let firsts = (0..tasks).step_by(PAGE);
    firsts.map(move |first| bare::page(first, PAGE.min(tasks - first)))
}

/// A listing of all tasks.
fn whole(tasks: usize) -> Result<Listing> {
    let mut listing = Listing::new();
    for page in pages(tasks) {
        meet(&mut listing, &page)?;
    }
    listing.read(PART, Extent::Whole);
    Ok(listing)
}

fn meet(listing: &mut Listing, page: &str) -> Result<()> {
    for task in sddc_manager::decode(page, now().here)? {
        let task = task.map_err(Skipped::reason)?;
        listing.meet(PART, Call::List, task);
    }
    Ok(())
}

fn now() -> Now {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap_or(Timestamp::MAX);
    Now {
        there: now,
        here: now,
    }
}

fn limits() -> Limits {
    let month = Duration::from_secs(30 * 86_400);
    Limits {
        retention: month,
        failure_open_for: month,
        birth_hold: Duration::ZERO,
        operations: 200,
        subtask_names: 500,
        error_codes: 100,
    }
}

fn facts() -> SourceFacts {
    SourceFacts {
        name: "a".to_owned(),
        system: "sddc_manager",
        url: "https://a.example".to_owned(),
        stale_after: Duration::from_secs(300),
        max_open_tasks: 100,
        max_open_failures: 50,
        retry_call: None,
    }
}
