//! Failures that are retried and fail again between two polls, of which one reads
//! the list and the other one task by its id.

mod histories;
mod told_apart;
mod waiting;

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

    /// After a failure that the list showed first.
    async fn failed_in_the_list() -> Self {
        let mut rig = Self::new().await;
        rig.has(failed("f", 100));
        assert_eq!(rig.full().await, 1);
        rig
    }

    /// After a failure that a call by its id showed first.
    async fn failed_by_id() -> Self {
        let mut rig = Self::new().await;
        rig.has(running("f"));
        assert_eq!(rig.full().await, 0);
        rig.has(failed("f", 100));
        assert_eq!(rig.steady().await, 1);
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

    /// Whether the source was found to tell one end in two ways.
    fn tells_apart(&self) -> bool {
        self.poller.turns.contests.tells_apart
    }

    /// Goes on with a full poll; whether it came to its end.
    async fn on(&mut self) -> bool {
        self.poller.poll_on(Instant::now()).await.is_some()
    }

    fn unresolved(&self) -> usize {
        let ledger = self.poller.keeper.kept().ledger();
        let failed = ledger.open().filter(|open| open.failed_at().is_some());
        failed.count()
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_unseen_between_a_list_and_a_call_by_id_counts() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(failed("f", 50));
    assert_eq!(rig.steady().await, 1);
    assert_eq!(rig.ended(), 100, "no failure is shown that was not counted");
    assert!(rig.poller.wants_full);
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.ended(), 50);
    assert!(!rig.poller.wants_full);
    // Retried once more before the full poll: only the last one counts.
    rig.has(failed("f", 30));
    assert_eq!(rig.steady().await, 2);
    rig.has(failed("f", 10));
    assert_eq!(rig.full().await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_retry_unseen_between_a_call_by_id_and_a_list_counts() {
    let mut rig = Rig::failed_by_id().await;
    rig.has(failed("f", 50));
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.ended(), 50);
    let read = rig.poller.source.looked_up.lock().unwrap().len();
    assert_eq!(rig.full().await, 2);
    let again = rig.poller.source.looked_up.lock().unwrap().len();
    assert_eq!(again, read, "and no call more");
}

#[tokio::test(start_paused = true)]
async fn a_resolved_failure_that_fails_again_counts() {
    let mut rig = Rig::failed_by_id().await;
    rig.has(Task {
        resolved: true,
        ..failed("f", 100)
    });
    assert_eq!(rig.steady().await, 1);
    assert_eq!(rig.unresolved(), 0);
    rig.has(failed("f", 50));
    assert_eq!(rig.full().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_resolved_failure_is_closed_although_full_polls_fail() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.poller.source.full_fails = Some(error(Reason::Timeout));
    rig.has(Task {
        resolved: true,
        ..failed("f", 50)
    });
    for _ in 0..10 {
        rig.steady().await;
        drop(rig.poller.poll().await);
    }
    assert_eq!(rig.unresolved(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_resolved_failure_is_closed_at_once_and_counts_with_the_list() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(Task {
        resolved: true,
        ..failed("f", 50)
    });
    rig.steady().await;
    assert_eq!(rig.unresolved(), 0);
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.unresolved(), 0);
}
