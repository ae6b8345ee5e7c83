use std::io::Read as _;

use flate2::read::GzDecoder;
use jiff::Timestamp;
use tokio::time::{advance, timeout};

use super::*;
use crate::clock::Clock;
use crate::ledger::{KeptLedger, Limits, Now};
use crate::metrics::{SourceFacts, SourceView};
use crate::sources::Health;
use crate::sources::rest::Traffic;
use crate::task::{Call, Listing, Task};

const STALE_AFTER: Duration = Duration::from_secs(300);

fn limits() -> Limits {
    Limits {
        retention: Duration::from_secs(86_400),
        failure_open_for: Duration::from_secs(86_400),
        birth_hold: Duration::ZERO,
        operations: 9,
        subtask_names: 9,
        error_codes: 9,
    }
}

fn running(number: usize) -> Task {
    Task {
        name: "Upgrade".to_owned(),
        word: "running".to_owned(),
        ..Task::running(&format!("t{number}"), "UPGRADE")
    }
}

/// The snapshot of a source with a running task, polled just now.
fn page(name: &str) -> Arc<SourcePage> {
    page_of(name, 1)
}

/// The same with so many tasks.
fn page_of(name: &str, tasks: usize) -> Arc<SourcePage> {
    let mut listing = Listing::new();
    for number in 0..tasks {
        listing.meet("tasks", Call::List, running(number));
    }
    listing.read("tasks", true);
    let mut kept = KeptLedger::in_memory(limits());
    let here: Timestamp = Clock::system().now();
    kept.apply(listing, Now { here, there: here });
    let health = Health {
        up: Some(true),
        last_success_at: Some(Instant::now()),
        ..Health::default()
    };
    Arc::new(SourcePage::new(SourceView {
        facts: &SourceFacts {
            name: name.to_owned(),
            system: "sddc_manager",
            url: "https://a.example".to_owned(),
            stale_after: STALE_AFTER,
            max_open_tasks: tasks,
            max_open_failures: 9,
            retry_call: None,
        },
        kept: &kept,
        health: &health,
        traffic: &Traffic::default(),
        clock_skew: None,
    }))
}

fn pages<const N: usize>(names: [&str; N]) -> Vec<Arc<SourcePage>> {
    names.map(page).to_vec()
}

/// What a scrape of all sources asks for; `shard` tells expositions apart.
fn whole(pages: &[Arc<SourcePage>], shard: u32) -> Exposition {
    let exporter = Exporter {
        shard,
        ..Exporter::alone(Timestamp::UNIX_EPOCH)
    };
    Exposition::new(pages.to_vec(), &exporter, Instant::now())
}

/// What a scrape of these sources alone asks for.
fn only(pages: &[Arc<SourcePage>]) -> Exposition {
    Exposition::of_sources(pages.to_vec(), Instant::now())
}

/// What a client gets as plain text.
fn plain(cache: &Cache, exposition: &Exposition, format: TextFormat, sources: usize) -> String {
    let entry = cache.entry(exposition, format, sources);
    let parts = [entry.text(exposition), entry.rest(exposition).text()];
    String::from_utf8(parts.concat()).unwrap()
}

