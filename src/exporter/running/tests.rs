use std::future::pending;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::clock::Clock;
use crate::config::Config;
use crate::exporter::{Nursery, Origin};
use crate::ledger::storage::Folder;
use crate::log;

/// Longer than anything may take; the clock stands still but for waiting.
const EVER: Duration = Duration::from_secs(3600);

/// What is polled, and what ends it.
struct Bench {
    running: Running,
    stop: CancellationToken,
}

fn config(names: &[&str]) -> Config {
    let url = "http://127.0.0.1:1";
    let entry = |name: &&str| format!("- {{name: {name}, system: virtshell, url: '{url}'}}\n");
    let text = names.iter().map(entry).collect::<String>();
    Config::parse(&format!("sources:\n{text}"), &PathBuf::from("a.yml")).unwrap()
}

impl Bench {
    fn new() -> Self {
        Self::with(None, Clock::system())
    }

    fn with(folder: Option<Folder>, clock: Clock) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let drafter = Drafter {
            origin: Origin::File(PathBuf::from("/nowhere/a.yml")),
            exporter: Exporter::alone(clock.now()),
            nursery: Nursery {
                folder: folder.map(Arc::new),
                clock,
            },
        };
        let stop = CancellationToken::new();
        let (running, _lineup) =
            Running::new(drafter, (log::unheard(), Handle::current()), stop.clone());
        Self { running, stop }
    }

    /// A source whose poller ends as it is told to, or never.
    fn polls(&mut self, name: &str, hangs: bool) -> Page {
        let added = self.draft(name).added.remove(0);
        let stop = self.stop.child_token();
        let (beat, pulse) = watch::channel(Instant::now());
        let orders = Orders {
            stop: stop.clone(),
            reloads: self.running.reloads.subscribe(),
            pulse: beat,
        };
        let poller = if hangs {
            self.running.tasks.spawn(pending())
        } else {
            // It is never polled, as nothing is to be sent.
            stop.cancel();
            self.running.tasks.spawn(added.poller.run(orders))
        };
        let wanted = added.wanted;
        self.running
            .pages
            .insert(name.to_owned(), added.page.clone());
        let source = Polled {
            wanted,
            stop,
            poller,
            pulse,
        };
        self.running.polled.insert(name.to_owned(), source);
        added.page
    }

    /// A draft with one new source.
    fn draft(&self, name: &str) -> Draft {
        let drafter = &self.running.drafter;
        drafter.draft(config(&[name]), &BTreeMap::new()).unwrap()
    }

    /// A draft that changes sources.
    fn changing(&self, names: &[&str]) -> Draft {
        let drafter = &self.running.drafter;
        let mut draft = drafter.draft(config(names), &BTreeMap::new()).unwrap();
        for added in std::mem::take(&mut draft.added) {
            let config = &added.wanted.config;
            let system = drafter.nursery.system(config).unwrap();
            let name = config.name.clone();
            draft.changed.insert(name, (added.wanted, system));
        }
        draft
    }
}

