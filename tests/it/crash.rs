mod work;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use virt_task_exporter::simulator::{TaskStatus, Totals};

use crate::support::{Bench, Page, Program, Scratch, options};
use work::Work;

/// How many lives of each kind there are at least.
const LIVES: usize = 13;

/// Further lives at most, until what is rare has happened.
const MORE_LIVES: usize = 60;

/// How one life of the exporter ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// Killed so long after the start, mostly before it listens.
    Starting,
    /// Killed so soon after it listens, mostly during the first poll.
    Listening,
    /// Killed after a while of polls and scrapes.
    Running,
    /// Killed while it writes the ledger.
    Committing,
    /// Stopped after a while of polls and scrapes.
    Stopped,
}

/// What shows each value that is never to fall.
const COUNTERS: [&str; 6] = [
    "virt_task_started_total",
    "virt_task_finished_total",
    "virt_task_failures_total",
    "virt_subtask_failures_total",
    "virt_task_vanished_total",
    "virt_task_duration_seconds",
];

type Values = BTreeMap<String, f64>;

fn counters(page: &Page) -> Values {
    let samples = COUNTERS.iter().flat_map(|name| page.family(name, &[]));
    samples
        .map(|sample| (format!("{} {:?}", sample.name, sample.labels), sample.value))
        .collect()
}

/// One exporter of many lives.
struct Crashing {
    rng: fastrand::Rng,
    scratch: Scratch,
    work: Arc<Mutex<Work>>,
    /// What was scraped last.
    last: Values,
    /// How many lives ended so.
    ends: BTreeMap<End, usize>,
    /// How many were over before they listened.
    deaf: usize,
}

impl Crashing {
    fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.u64(range))
    }

    /// Up to so many microseconds, and mostly far fewer.
    fn micros(&mut self, most: u64) -> Duration {
        let within = self.rng.u64(..most);
        Duration::from_micros(self.rng.u64(..=within))
    }

    /// Lets the exporter live once.
    async fn life(&mut self, end: End) {
        let mut program = self.scratch.launch(&[]);
        self.work.lock().unwrap().up = true;
        match end {
            End::Starting => sleep(self.micros(20_000)).await,
            End::Listening => {
                program.listens().await;
                sleep(self.millis(0..60)).await;
            }
            End::Running | End::Stopped => {
                program.listens().await;
                // On a busy machine it would end before anything was shown.
                let polled = |page: &Page| page.metric("virt_source_polls_total").sum() > 0.5;
                program.scraped("a poll", polled).await;
                let span = self.millis(100..600);
                // A scrape under way is cut off too.
                drop(timeout(span, self.scrapes(&program)).await);
            }
            End::Committing => {
                program.listens().await;
                self.commit_begins().await;
                sleep(self.micros(8_000)).await;
            }
        }
        *self.ends.entry(end).or_default() += 1;
        self.finish(program, end).await;
        let pause = self.millis(0..120);
        sleep(pause).await;
    }

    async fn finish(&mut self, program: Program, end: End) {
        let stops = end == End::Stopped;
        program.signal(if stops { Signal::TERM } else { Signal::KILL });
        let (status, lines) = program.over().await;
        self.work.lock().unwrap().up = false;
        assert_eq!(status.code(), stops.then_some(0), "{lines:#?}");
        let listened = lines.iter().any(|line| line.contains("listening"));
        self.deaf += usize::from(!listened);
        let bad = |line: &&String| line.contains("level=error") || line.contains("panicked");
        let bad: Vec<_> = lines.iter().filter(bad).collect();
        assert!(bad.is_empty(), "{end:?}: {bad:#?}");
    }

    /// Scrapes for ever.
    async fn scrapes(&mut self, program: &Program) {
        loop {
            let page = program.scrape().await;
            self.saw(&page);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Takes in a page, on which nothing may have fallen or gone.
    fn saw(&mut self, page: &Page) {
        let now = counters(page);
        for (name, before) in &self.last {
            let value = now.get(name).copied();
            let fell = value.is_none_or(|value| value < *before - 1e-9);
            assert!(
                !fell,
                "{name} was {before} and is {value:?}\n{}",
                page.text()
            );
        }
        self.last = now;
        self.work.lock().unwrap().saw(page);
    }

    /// Waits until the file of the ledger is written to.
    async fn commit_begins(&self) {
        let path = self.scratch.path("data/a.redb");
        let written = || fs::metadata(&path).and_then(|about| about.modified()).ok();
        let before = written();
        let deadline = Instant::now() + Duration::from_secs(2);
        while written() == before && Instant::now() < deadline {
            sleep(Duration::from_micros(200)).await;
        }
    }

    /// The page of an exporter that polled twice since the work rests.
    async fn rests(&mut self) -> Page {
        let program = self.scratch.serve(&[]).await;
        let polled = |page: &Page| page.metric("virt_source_polls_total").sum() > 1.5;
        let page = program.scraped("two whole polls", polled).await;
        page.metric("virt_source_up").is(1);
        page.metric("virt_source_listing_complete").is(1);
        self.saw(&page);
        page
    }
}

/// The counts that the exporter must come to, by metric and labels.
fn expected(totals: &Totals) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut add = |key: String, count: &u64| *counts.entry(key).or_default() += count;
    for (operation, count) in &totals.births {
        add(format!("started {operation}"), count);
    }
    for ((operation, status), count) in &totals.outcomes {
        let status = match status {
            TaskStatus::Successful => "succeeded",
            TaskStatus::CompletedWithWarning => "warning",
            TaskStatus::Failed => "failed",
            TaskStatus::Cancelled => "cancelled",
            TaskStatus::Skipped => "skipped",
            other => panic!("{other:?} is no outcome of this work"),
        };
        add(format!("finished {operation} {status}"), count);
        add(format!("durations {operation} {status}"), count);
    }
    for (failure, count) in &totals.failures {
        let operation = &failure.operation;
        add(
            format!("failures {operation} {}", failure.error_code),
            count,
        );
        add(format!("places {operation} {}", failure.sub_task), count);
    }
    counts
}

