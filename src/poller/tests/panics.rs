//! A panic anywhere costs a poll, and neither the poller nor a count.

use crate::ledger::Faults;
use crate::ledger::storage::{Folder, Identity};

use super::*;

/// Where a ledger is kept.
#[derive(Debug, Clone, Copy)]
enum Kept {
    InMemory,
    InFile,
}

const BOTH: [Kept; 2] = [Kept::InMemory, Kept::InFile];

/// A poller of a script, whose ledger has faults.
struct Bench {
    poller: Poller<Script>,
    page: watch::Receiver<Arc<SourcePage>>,
    faults: Faults,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(kept: Kept, script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::new(|| Timestamp::from_second(1_800_000_000).unwrap());
        let limits = limits(Duration::ZERO);
        let ledger = match kept {
            Kept::InMemory => KeptLedger::in_memory(limits),
            Kept::InFile => {
                let folder = Folder::lock(folder.path()).unwrap();
                KeptLedger::open(&folder, identity(), limits, clock.now()).unwrap()
            }
        };
        let faults = ledger.faults.clone();
        let (poller, page) = Poller::new(script, facts(), schedule(), ledger, clock);
        Self {
            poller,
            page,
            faults,
            _folder: folder,
        }
    }
}

fn identity() -> Identity {
    Identity {
        source: "a".to_owned(),
        system: "script".to_owned(),
        url: String::new(),
    }
}

fn failed(id: &str) -> Task {
    Task {
        status: Status::Failed,
        word: "failed".to_owned(),
        ..running(id)
    }
}

/// A task that runs, and then fails and stays so.
fn story() -> Script {
    let lists = |task: Task| Step::Lists(vec![task]);
    Script {
        steps: std::iter::once(lists(running("t")))
            .chain((0..9).map(|_| lists(failed("t"))))
            .collect(),
        ..Script::default()
    }
}

/// The whole number of a source, or of an operation.
fn count(page: &SourcePage, metric: Metric, label: &str) -> Option<u64> {
    match value(page, metric, label)? {
        Value::Whole(count) => Some(count),
        other => panic!("{other:?}"),
    }
}

/// Waits for a page.
async fn until(
    page: &mut watch::Receiver<Arc<SourcePage>>,
    is: impl Fn(&SourcePage) -> bool,
) -> Arc<SourcePage> {
    let wait = async {
        page.wait_for(|page| is(page))
            .await
            .map(|page| Arc::clone(&page))
    };
    let found = timeout(20 * INTERVAL, wait).await;
    found.expect("it comes").unwrap()
}

fn is_up(page: &SourcePage) -> Option<u64> {
    count(page, Metric::SourceUp, "a")
}

