mod contests;
mod lookups;
mod panics;
mod reloads;
mod reports;
mod steady;

use std::collections::VecDeque;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::ledger::Limits;
use crate::metrics::{Metric, Value};
use crate::sources::Found;
use crate::sources::rest::Traffic;
use crate::task::{Call, Status, Task};

const INTERVAL: Duration = Duration::from_secs(30);

/// What a scripted source does at one poll.
enum Step {
    Lists(Vec<Task>),
    Fails(SourceError),
    Panics,
    Hangs,
}

/// A source that follows a script, then lists nothing for ever.
#[derive(Default)]
struct Script {
    steps: VecDeque<Step>,
    polls: Arc<Mutex<Vec<Instant>>>,
    /// What reading a task by its id gives.
    by_id: Option<Result<Option<Task>, SourceError>>,
    traffic: Traffic,
    close_panics: bool,
}

impl Source for Script {
    fn keep_settled(&mut self) {}

    async fn read(&mut self) -> Result<Listing, SourceError> {
        self.polls.lock().unwrap().push(Instant::now());
        let mut listing = Listing::new();
        match self.steps.pop_front() {
            Some(Step::Fails(error)) => return Err(error),
            Some(Step::Panics) => panic!("scripted"),
            Some(Step::Hangs) => std::future::pending().await,
            Some(Step::Lists(tasks)) => {
                for task in tasks {
                    listing.meet("tasks", Call::List, task);
                }
            }
            None => {}
        }
        listing.read("tasks", true);
        Ok(listing)
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        self.read().await.map(drop)
    }

    async fn find(&mut self, _part: &str, _id: &str) -> Result<Found, SourceError> {
        self.by_id.clone().unwrap_or(Ok(None)).map(Found::from)
    }

    async fn close(&mut self) {
        assert!(!self.close_panics, "scripted");
    }

    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn has_part(&self, _part: &str) -> bool {
        true
    }

    fn clock_skew(&self) -> Option<SignedDuration> {
        None
    }
}

fn error(reason: Reason) -> SourceError {
    SourceError::new(reason, "/v1/tasks", "scripted")
}

fn running(id: &str) -> Task {
    Task::running(id, "OP")
}

fn poller<S: Source>(source: S) -> (Poller<S>, watch::Receiver<Arc<SourcePage>>) {
    holding(Duration::ZERO, source)
}

/// A poller that holds back what is new.
fn holding<S: Source>(
    birth_hold: Duration,
    source: S,
) -> (Poller<S>, watch::Receiver<Arc<SourcePage>>) {
    let ledger = KeptLedger::in_memory(limits(birth_hold));
    let clock = Clock::new(|| Timestamp::from_second(1_800_000_000).unwrap());
    Poller::new(source, facts(), schedule(), ledger, clock)
}

fn facts() -> SourceFacts {
    SourceFacts {
        name: "a".to_owned(),
        system: "script",
        url: String::new(),
        stale_after: 5 * INTERVAL,
        max_open_tasks: 100,
        max_open_failures: 50,
        retry_call: None,
    }
}

fn schedule() -> Schedule {
    Schedule {
        interval: INTERVAL,
        timeout: Duration::from_secs(20),
        full_interval: 10 * INTERVAL,
        full_timeout: Duration::from_secs(60),
    }
}

fn limits(birth_hold: Duration) -> Limits {
    Limits {
        birth_hold,
        retention: Duration::from_secs(86_400),
        failure_open_for: Duration::from_secs(86_400),
        operations: 10,
        subtask_names: 10,
        error_codes: 10,
    }
}

/// The value of the one sample of `metric` whose labels hold `label`.
fn value(page: &SourcePage, metric: Metric, label: &str) -> Option<Value> {
    let samples = page.samples(metric, Instant::now());
    let found = samples
        .iter()
        .find(|sample| sample.labels.iter().any(|each| each == label))?;
    Some(found.value.clone())
}

