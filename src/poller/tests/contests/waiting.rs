//! Failures that the list shows with a later end, until a call by id confirms it.

use std::ops::Range;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_failure_that_cannot_be_confirmed_waits() {
    let mut rig = Rig::failed_by_id().await;
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
    let mut rig = Rig::failed_by_id().await;
    rig.has(failed("f", 50));
    rig.tells_by_id(ById::IsUnknown);
    assert_eq!(
        rig.full().await,
        1,
        "the list's end and one by id say nothing"
    );
    assert_eq!(rig.ended(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_failure_whose_id_may_not_be_read_does_not_wait_for_ever() {
    let mut rig = Rig::failed_by_id().await;
    rig.has(Task {
        resolved: true,
        ..failed("f", 50)
    });
    rig.tells_by_id(ById::Fails(error(Reason::Forbidden)));
    for _ in 0..20 {
        rig.full().await;
        rig.steady().await;
    }
    assert_eq!(
        rig.unresolved(),
        0,
        "the list says RESOLVED for 20 full polls"
    );
}

#[tokio::test(start_paused = true)]
async fn contested_failures_that_hang_leave_the_others_their_turn() {
    let mut rig = Rig::new().await;
    rig.poller.source.deep = vec![running("a"), running("b"), failed("c", 500)];
    rig.full().await;
    rig.poller.source.deep = vec![failed("a", 100), failed("b", 100), failed("c", 500)];
    rig.steady().await;
    rig.poller.source.deep = vec![failed("c", 500)];
    rig.poller.source.newest = vec![failed("a", 50), failed("b", 50)];
    for id in ["a", "b"] {
        rig.poller.source.by_id.insert(id.to_owned(), ById::Hangs);
    }
    rig.poller.source.looked_up.lock().unwrap().clear();
    for _ in 0..10 {
        rig.steady().await;
    }
    let read = rig.poller.source.looked_up.lock().unwrap().clone();
    assert!(read.iter().any(|(_, id)| id == "c"), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_for_as_long_as_the_source_asks_for_rest() {
    let mut rig = Rig::failed_by_id().await;
    rig.has(failed("f", 50));
    let busy = SourceError {
        retry_after: Some(Duration::from_secs(900)),
        ..error(Reason::RateLimited)
    };
    rig.tells_by_id(ById::Fails(busy));
    for _ in 0..3 {
        assert_eq!(rig.full().await, 1);
    }
    rig.poller.source.by_id.clear();
    assert_eq!(rig.full().await, 1);
    tokio::time::sleep(Duration::from_secs(901)).await;
    assert_eq!(rig.full().await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_steady_poll_between_two_pages_withheld_counts_at_the_end() {
    let mut rig = Rig::failed_by_id().await;
    rig.poller.source.deep.clear();
    rig.poller.source.newest = vec![failed("f", 50)];
    rig.poller.source.gives_way = true;
    assert!(!rig.on().await);
    rig.tells_by_id(ById::Fails(error(Reason::ServerError)));
    assert_eq!(rig.steady().await, 1);
    assert!(!rig.tells_apart());
    rig.tells_by_id(ById::Tells(failed("f", 50)));
    assert!(rig.on().await);
    assert_eq!(rig.failures(), 2);
    assert_eq!(rig.full().await, 2);
    assert_eq!(rig.steady().await, 2);
}

#[tokio::test(start_paused = true)]
async fn many_contested_failures_have_their_turn_among_twenty_calls() {
    let failures = |prefix, ages: Range<i64>| {
        let numbered = ages.enumerate();
        numbered.map(move |(n, ago)| failed(&format!("{prefix}{n}"), ago))
    };
    let unfinished = |prefix, status, count| {
        let numbered = (0..count).map(move |n| running(&format!("{prefix}{n}")));
        numbered.map(move |task| Task { status, ..task })
    };
    let mut rig = Rig::new().await;
    rig.poller.source.deep = unfinished("contested", Status::Running, 18).collect();
    rig.full().await;
    rig.poller.source.deep = failures("contested", 1_000..1_018).collect();
    rig.steady().await;
    assert_eq!(rig.steady().await, 18, "by their ids");
    // Many others appear, then these fail again, and are listed first.
    let others = unfinished("running", Status::Running, 30)
        .chain(unfinished("unknown", Status::Unknown, 5))
        .chain(failures("other", 5_000..5_025));
    rig.poller.source.newest = others.collect();
    assert_eq!(rig.steady().await, 18 + 25);
    rig.poller.source.deep = std::mem::take(&mut rig.poller.source.newest);
    rig.poller.source.newest = failures("contested", 100..118).collect();
    for _ in 0..4 {
        rig.poller.source.looked_up.lock().unwrap().clear();
        rig.steady().await;
        assert_eq!(rig.poller.source.looked_up.lock().unwrap().len(), 20);
    }
    assert_eq!(rig.failures(), 18 + 25 + 18);
}