/// Lets the poll that sees the failure panic at these places.
async fn panics_at(places: &[&'static str], panics: u64) {
    for kept in BOTH {
        panics_at_with(kept, places, panics).await;
    }
}

async fn panics_at_with(kept: Kept, places: &[&'static str], panics: u64) {
    let mut bench = Bench::new(kept, story());
    let stop = CancellationToken::new();
    let run = bench.poller.run(Orders::until(stop.clone()));
    let faults = bench.faults.clone();
    let seen = async {
        until(&mut bench.page, |page| is_up(page) == Some(1)).await;
        faults.at(places);
        let down = until(&mut bench.page, |page| is_up(page) == Some(0)).await;
        assert_eq!(count(&down, Metric::Started, "OP"), Some(1), "{places:?}");
        assert!(count(&down, Metric::Failures, "OP") <= Some(1));
        let again = until(&mut bench.page, |page| is_up(page) == Some(1)).await;
        assert!(faults.are_over(), "{places:?}");
        assert_eq!(
            count(&again, Metric::PollerPanics, "a"),
            Some(panics),
            "{places:?}"
        );
        assert_eq!(count(&again, Metric::Failures, "OP"), Some(1), "{places:?}");
        assert_eq!(count(&again, Metric::Started, "OP"), Some(1), "{places:?}");
        let reads = again.overview().health.full_polls;
        let later = until(&mut bench.page, |page| {
            page.overview().health.full_polls > reads
        });
        let later = later.await;
        assert_eq!(count(&later, Metric::Failures, "OP"), Some(1), "{places:?}");
        stop.cancel();
    };
    tokio::join!(run, seen);
}

#[tokio::test(start_paused = true)]
async fn while_a_listing_is_applied() {
    panics_at(&["apply"], 1).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_ledger_is_committed() {
    panics_at(&["commit"], 1).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_ledger_is_rolled_back() {
    panics_at(&["apply", "roll back"], 2).await;
    panics_at(&["apply", "roll back", "roll back"], 3).await;
    panics_at(&["commit", "roll back"], 2).await;
}

#[tokio::test(start_paused = true)]
async fn while_a_page_is_made() {
    panics_at(&["page"], 1).await;
    panics_at(&["page", "page", "page"], 3).await;
}

#[tokio::test(start_paused = true)]
async fn while_a_page_is_published() {
    panics_at(&["published"], 1).await;
}

#[tokio::test(start_paused = true)]
async fn between_one_poll_and_the_next() {
    panics_at(&["log"], 1).await;
}

#[tokio::test(start_paused = true)]
async fn while_the_source_is_read() {
    let script = Script {
        steps: [
            Step::Lists(vec![running("t")]),
            Step::Panics,
            Step::Lists(vec![failed("t")]),
        ]
        .into(),
        ..Script::default()
    };
    let mut bench = Bench::new(Kept::InFile, script);
    let stop = CancellationToken::new();
    let run = bench.poller.run(Orders::until(stop.clone()));
    let seen = async {
        until(&mut bench.page, |page| is_up(page) == Some(1)).await;
        until(&mut bench.page, |page| is_up(page) == Some(0)).await;
        let again = until(&mut bench.page, |page| is_up(page) == Some(1)).await;
        assert_eq!(count(&again, Metric::PollerPanics, "a"), Some(1));
        assert_eq!(count(&again, Metric::Failures, "OP"), Some(1));
        stop.cancel();
    };
    tokio::join!(run, seen);
}

#[tokio::test(start_paused = true)]
async fn while_the_source_is_left_so_that_its_ledger_is_closed_all_the_same() {
    let script = Script {
        close_panics: true,
        ..story()
    };
    let mut bench = Bench::new(Kept::InFile, script);
    bench.poller.poll().await.unwrap();
    let clock = bench.poller.clock.clone();
    let stop = CancellationToken::new();
    stop.cancel();
    let estate = bench.poller.run(Orders::until(stop)).await;
    assert_eq!(estate.health.panics, 1);
    estate.close(&clock).await;
    assert!(
        bench.page.has_changed().is_err(),
        "nobody publishes any more"
    );
}

#[tokio::test(start_paused = true)]
async fn while_a_ledger_is_closed() {
    let bench = Bench::new(Kept::InFile, story());
    let clock = bench.poller.clock.clone();
    let stop = CancellationToken::new();
    stop.cancel();
    let estate = bench.poller.run(Orders::until(stop)).await;
    bench.faults.at(&["close"]);
    estate.close(&clock).await;
    assert!(bench.faults.are_over());
}

#[tokio::test(start_paused = true)]
async fn while_a_ledger_is_handed_over() {
    for kept in BOTH {
        let mut bench = Bench::new(kept, story());
        bench.poller.poll().await.unwrap();
        bench.poller.poll().await.unwrap();
        let clock = bench.poller.clock.clone();
        let stop = CancellationToken::new();
        stop.cancel();
        let estate = bench.poller.run(Orders::until(stop)).await;
        let terms = Terms {
            facts: facts(),
            schedule: schedule(),
            limits: limits(Duration::ZERO),
            identity: identity(),
        };
        bench.faults.at(&["hand over", "hand over"]);
        let script = Script {
            steps: [Step::Lists(vec![failed("t")])].into(),
            ..Script::default()
        };
        let heir = Poller::succeed(script, terms, estate, clock);
        let down = Arc::clone(&bench.page.borrow());
        assert_eq!(is_up(&down), Some(0));
        assert_eq!(count(&down, Metric::Failures, "OP"), Some(1));
        let stop = CancellationToken::new();
        let run = heir.run(Orders::until(stop.clone()));
        let seen = async {
            let again = until(&mut bench.page, |page| is_up(page) == Some(1)).await;
            assert!(bench.faults.are_over());
            assert_eq!(count(&again, Metric::PollerPanics, "a"), Some(2));
            assert_eq!(count(&again, Metric::Failures, "OP"), Some(1), "{kept:?}");
            stop.cancel();
        };
        tokio::join!(run, seen);
    }
}

#[tokio::test(start_paused = true)]
async fn again_and_again_is_tried_ever_later() {
    let bench = Bench::new(Kept::InMemory, Script::default());
    let polls = Arc::clone(&bench.poller.source.polls);
    bench.faults.at(&["polled"; 100]);
    let stop = CancellationToken::new();
    let run = bench.poller.run(Orders::until(stop.clone()));
    let later = async {
        tokio::time::sleep(Duration::from_secs(500)).await;
        stop.cancel();
    };
    tokio::join!(run, later);
    let polls = polls.lock().unwrap().clone();
    let pauses: Vec<_> = polls
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs())
        .collect();
    for (pause, expected) in pauses.iter().zip([30, 60, 120, 240]) {
        assert!(pause.abs_diff(expected) <= expected / 8, "{pauses:?}");
    }
    assert!(pauses.len() >= 4, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn while_a_ledger_is_handed_over_to_another_url_shows_nothing_of_the_one_before() {
    let mut bench = Bench::new(Kept::InMemory, story());
    bench.poller.poll().await.unwrap();
    let clock = bench.poller.clock.clone();
    let stop = CancellationToken::new();
    stop.cancel();
    let estate = bench.poller.run(Orders::until(stop)).await;
    let terms = Terms {
        facts: SourceFacts {
            url: "elsewhere".to_owned(),
            ..facts()
        },
        schedule: schedule(),
        limits: limits(Duration::ZERO),
        identity: identity(),
    };
    bench.faults.at(&["hand over"]);
    drop(Poller::succeed(Script::default(), terms, estate, clock));
    let page = Arc::clone(&bench.page.borrow());
    assert_eq!(is_up(&page), Some(0));
    assert_eq!(value(&page, Metric::Tasks, "running"), None);
    assert_eq!(value(&page, Metric::SourceLastSuccess, "a"), None);
    assert_eq!(count(&page, Metric::Started, "OP"), Some(1));
}