/// When a script was polled, in seconds after its first poll, until `seconds` have passed.
async fn times(steps: Vec<Step>, seconds: u64) -> Vec<u64> {
    let script = Script {
        steps: steps.into(),
        ..Script::default()
    };
    let polls = Arc::clone(&script.polls);
    let (poller, _page) = poller(script);
    let stop = CancellationToken::new();
    let run = poller.run(Orders::until(stop.clone()));
    let until = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        stop.cancel();
    };
    tokio::join!(run, until);
    let polls = polls.lock().unwrap();
    let first = polls[0];
    polls.iter().map(|at| (*at - first).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_source_is_polled_at_once_and_then_every_interval() {
    let times = times(vec![], 100).await;
    assert_eq!(times.len(), 4, "{times:?}");
    assert_eq!(times[0], 0);
    assert!((27..=33).contains(&times[1]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn failures_are_polled_again_ever_later() {
    let fails = || Step::Fails(error(Reason::Connect));
    let times = times((0..5).map(|_| fails()).collect(), 500).await;
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (pause, expected) in pauses.iter().zip([30, 60, 120, 240]) {
        assert!(pause.abs_diff(expected) <= expected / 8, "{pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_login_is_not_tried_often() {
    let rejected = || {
        Step::Fails(SourceError {
            login_rejected: true,
            ..error(Reason::Unauthorized)
        })
    };
    let times = times((0..20).map(|_| rejected()).collect(), 3600).await;
    assert!(times.len() <= 7, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_source_ends_neither_the_poller_nor_the_counts() {
    let script = Script {
        steps: [
            Step::Lists(vec![running("t")]),
            Step::Panics,
            Step::Lists(vec![running("t")]),
        ]
        .into(),
        ..Script::default()
    };
    let (mut poller, page) = poller(script);
    poller.poll().await.unwrap();
    assert!(poller.poll().await.is_err());
    let after = Arc::clone(&page.borrow());
    assert_eq!(
        value(&after, Metric::PollerPanics, "a"),
        Some(Value::Whole(1))
    );
    assert_eq!(value(&after, Metric::SourceUp, "a"), Some(Value::Whole(0)));
    assert_eq!(value(&after, Metric::Started, "OP"), Some(Value::Whole(1)));
    poller.poll().await.unwrap();
    let after = Arc::clone(&page.borrow());
    assert_eq!(value(&after, Metric::SourceUp, "a"), Some(Value::Whole(1)));
    assert_eq!(value(&after, Metric::Started, "OP"), Some(Value::Whole(1)));
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_hangs_is_given_up() {
    let script = Script {
        steps: [Step::Hangs].into(),
        ..Script::default()
    };
    let (mut poller, _page) = poller(script);
    assert_eq!(poller.poll().await.unwrap_err().reason, Reason::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_poll_under_way_does_not_hold_up_the_stop() {
    let script = Script {
        steps: [Step::Hangs].into(),
        ..Script::default()
    };
    let (poller, _page) = poller(script);
    let stop = CancellationToken::new();
    stop.cancel();
    poller.run(Orders::until(stop)).await;
}

#[test]
fn a_stop_while_a_held_value_is_committed_waits_for_the_commit() {
    // With one thread for all that blocks, a commit can be kept waiting.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let script = Script {
        steps: [Step::Lists(vec![running("t")])].into(),
        ..Script::default()
    };
    runtime.block_on(async {
        let (poller, mut page) = holding(INTERVAL / 3, script);
        let stop = CancellationToken::new();
        let run = poller.run(Orders::until(stop.clone()));
        let stopped = async {
            page.changed().await.unwrap();
            page.borrow().scraped(Instant::now());
            let (open, gate) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || gate.recv().unwrap());
            tokio::time::advance(INTERVAL / 2).await;
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            stop.cancel();
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            open.send(()).unwrap();
            busy.await.unwrap();
        };
        tokio::join!(run, stopped);
        let started = value(&page.borrow(), Metric::Started, "OP");
        assert_eq!(started, Some(Value::Whole(1)), "it was committed");
    });
}

#[tokio::test(start_paused = true)]
async fn a_missing_task_vanishes_once_its_id_is_not_known_either() {
    let script = Script {
        steps: [
            Step::Lists(vec![running("t")]),
            Step::Lists(vec![]),
            Step::Lists(vec![]),
        ]
        .into(),
        by_id: Some(Err(error(Reason::ServerError))),
        ..Script::default()
    };
    let (mut poller, page) = poller(script);
    poller.poll().await.unwrap();
    poller.poll().await.unwrap();
    let unsure = Arc::clone(&page.borrow());
    assert_eq!(
        value(&unsure, Metric::Vanished, "OP"),
        Some(Value::Whole(0))
    );
    assert_eq!(
        value(&unsure, Metric::Tasks, "running"),
        Some(Value::Whole(1))
    );
    poller.source.by_id = Some(Ok(None));
    poller.poll().await.unwrap();
    let sure = Arc::clone(&page.borrow());
    assert_eq!(value(&sure, Metric::Vanished, "OP"), Some(Value::Whole(1)));
    assert_eq!(
        value(&sure, Metric::Tasks, "running"),
        Some(Value::Whole(0))
    );
}

#[tokio::test(start_paused = true)]
async fn state_goes_when_it_is_stale_and_counts_stay() {
    let (mut poller, page) = poller(Script {
        steps: [Step::Lists(vec![running("t")])].into(),
        ..Script::default()
    });
    poller.poll().await.unwrap();
    let page = Arc::clone(&page.borrow());
    tokio::time::advance(Duration::from_secs(149)).await;
    assert!(value(&page, Metric::Tasks, "running").is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(value(&page, Metric::Tasks, "running"), None);
    assert_eq!(value(&page, Metric::Started, "OP"), Some(Value::Whole(1)));
}
