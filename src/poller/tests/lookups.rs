//! What steady polls read by id, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::sources::Newest;
use crate::task::{Extent, Memory};

/// What reading one id does.
#[derive(Clone)]
pub(super) enum ById {
    Hangs,
    Fails(SourceError),
    /// Is answered with that there is no such task.
    IsUnknown,
    /// Tells the task otherwise than the list does.
    Tells(Task),
}

/// A source in order: the newest tasks are in `newest`, all others deeper.
#[derive(Default)]
pub(super) struct Ordered {
    pub(super) newest: Vec<Task>,
    /// Whether full polls give way once.
    pub(super) gives_way: bool,
    /// How long each stretch of a full poll takes.
    pub(super) page_takes: Duration,
    begun: bool,
    /// How many full polls came to their end.
    pub(super) fulls: Arc<Mutex<u32>>,
    pub(super) full_fails: Option<SourceError>,
    /// Whether lists are cut.
    pub(super) incomplete: bool,
    pub(super) deep: Vec<Task>,
    pub(super) by_id: BTreeMap<String, ById>,
    pub(super) looked_up: Arc<Mutex<Vec<(Instant, String)>>>,
    traffic: Traffic,
}

impl Source for Ordered {
    fn keep_settled(&mut self) {}

    async fn read(&mut self) -> Result<Listing, SourceError> {
        let mut listing = Listing::new();
        self.read_on(&mut listing, None).await?;
        Ok(listing)
    }

    async fn read_on(
        &mut self,
        listing: &mut Listing,
        until: Option<Instant>,
    ) -> Result<bool, SourceError> {
        if let Some(error) = self.full_fails.clone() {
            return Err(error);
        }
        tokio::time::sleep(self.page_takes).await;
        let due = until.is_some_and(|until| Instant::now() >= until);
        self.begun = self.gives_way && !self.begun && due;
        if self.begun {
            return Ok(false);
        }
        *self.fulls.lock().unwrap() += 1;
        for task in self.newest.iter().chain(&self.deep) {
            listing.meet("tasks", Call::List, task.clone());
        }
        listing.read("tasks", !self.incomplete);
        Ok(true)
    }

    fn keeps_order(&self) -> bool {
        true
    }

    async fn read_newest(&mut self, _memory: &impl Memory) -> Result<Option<Newest>, SourceError> {
        let mut listing = Listing::new();
        for task in &self.newest {
            listing.meet("tasks", Call::List, task.clone());
        }
        listing.read("tasks", Extent::Newest);
        Ok(Some(Newest {
            listing,
            wants_full: false,
        }))
    }