/// The counts that a page shows, without those that are 0.
fn found(page: &Page) -> BTreeMap<String, u64> {
    let metrics = [
        ("started", "virt_task_started_total", ""),
        ("finished", "virt_task_finished_total", "status"),
        ("durations", "virt_task_duration_seconds_count", "status"),
        ("failures", "virt_task_failures_total", "error_code"),
        ("places", "virt_subtask_failures_total", "subtask"),
    ];
    let mut counts = BTreeMap::new();
    for (word, name, label) in metrics {
        for sample in page.family(name, &[]) {
            let operation = &sample.labels["operation"];
            let last = sample.labels.get(label).map(|value| format!(" {value}"));
            let key = format!("{word} {operation}{}", last.unwrap_or_default());
            if sample.value > 0.5 {
                counts.insert(key, format!("{:.0}", sample.value).parse().unwrap());
            }
        }
    }
    counts
}

/// The counts that differ, in both of them.
fn differences(
    found: &BTreeMap<String, u64>,
    expected: &BTreeMap<String, u64>,
) -> BTreeMap<String, [Option<u64>; 2]> {
    let keys = found.keys().chain(expected.keys());
    let both = keys.map(|key| {
        (
            key.clone(),
            [found, expected].map(|map| map.get(key).copied()),
        )
    });
    both.filter(|(_, [found, expected])| found != expected)
        .collect()
}

/// The lives to come, in any order.
fn lives(rng: &mut fastrand::Rng) -> Vec<End> {
    let kinds = [End::Starting, End::Listening, End::Running, End::Committing];
    let mut lives: Vec<_> = std::iter::repeat_n(kinds, LIVES).flatten().collect();
    // Only what lives long sees failures, which are then retried.
    lives.extend([End::Running; 12]);
    lives.extend([End::Stopped; 8]);
    rng.shuffle(&mut lives);
    lives
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_it_counts_each_outcome_once() {
    let seed = fastrand::u64(..);
    said(&format!("seed {seed}"));
    let mut rng = fastrand::Rng::with_seed(seed);
    let bench = Bench::real_time(options()).await;
    bench.sim.history(150);
    let keys = "max_open_tasks: 100000\nmax_open_failures: 100000";
    let mut crashing = Crashing {
        scratch: Scratch::source(&bench.url, keys),
        work: Arc::new(Mutex::new(Work::new(bench.sim.clone(), rng.u64(..)))),
        last: Values::new(),
        ends: BTreeMap::new(),
        deaf: 0,
        rng: rng.fork(),
    };
    // History alone, until it is known to be history.
    for end in [End::Starting, End::Listening, End::Committing] {
        crashing.life(end).await;
    }
    crashing.rests().await;
    let mut working = JoinSet::new();
    let work = Arc::clone(&crashing.work);
    working.spawn(async move {
        loop {
            work.lock().unwrap().act();
            sleep(Duration::from_millis(8)).await;
        }
    });
    for end in lives(&mut rng) {
        crashing.life(end).await;
    }
    for _ in 0..MORE_LIVES {
        if crashing.work.lock().unwrap().rarest().0 > 5 {
            break;
        }
        crashing.life(End::Running).await;
    }
    working.shutdown().await;
    let page = crashing.rests().await;
    let (totals, (count, what)) = {
        let work = crashing.work.lock().unwrap();
        (work.totals(), work.rarest())
    };
    let wrong = differences(&found(&page), &expected(&totals));
    assert!(
        wrong.is_empty(),
        "counted, and happened: {wrong:#?}; seed {seed}"
    );
    assert!(crashing.deaf > 0, "each life listened; seed {seed}");
    let kills = crashing
        .ends
        .iter()
        .filter(|(end, _)| **end != End::Stopped);
    assert!(kills.map(|(_, count)| count).sum::<usize>() >= 50);
    assert!(count > 5, "only {count} tasks {what}; seed {seed}");
}

#[expect(clippy::print_stderr, reason = "with it a failure can be repeated")]
fn said(text: &str) {
    eprintln!("{text}");
}