/// What a client gets compressed.
fn gzip(cache: &Cache, exposition: &Exposition, format: TextFormat, sources: usize) -> String {
    let entry = cache.entry(exposition, format, sources);
    let rest = entry.rest(exposition);
    let bytes = entry.compressed(exposition, &rest).unwrap().concat();
    let mut text = String::new();
    let mut decoder = GzDecoder::new(bytes.as_slice());
    decoder.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn gzip_stays_equal_to_plain_while_a_snapshot_stands() {
    let (cache, pages) = (Cache::default(), pages(["a", "b"]));
    for shard in 0..3 {
        let exposition = whole(&pages, shard);
        for format in TextFormat::ALL {
            let text = exposition.text(format);
            assert_eq!(plain(&cache, &exposition, format, 2), text);
            assert_eq!(gzip(&cache, &exposition, format, 2), text);
        }
        advance(REPEATED).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_exporter_says_of_itself_is_repeated_for_a_moment_alone() {
    let (cache, pages) = (Cache::default(), pages(["a"]));
    let first = whole(&pages, 0);
    let entry = cache.entry(&first, TextFormat::Classic, 1);
    let rest = entry.rest(&first);
    advance(REPEATED.saturating_sub(Duration::from_millis(1))).await;
    assert!(Arc::ptr_eq(&rest, &entry.rest(&whole(&pages, 0))));
    advance(Duration::from_millis(1)).await;
    let next = entry.rest(&whole(&pages, 0));
    assert!(!Arc::ptr_eq(&rest, &next));
    // As of its own moment, not of the first.
    advance(REPEATED / 2).await;
    assert!(Arc::ptr_eq(&next, &entry.rest(&whole(&pages, 0))));
}

#[tokio::test(start_paused = true)]
async fn all_sources_by_their_names_are_without_the_exporter() {
    let (cache, pages) = (Cache::default(), pages(["a", "b"]));
    for _ in 0..2 {
        for exposition in [whole(&pages, 0), only(&pages)] {
            let text = exposition.text(TextFormat::Classic);
            let has = exposition.exporter().is_some();
            assert_eq!(text.contains("virt_exporter_build_info"), has);
            assert_eq!(plain(&cache, &exposition, TextFormat::Classic, 2), text);
            assert_eq!(gzip(&cache, &exposition, TextFormat::Classic, 2), text);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn state_goes_when_it_is_stale_though_no_poll_came() {
    let (cache, pages) = (Cache::default(), pages(["a"]));
    let shows = |what: fn(&Cache, &Exposition, TextFormat, usize) -> String| {
        what(&cache, &whole(&pages, 0), TextFormat::Classic, 1).contains("\nvirt_tasks{")
    };
    assert!(shows(plain) && shows(gzip));
    advance(STALE_AFTER.saturating_sub(Duration::from_millis(1))).await;
    assert!(shows(plain) && shows(gzip));
    advance(Duration::from_millis(1)).await;
    assert!(!shows(plain) && !shows(gzip));
}

#[tokio::test(start_paused = true)]
async fn each_format_has_texts_of_its_own() {
    let (cache, pages) = (Cache::default(), pages(["a"]));
    for _ in 0..2 {
        for format in TextFormat::ALL {
            let exposition = whole(&pages, 0);
            let text = exposition.text(format);
            assert_eq!(plain(&cache, &exposition, format, 1), text);
            assert_eq!(gzip(&cache, &exposition, format, 1), text);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn texts_of_snapshots_that_are_gone_are_forgotten() {
    let (cache, mut pages) = (Cache::default(), pages(["a", "b"]));
    let ask = |pages: &[Arc<SourcePage>]| {
        plain(&cache, &whole(pages, 0), TextFormat::Classic, 2);
        for page in pages {
            let single = only(&[Arc::clone(page)]);
            plain(&cache, &single, TextFormat::Classic, 2);
        }
    };
    ask(&pages);
    assert_eq!(cache.entries().len(), 3);
    let old = Arc::downgrade(&cache.entries()[0]);
    pages[1] = page("b");
    ask(&pages[..1]);
    // That of the one source which was not polled.
    assert_eq!(cache.entries().len(), 1);
    assert!(old.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn sets_of_sources_are_not_kept() {
    let (cache, pages) = (Cache::default(), pages(["a", "b", "c"]));
    plain(&cache, &whole(&pages, 0), TextFormat::Classic, 3);
    for page in &pages {
        plain(&cache, &only(&[Arc::clone(page)]), TextFormat::Classic, 3);
    }
    let kept = |cache: &Cache| cache.entries().iter().map(Arc::as_ptr).collect::<Vec<_>>();
    let before = kept(&cache);
    assert_eq!(before.len(), 4);
    for pair in [&pages[..2], &pages[1..]] {
        let text = only(pair).text(TextFormat::Classic);
        assert_eq!(plain(&cache, &only(pair), TextFormat::Classic, 3), text);
        assert_eq!(gzip(&cache, &only(pair), TextFormat::Classic, 3), text);
    }
    assert_eq!(kept(&cache), before);
}

#[tokio::test(start_paused = true)]
async fn all_kept_texts_together_are_not_larger_than_three_pages() {
    let (cache, names) = (Cache::default(), ["a", "b", "c", "d", "e"]);
    let pages = names.map(|name| page_of(name, 200));
    let everything = || {
        for format in TextFormat::ALL {
            gzip(&cache, &whole(&pages, 0), format, 5);
            for page in &pages {
                gzip(&cache, &only(&[Arc::clone(page)]), format, 5);
            }
        }
    };
    everything();
    // What was written last is counted at the next look.
    let whole = whole(&pages, 0);
    cache.entry(&whole, TextFormat::Classic, 5);
    let most = PAGES * whole.of_the_sources(TextFormat::OpenMetrics).len();
    let sizes: Vec<_> = cache.entries().iter().map(|entry| entry.size()).collect();
    let held: usize = sizes.iter().sum();
    // Together the single ones have some more headers than the whole page.
    assert!(held < most + most / 9, "{held} of {most}");
    assert!(held > most / 2, "{held} of {most}");
    assert!(sizes.len() < 2 * 6);
}

#[tokio::test(start_paused = true)]
async fn single_sources_alone_are_all_kept() {
    let names = ["a", "b", "c", "d", "e"];
    let (cache, pages) = (Cache::default(), pages(names));
    for _ in 0..2 {
        for page in &pages {
            gzip(
                &cache,
                &only(&[Arc::clone(page)]),
                TextFormat::OpenMetrics,
                5,
            );
        }
    }
    assert_eq!(cache.entries().len(), names.len());
}

#[tokio::test(start_paused = true)]
async fn unread_texts_are_bounded_by_bytes_or_by_pages() {
    let (cache, pages) = (Cache::default(), pages(["a"]));
    assert_eq!(cache.unread(), UNREAD);
    let entry = cache.entry(&whole(&pages, 0), TextFormat::Classic, 1);
    entry.text.set(vec![b'x'; UNREAD].into()).unwrap();
    assert_eq!(cache.unread(), UNREAD_PAGES * UNREAD);
}

#[tokio::test(start_paused = true)]
async fn one_writes_an_entry_and_those_of_sets_are_written_by_few() {
    let (cache, pages) = (Cache::default(), pages(["a", "b", "c"]));
    let all = || cache.entry(&whole(&pages, 0), TextFormat::Classic, 3);
    let _writes = all().turn().await;
    assert!(timeout(Duration::from_secs(9), all().turn()).await.is_err());
    // Nobody else waits for that.
    let single = cache.entry(&only(&pages[..1]), TextFormat::Classic, 3);
    drop(single.turn().await);
    let set = |pages| cache.entry(&only(pages), TextFormat::Classic, 3);
    let _sets = [set(&pages[..2]).turn().await, set(&pages[1..]).turn().await];
    let third = set(&pages[..2]);
    assert!(timeout(Duration::from_secs(9), third.turn()).await.is_err());
}
