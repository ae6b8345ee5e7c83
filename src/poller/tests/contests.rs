//! Failures that are retried and fail again between two polls, of which one reads
//! the list and the other one task by its id.

use super::lookups::{ById, Ordered, failed};
use super::*;

/// A poller of a source in order, and how many failures it counted.
struct Rig {
    poller: Poller<Ordered>,
    page: watch::Receiver<Arc<SourcePage>>,
}

impl Rig {
    /// After a first poll, which showed nothing.
    async fn new() -> Self {
        let (poller, page) = poller(Ordered::default());
        let mut rig = Self { poller, page };
        rig.full().await;
        rig
    }

    async fn full(&mut self) -> u64 {
        self.poller.poll().await.unwrap();
        self.failures()
    }

    async fn steady(&mut self) -> u64 {
        self.poller.poll_steadily().await.unwrap();
        self.failures()
    }

    fn failures(&self) -> u64 {
        match value(&self.page.borrow(), Metric::Failures, "a") {
            Some(Value::Whole(count)) => count,
            _ => 0,
        }
    }

    /// When the one failure ended, in seconds before now.
    fn ended(&self) -> i64 {
        let ledger = self.poller.keeper.kept().ledger();
        let open = ledger.open().next().unwrap();
        1_800_000_000 - open.failed_at().unwrap().as_second()
    }

    /// The source has this one task, which is not among the newest.
    fn has(&mut self, task: Task) {
        self.poller.source.deep = vec![task];
    }

    fn tells_by_id(&mut self, by_id: ById) {
        self.poller.source.by_id.insert("f".to_owned(), by_id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_unseen_between_a_list_and_a_call_by_id_counts() {
    let mut rig = Rig::new().await;
    rig.has(failed("f", 100));
    assert_eq!(rig.full().await, 1);
    rig.has(failed("f", 50));
    assert_eq!(rig.steady().await, 1);
    assert_eq!(rig.ended(), 100, "no failure is shown that was not counted");
    assert!(rig.poller.wants_full);
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.ended(), 50);
    assert!(!rig.poller.wants_full);
    // Retried twice meanwhile: what nobody read nobody counted, but for the last.
    rig.has(failed("f", 30));
    assert_eq!(rig.steady().await, 2);
    rig.has(failed("f", 10));
    assert_eq!(rig.full().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_retry_unseen_between_a_call_by_id_and_a_list_counts() {
    let mut rig = Rig::new().await;
    rig.has(running("f"));
    assert_eq!(rig.full().await, 0);
    rig.has(failed("f", 100));
    assert_eq!(rig.steady().await, 1, "by its id");
    rig.has(failed("f", 50));
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.ended(), 50);
    let read = rig.poller.source.looked_up.lock().unwrap().len();
    assert_eq!(rig.full().await, 2);
    let again = rig.poller.source.looked_up.lock().unwrap().len();
    assert_eq!(again, read, "and no call more");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_tells_one_end_in_two_ways_counts_once_and_is_asked_once() {
    let mut rig = Rig::new().await;
    rig.has(failed("f", 100));
    rig.tells_by_id(ById::Tells(failed("f", 50)));
    assert_eq!(rig.full().await, 1);
    assert_eq!(rig.steady().await, 1);
    assert!(rig.poller.wants_full);
    assert_eq!(rig.full().await, 1);
    for _ in 0..3 {
        assert_eq!(rig.steady().await, 1);
        assert!(!rig.poller.wants_full);
        assert_eq!(rig.full().await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_whose_list_tells_a_later_end_than_its_ids_counts_once() {
    let mut rig = Rig::new().await;
    rig.has(running("f"));
    rig.full().await;
    rig.tells_by_id(ById::Tells(failed("f", 100)));
    assert_eq!(rig.steady().await, 1, "by its id");
    rig.has(failed("f", 50));
    for _ in 0..3 {
        assert_eq!(rig.full().await, 1);
        assert_eq!(rig.ended(), 50);
        assert_eq!(rig.steady().await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_cannot_be_confirmed_waits() {
    let mut rig = Rig::new().await;
    rig.has(running("f"));
    rig.full().await;
    rig.has(failed("f", 100));
    assert_eq!(rig.steady().await, 1, "by its id");
    rig.has(failed("f", 50));
    rig.tells_by_id(ById::Fails(error(Reason::ServerError)));
    for _ in 0..2 {
        assert_eq!(rig.full().await, 1);
        assert_eq!(rig.ended(), 100, "it is not gone");
    }
    rig.poller.source.by_id.clear();
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.ended(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_no_call_by_id_finds_stands_as_the_list_shows_it() {
    let mut rig = Rig::new().await;
    rig.has(running("f"));
    rig.full().await;
    rig.has(failed("f", 100));
    assert_eq!(rig.steady().await, 1, "by its id");
    rig.has(failed("f", 50));
    rig.tells_by_id(ById::IsUnknown);
    assert_eq!(
        rig.full().await,
        1,
        "the list's end and one by id say nothing"
    );
    assert_eq!(rig.ended(), 50);
}
