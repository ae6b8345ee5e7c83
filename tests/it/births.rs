use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use rstest::rstest;
use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, SubTask, TaskError};

use crate::support::{Bench, PATIENCE, Page, Program, Scratch, eventually, get, options, task};

/// What rises by one with each failure: counters, a histogram and its buckets.
const RISING: [&str; 5] = [
    "virt_task_finished_total",
    "virt_task_failures_total",
    "virt_subtask_failures_total",
    "virt_task_duration_seconds_count",
    "virt_task_duration_seconds_bucket",
];

/// The sum of each of [`RISING`] that is on a page.
type Shown = BTreeMap<&'static str, f64>;

fn shown(page: &Page) -> Shown {
    let there = RISING.iter().filter_map(|name| {
        let mut samples = page.family(name, &[]);
        // The smaller buckets are those that a task of this test is too short for, or not.
        samples.retain(|sample| sample.labels.get("le").is_none_or(|le| le == "+Inf"));
        let sum = samples.iter().map(|sample| sample.value).sum();
        (!samples.is_empty()).then_some((*name, sum))
    });
    there.collect()
}

/// Whether each of [`RISING`] stands at `value`.
fn all_are(shown: &Shown, value: f64) -> bool {
    let is = |name| {
        shown
            .get(name)
            .is_some_and(|found: &f64| (found - value).abs() < 0.5)
    };
    RISING.iter().all(is)
}

/// One scrape.
#[derive(Debug, Clone)]
struct Sight {
    asked: Instant,
    answered: Instant,
    shown: Shown,
}

/// Somebody who scrapes every now and then, and remembers all.
#[derive(Debug)]
struct Scraper {
    sights: Arc<Mutex<Vec<Sight>>>,
    stop: CancellationToken,
    scraping: JoinSet<()>,
}