/// Whether nobody is left who could change the page.
fn is_closed(page: &Page) -> bool {
    page.has_changed().is_err()
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_keeps_no_other_from_its_new_configuration() {
    let mut bench = Bench::new();
    bench.polls("a-hangs", true);
    bench.polls("b", false);
    bench.polls("c-goes", false);
    let draft = bench.changing(&["a-hangs", "b"]);
    let applied = tokio::time::timeout(EVER, bench.running.apply(draft)).await;
    applied.unwrap_err();
    let polled: Vec<_> = bench.running.polled.keys().collect();
    assert_eq!(polled, ["b"]);
    let pages: Vec<_> = bench.running.pages.keys().collect();
    assert_eq!(pages, ["a-hangs", "b"], "one that is awaited is shown on");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_reload_that_waits_for_a_source_that_hangs() {
    let mut bench = Bench::new();
    bench.polls("a-hangs", true);
    let page = bench.polls("b", false);
    let draft = bench.changing(&["a-hangs"]);
    let (stop, began) = (bench.stop.clone(), Instant::now());
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let (applied, ()) = tokio::join!(bench.running.apply(draft), later);
    assert!(matches!(applied, Err(ReloadError::Stopping)));
    assert_eq!(began.elapsed().as_secs(), 1);
    assert!(is_closed(&page), "b was removed meanwhile");
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_over_in_time_and_closes_the_ledgers_of_those_who_do_not_hang() {
    let mut bench = Bench::new();
    bench.polls("a-hangs", true);
    let page = bench.polls("b", false);
    let (began, longest) = (Instant::now(), Duration::from_secs(10));
    assert!(!is_closed(&page));
    bench.running.end(began + longest).await;
    assert_eq!(began.elapsed().as_secs(), longest.as_secs());
    assert!(is_closed(&page));
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_the_ledger_of_a_source_that_was_to_be_handed_over() {
    let mut bench = Bench::new();
    let page = bench.polls("b", false);
    let draft = bench.changing(&["b"]);
    bench.stop.cancel();
    bench.running.apply(draft).await.unwrap_err();
    assert!(!is_closed(&page), "it may be scraped yet");
    let began = Instant::now();
    bench.running.end(began + EVER).await;
    assert!(is_closed(&page));
    assert!(began.elapsed() < EVER);
}

#[tokio::test(start_paused = true)]
async fn pollers_that_ended_by_the_stop_are_not_taken_for_broken_down_by_a_reload() {
    let mut bench = Bench::new();
    bench.polls("b", false);
    bench.stop.cancel();
    let reloaded = bench.running.reload().await;
    assert!(
        matches!(reloaded, Err(ReloadError::Stopping)),
        "{reloaded:?}"
    );
    assert!(!bench.running.exporter.reload_failed, "no file was read");
}

/// Waits until a source was polled, and says how often it broke down before.
async fn polled(page: &mut Page) -> u64 {
    let polled = page.wait_for(|page| page.overview().health.full_polls > 0);
    let page = tokio::time::timeout(EVER, polled).await;
    page.unwrap().unwrap().overview().health.panics
}

/// The page of a source that nobody polls yet, as its poller broke down.
fn is_down(page: &Page, panics: u64) {
    let page = Arc::clone(&page.borrow());
    let health = &page.overview().health;
    assert_eq!((health.up, health.panics), (Some(false), panics));
    assert!(page.is_tried());
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_poller_cannot_be_made_at_the_start_is_polled_later() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = Folder::lock(scratch.path()).unwrap();
    let panics = Arc::new(AtomicU64::new(0));
    let left = Arc::clone(&panics);
    let clock = Clock::new(move || {
        let one_less = |left: u64| left.checked_sub(1);
        let fault = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        assert!(fault.is_err(), "scripted");
        Timestamp::UNIX_EPOCH
    });
    let mut bench = Bench::with(Some(folder), clock);
    // One as its ledger is opened.
    panics.store(1, Ordering::SeqCst);
    let drafter = &bench.running.drafter;
    let draft = drafter.draft(config(&["a", "b"]), &BTreeMap::new());
    bench.running.apply(draft.unwrap()).await.unwrap();
    let mut pages = bench.running.pages.clone();
    is_down(&pages["a"], 1);
    assert_eq!(polled(pages.get_mut("b").unwrap()).await, 0);
    assert_eq!(polled(pages.get_mut("a").unwrap()).await, 1);
    bench.running.end(Instant::now() + EVER).await;
    assert!(is_closed(&pages["a"]) && is_closed(&pages["b"]));
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_new_client_cannot_be_made_at_a_reload_is_polled_later() {
    let mut bench = Bench::new();
    let mut page = bench.polls("a", false);
    let other = bench.polls("b", false);
    let mut draft = bench.changing(&["a", "b"]);
    draft.changed.get_mut("a").unwrap().1 = Err("scripted".to_owned());
    bench.running.apply(draft).await.unwrap();
    is_down(&page, 1);
    assert_eq!(polled(&mut page).await, 1, "on the same page");
    assert_eq!(polled(&mut other.clone()).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_poller_broke_down_for_good_is_polled_anew_by_a_reload() {
    let mut bench = Bench::new();
    bench.polls("a", false);
    let broken = bench.running.tasks.spawn(async { panic!("scripted") });
    bench.running.polled.get_mut("a").unwrap().poller = broken;
    let draft = bench.changing(&["a"]);
    bench.running.apply(draft).await.unwrap();
    let mut page = bench.running.pages["a"].clone();
    is_down(&page, 1);
    assert_eq!(polled(&mut page).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_source_whose_poller_cannot_be_made() {
    let mut bench = Bench::new();
    let page = bench.polls("a", false);
    let mut draft = bench.changing(&["a"]);
    draft.changed.get_mut("a").unwrap().1 = Err("scripted".to_owned());
    bench.running.apply(draft).await.unwrap();
    let began = Instant::now();
    bench.running.end(began + EVER).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(is_closed(&page), "its ledger was closed");
}