    async fn try_out(&mut self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn find(&mut self, _part: &str, id: &str) -> Result<Found, SourceError> {
        let lookup = (Instant::now(), id.to_owned());
        self.looked_up.lock().unwrap().push(lookup);
        match self.by_id.get(id) {
            Some(ById::Hangs) => {
                // As long as a call may take by default.
                tokio::time::sleep(Duration::from_secs(25)).await;
                Err(error(Reason::Timeout))
            }
            Some(ById::Fails(error)) => Err(error.clone()),
            Some(ById::IsUnknown) => Ok(Found::Nothing),
            Some(ById::Tells(task)) => Ok(Some(task.clone()).into()),
            None => {
                let mut all = self.newest.iter().chain(&self.deep);
                Ok(all.find(|task| task.id == id).cloned().into())
            }
        }
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

/// A failure of so many seconds ago.
pub(super) fn failed(id: &str, ago: i64) -> Task {
    let at = Timestamp::from_second(1_800_000_000 - ago).unwrap();
    Task {
        status: Status::Failed,
        word: "failed".to_owned(),
        started: Some(at),
        ended: Some(at),
        ..running(id)
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_hangs_does_not_lose_what_the_list_showed() {
    let (mut poller, page) = poller(Ordered {
        deep: vec![running("old")],
        by_id: BTreeMap::from([("old".to_owned(), ById::Hangs)]),
        ..Ordered::default()
    });
    poller.poll().await.unwrap();
    poller.source.newest.push(running("new"));
    let result = poller.poll_steadily().await;
    let page = Arc::clone(&page.borrow());
    assert_eq!(
        value(&page, Metric::Tasks, "running"),
        Some(Value::Whole(2)),
        "{result:?}"
    );
    assert_eq!(value(&page, Metric::SourceUp, "a"), Some(Value::Whole(1)));
}

/// The ids that twenty steady polls read.
async fn ids_read(source: Ordered) -> BTreeSet<String> {
    let looked_up = Arc::clone(&source.looked_up);
    let (mut poller, _page) = poller(source);
    poller.poll().await.unwrap();
    for _ in 0..20 {
        drop(poller.poll_steadily().await);
    }
    let looked_up = looked_up.lock().unwrap();
    looked_up.iter().map(|(_, id)| id.clone()).collect()
}

fn five_failures() -> Vec<Task> {
    (0..5).map(|n| failed(&format!("f{n}"), n * 60)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_not_be_read_leaves_the_others_their_turn() {
    let read = ids_read(Ordered {
        deep: five_failures(),
        by_id: BTreeMap::from([("f0".to_owned(), ById::Fails(error(Reason::Forbidden)))]),
        ..Ordered::default()
    });
    assert_eq!(read.await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_hangs_leaves_the_others_their_turn() {
    let read = ids_read(Ordered {
        deep: five_failures(),
        by_id: BTreeMap::from([("f0".to_owned(), ById::Hangs)]),
        ..Ordered::default()
    });
    assert_eq!(read.await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_unfinished_task_that_may_not_be_read_leaves_the_failures_their_turn() {
    let mut deep = five_failures();
    deep.push(running("r"));
    let read = ids_read(Ordered {
        deep,
        by_id: BTreeMap::from([("r".to_owned(), ById::Fails(error(Reason::Forbidden)))]),
        ..Ordered::default()
    });
    assert_eq!(read.await.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_no_id_finds_or_a_server_error_leaves_the_others_their_turn() {
    let mut source = Ordered {
        deep: five_failures(),
        ..Ordered::default()
    };
    let fails = ById::Fails(error(Reason::ServerError));
    source.by_id = BTreeMap::from([("f0".to_owned(), fails.clone()), ("f2".to_owned(), fails)]);
    assert_eq!(ids_read(source).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn more_open_failures_than_twenty_have_their_turn_too() {
    let deep = (0..30).map(|n| failed(&format!("f{n}"), n * 60)).collect();
    let source = Ordered {
        deep,
        ..Ordered::default()
    };
    assert_eq!(ids_read(source).await.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn more_unfinished_tasks_than_twenty_have_their_turn_although_they_stay() {
    let source = Ordered {
        deep: (0..50).map(|n| running(&format!("r{n}"))).collect(),
        ..Ordered::default()
    };
    assert_eq!(ids_read(source).await.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_poll_reads_at_most_twenty_by_id_and_failures_are_among_them() {
    let mut deep: Vec<_> = (0..50).map(|n| running(&format!("r{n}"))).collect();
    deep.extend(five_failures());
    let (mut poller, _page) = poller(Ordered {
        deep,
        ..Ordered::default()
    });
    poller.poll().await.unwrap();
    poller.poll_steadily().await.unwrap();
    let read = poller.source.looked_up.lock().unwrap().clone();
    let failures = read.iter().filter(|(_, id)| id.starts_with('f')).count();
    assert_eq!((read.len(), failures), (20, 3));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_answers_no_call_by_id_is_not_asked_for_long() {
    let deep: Vec<_> = (0..20).map(|n| running(&format!("r{n}"))).collect();
    let hangs = deep.iter().map(|task| (task.id.clone(), ById::Hangs));
    let (mut poller, _page) = poller(Ordered {
        by_id: hangs.collect(),
        deep,
        ..Ordered::default()
    });
    poller.poll().await.unwrap();
    let before = Instant::now();
    poller.poll_steadily().await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(10));
    let read = poller.source.looked_up.lock().unwrap().clone();
    assert_eq!(read.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_by_id_that_asks_to_be_left_alone_is_obeyed() {
    let busy = SourceError {
        retry_after: Some(Duration::from_secs(900)),
        ..error(Reason::RateLimited)
    };
    let source = Ordered {
        deep: vec![running("old")],
        by_id: BTreeMap::from([("old".to_owned(), ById::Fails(busy))]),
        ..Ordered::default()
    };
    let looked_up = Arc::clone(&source.looked_up);
    let (poller, _page) = poller(source);
    let stop = CancellationToken::new();
    let run = poller.run(Orders::until(stop.clone()));
    let until = async {
        tokio::time::sleep(Duration::from_secs(800)).await;
        stop.cancel();
    };
    tokio::join!(run, until);
    let looked_up = looked_up.lock().unwrap().len();
    assert_eq!(looked_up, 1, "asked again before 900 s had passed");
}

#[tokio::test(start_paused = true)]
async fn a_listed_task_that_no_call_by_id_finds_has_not_vanished() {
    let (mut poller, page) = poller(Ordered {
        deep: vec![running("old")],
        by_id: BTreeMap::from([("old".to_owned(), ById::IsUnknown)]),
        ..Ordered::default()
    });
    let looked_up = Arc::clone(&poller.source.looked_up);
    poller.poll().await.unwrap();
    // The second time in full, as only that can tell; and once is enough.
    for (looks, wants_full) in [(1, true), (1, false), (2, false), (3, false)] {
        poller.poll_steadily().await.unwrap();
        assert_eq!(looked_up.lock().unwrap().len(), looks);
        assert_eq!(poller.wants_full, wants_full);
        let page = Arc::clone(&page.borrow());
        let running = value(&page, Metric::Tasks, "running");
        assert_eq!(running, Some(Value::Whole(1)));
    }
    // Then it is gone from the list, too.
    poller.source.deep.clear();
    poller.poll().await.unwrap();
    let page = Arc::clone(&page.borrow());
    assert_eq!(value(&page, Metric::Vanished, "a"), Some(Value::Whole(1)));
}

#[tokio::test(start_paused = true)]
async fn many_unfinished_tasks_leave_the_unknown_ones_their_turn() {
    let unknown = |n| Task {
        status: Status::Unknown,
        ..running(&format!("unknown{n}"))
    };
    let mut deep: Vec<_> = (0..50).map(|n| running(&format!("runs{n}"))).collect();
    deep.extend((0..5).map(unknown));
    let read = ids_read(Ordered {
        deep,
        ..Ordered::default()
    });
    let read = read.await;
    assert_eq!(
        read.iter().filter(|id| id.starts_with("unknown")).count(),
        5
    );
    assert_eq!(read.len(), 55);
}