impl Scraper {
    fn every(interval: Duration, program: &Program) -> Self {
        let (sights, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let mut scraping = JoinSet::new();
        let (seen, stopped, address) = (
            Arc::clone(&sights),
            stop.clone(),
            program.address().to_owned(),
        );
        scraping.spawn(async move {
            let mut turns = tokio::time::interval(interval);
            while !stopped.is_cancelled() {
                turns.tick().await;
                let asked = Instant::now();
                let answer = get(&address, Method::GET, "/metrics").await;
                let page = Page::read(&answer.text().await.unwrap());
                seen.lock().unwrap().push(Sight {
                    asked,
                    answered: Instant::now(),
                    shown: shown(&page),
                });
            }
        });
        Self {
            sights,
            stop,
            scraping,
        }
    }

    fn sights(&self) -> Vec<Sight> {
        self.sights.lock().unwrap().clone()
    }

    /// Waits until it sees each of [`RISING`] at `value`, and lets it rest then.
    #[track_caller]
    fn sees(mut self, value: f64) -> impl Future<Output = Vec<Sight>> {
        let place = std::panic::Location::caller();
        async move {
            let value_comes = eventually("the value", || {
                let sights = self.sights();
                all_are(&sights.last()?.shown, value).then_some(())
            });
            let came = tokio::time::timeout(PATIENCE / 2, value_comes).await;
            assert!(came.is_ok(), "{place}: {value} not in {:#?}", self.sights());
            self.stop.cancel();
            while self.scraping.join_next().await.is_some() {}
            self.sights()
        }
    }
}

/// Expects that each of [`RISING`] showed these values and no others, in this order.
#[track_caller]
fn showed(sights: &[Sight], expected: &[f64]) {
    for name in RISING {
        let values = sights.iter().filter_map(|sight| sight.shown.get(name));
        let mut values: Vec<_> = values.copied().collect();
        values.dedup();
        assert_eq!(values, expected, "{name} in {sights:#?}");
    }
}

/// A simulated source, and the folder of its exporter with further lines of configuration.
async fn world(keys: &str) -> (Bench, Scratch) {
    let bench = Bench::real_time(options()).await;
    let scratch = Scratch::source(&bench.url, keys);
    (bench, scratch)
}

/// A task that has failed.
fn fail(bench: &Bench, id: &str) {
    let now = virt_task_exporter::clock::Clock::system().now();
    let failing = task(id).created(now).sub_task(SubTask::new("Step", now));
    bench.sim.add(failing.running());
    bench.sim.fail(id, TaskError::new("CODE", "It failed"));
}

/// Waits until that many whole polls have passed, without a scrape.
async fn polls(bench: &Bench, whole: u64) {
    let before = bench.sim.request_count(Endpoint::List);
    let passed = || bench.sim.request_count(Endpoint::List) > before + whole;
    eventually("the next polls", || passed().then_some(())).await;
}

/// Waits until so many failures were committed, without a scrape.
async fn committed(program: &Program, failures: usize) {
    eventually("the failures in the log", || {
        (program.lines(&["a task failed"]).len() == failures).then_some(())
    })
    .await;
}

async fn stop(program: Program, signal: Signal) {
    program.signal(signal);
    let (status, _) = program.ended().await;
    let clean = signal == Signal::TERM;
    assert_eq!(status.code(), clean.then_some(0), "{status}");
}

fn scraper(program: &Program) -> Scraper {
    Scraper::every(Duration::from_millis(20), program)
}

#[tokio::test]
async fn every_scraper_sees_0_before_the_first_failure() {
    const HOLD: Duration = Duration::from_millis(600);
    let (bench, scratch) = world("counter_birth_hold: 600ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    let intervals = [50, 250].map(Duration::from_millis);
    let scrapers = intervals.map(|interval| Scraper::every(interval, &program));
    fail(&bench, "t");
    let mut sights = Vec::new();
    for scraper in scrapers {
        sights.push(scraper.sees(1.0).await);
    }
    let born = sights
        .iter()
        .flatten()
        .filter(|sight| all_are(&sight.shown, 0.0));
    let born = born.map(|sight| sight.asked).min().unwrap();
    for sights in &sights {
        let late = sights
            .windows(2)
            .any(|pair| pair[1].answered - pair[0].asked >= HOLD);
        // One that a busy machine kept from scraping in time may have missed it.
        if !late {
            showed(sights, &[0.0, 1.0]);
        }
        let early = sights.iter().find(|sight| {
            sight.shown.values().any(|value| *value > 0.5) && sight.answered < born + HOLD
        });
        assert!(early.is_none(), "{early:?} after {born:?} in {sights:#?}");
    }
}

#[tokio::test]
async fn what_nobody_has_scraped_is_held_for_ever() {
    let (bench, scratch) = world("counter_birth_hold: 100ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    fail(&bench, "t");
    committed(&program, 1).await;
    for (method, path) in [
        (Method::HEAD, "/metrics"),
        (Method::POST, "/metrics"),
        (Method::GET, "/"),
        (Method::GET, "/-/ready"),
        (Method::GET, "/-/healthy"),
        (Method::GET, "/metrics/"),
    ] {
        get(program.address(), method, path).await;
        polls(&bench, 3).await;
    }
    let first = shown(&program.scrape().await);
    assert!(all_are(&first, 0.0), "{first:?}");
    showed(&scraper(&program).sees(1.0).await, &[0.0, 1.0]);
}

#[rstest]
#[case::stopped(Signal::TERM)]
#[case::killed(Signal::KILL)]
#[tokio::test]
async fn what_failed_while_it_was_down_is_shown_after_what_was_shown_last(#[case] signal: Signal) {
    let (bench, scratch) = world("counter_birth_hold: 300ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    fail(&bench, "before");
    showed(&scraper(&program).sees(1.0).await, &[0.0, 1.0]);
    stop(program, signal).await;
    fail(&bench, "meanwhile");
    fail(&bench, "meanwhile too");
    let program = scratch.serve(&[]).await;
    showed(&scraper(&program).sees(3.0).await, &[1.0, 3.0]);
}

#[tokio::test]
async fn a_scrape_before_the_first_poll_is_over_is_a_first_one() {
    let (bench, scratch) = world("counter_birth_hold: 300ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    fail(&bench, "before");
    showed(&scraper(&program).sees(1.0).await, &[0.0, 1.0]);
    stop(program, Signal::TERM).await;
    fail(&bench, "meanwhile");
    let slow = FaultKind::SlowHead(Duration::from_secs(2));
    bench.sim.inject(Fault::new(Endpoint::List, slow));
    let program = scratch.serve(&[]).await;
    let first = program.scrape().await;
    first.metric("virt_source_up").is_absent();
    assert!(all_are(&shown(&first), 1.0), "{}", first.text());
    let polled = |page: &Page| page.metric("virt_source_up").sum() > 0.5;
    let page = program.scraped("the first poll", polled).await;
    assert!(all_are(&shown(&page), 2.0), "{}", page.text());
}

#[tokio::test]
async fn a_kill_before_the_first_scrape_loses_neither_the_0_nor_the_failure() {
    let (bench, scratch) = world("counter_birth_hold: 200ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    fail(&bench, "t");
    committed(&program, 1).await;
    stop(program, Signal::KILL).await;
    let program = scratch.serve(&[]).await;
    showed(&scraper(&program).sees(1.0).await, &[0.0, 1.0]);
    polls(&bench, 3).await;
    let last = shown(&program.scrape().await);
    assert!(all_are(&last, 1.0), "{last:?}");
    committed(&program, 0).await;
}

#[tokio::test]
async fn without_a_hold_a_failure_is_shown_at_once() {
    let (bench, scratch) = world("counter_birth_hold: 0s").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    let scraper = scraper(&program);
    fail(&bench, "t");
    showed(&scraper.sees(1.0).await, &[1.0]);
}

/// Somebody who alerts on `increase()` shall not miss the step because of the stop.
#[tokio::test]
async fn a_value_that_a_stop_kept_from_being_scraped_is_taken_back() {
    let (bench, scratch) = world("counter_birth_hold: 200ms").await;
    let program = scratch.serve(&[]).await;
    polls(&bench, 1).await;
    fail(&bench, "seen");
    showed(&scraper(&program).sees(1.0).await, &[0.0, 1.0]);
    fail(&bench, "unseen");
    committed(&program, 2).await;
    stop(program, Signal::TERM).await;
    let program = scratch.serve(&[]).await;
    showed(&scraper(&program).sees(2.0).await, &[1.0, 2.0]);
}
