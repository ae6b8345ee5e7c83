//! Full polls that give way to steady ones.

use super::*;

#[tokio::test]
async fn a_full_poll_for_a_total_that_does_not_fit_gives_way_too() {
    let mut rig = Rig::new().await;
    for n in 0..500 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.sim.remove("t400");
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.polls(), (1, 1));
    let first_page = rig.poller.poll_on(Instant::now()).await;
    assert!(first_page.is_none(), "it has five pages");
    rig.add("new", 0);
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.polls(), (1, 2), "a steady poll between its pages");
}

/// How long the page of a poller stands still at most while a full poll of
/// thirty slow pages runs, after `change`.
async fn longest_standstill(change: impl Fn(&Simulator)) -> Duration {
    let mut rig = Rig::new().await;
    for n in 0..3_000 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.schedule.full_interval = Duration::from_secs(1);
    rig.poller.poll().await.unwrap();
    let slow = FaultKind::SlowHead(Duration::from_millis(50));
    rig.sim.inject(Fault::new(Endpoint::List, slow));
    let (sim, mut page) = (rig.sim, rig.page);
    let stop = CancellationToken::new();
    let run = rig.poller.run(Orders::until(stop.clone()));
    let watching = async {
        // The first full poll of a run, and some steady ones.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        change(&sim);
        let (mut longest, mut last) = (Duration::ZERO, Instant::now());
        let end = last + Duration::from_secs(4);
        while Instant::now() < end {
            drop(tokio::time::timeout_at(end, page.changed()).await);
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        stop.cancel();
        longest
    };
    tokio::join!(run, watching).1
}

#[tokio::test]
async fn a_long_full_poll_blinds_nobody() {
    let longest = Box::pin(longest_standstill(|_| {})).await;
    assert!(longest < Duration::from_millis(800), "{longest:?}");
}

#[tokio::test]
async fn a_long_full_poll_after_a_task_was_removed_blinds_nobody() {
    let longest = Box::pin(longest_standstill(|sim| sim.remove("t2900"))).await;
    assert!(longest < Duration::from_millis(800), "{longest:?}");
}

#[tokio::test]
async fn tasks_that_come_during_a_full_poll_fit_its_total() {
    let mut rig = Rig::new().await;
    for n in 0..450 {
        rig.add_done(&format!("t{n}"), n * 60 + 100);
    }
    rig.poller.poll().await.unwrap();
    let mut news = 0;
    for _ in 0..40 {
        let ended = rig.poller.poll_on(Instant::now()).await.is_some();
        if ended {
            break;
        }
        news += 1;
        rig.add_done(&format!("new{news}"), 100 - news);
        if news % 2 == 0 {
            rig.poller.poll_steadily().await.unwrap();
        }
    }
    let (full, _) = rig.polls();
    assert_eq!(full, 2, "{news}");
    rig.poller.poll_steadily().await.unwrap();
    rig.poller.poll_steadily().await.unwrap();
    assert_eq!(rig.polls().0, 2, "no full poll for nothing");
    let page = Arc::clone(&rig.page.borrow());
    let all = u64::try_from(450 + news).unwrap();
    assert_eq!(
        value(&page, Metric::Tasks, "succeeded"),
        Some(Value::Whole(all))
    );
}

#[tokio::test]
async fn a_list_that_goes_back_in_time_during_a_full_poll_is_right_after_the_next() {
    let mut rig = Rig::new().await;
    for n in 0..450 {
        rig.add_done(&format!("t{n}"), n * 60 + 10_000);
    }
    rig.add("back", 9_000);
    rig.poller.poll().await.unwrap();
    let backup = rig.sim.snapshot();
    rig.sim.succeed("back");
    for n in 0..120 {
        rig.add_done(&format!("new{n}"), n * 60);
    }
    rig.add("lost", 10);
    rig.poller.poll_steadily().await.unwrap();
    assert!(rig.poller.poll_on(Instant::now()).await.is_none());
    assert!(rig.poller.poll_on(Instant::now()).await.is_none());
    rig.sim.restore_from(backup);
    rig.poller.poll_steadily().await.unwrap();
    while rig.poller.poll_on(Instant::now()).await.is_none() {}
    rig.poller.poll().await.unwrap();
    let page = Arc::clone(&rig.page.borrow());
    assert_eq!(
        value(&page, Metric::Tasks, "succeeded"),
        Some(Value::Whole(450))
    );
    assert_eq!(
        value(&page, Metric::Tasks, "running"),
        Some(Value::Whole(1))
    );
    assert_eq!(
        value(&page, Metric::Vanished, "UPGRADE"),
        Some(Value::Whole(1))
    );
}

#[tokio::test]
async fn a_full_poll_that_gives_way_takes_no_longer_in_all_than_it_may() {
    let mut rig = Rig::new().await;
    for n in 0..1_000 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    rig.poller.schedule.full_timeout = Duration::from_millis(400);
    let slow = FaultKind::SlowHead(Duration::from_millis(100));
    rig.sim.inject(Fault::new(Endpoint::List, slow));
    let ended = loop {
        if let Some(ended) = rig.poller.poll_on(Instant::now()).await {
            break ended;
        }
    };
    assert_eq!(ended.unwrap_err().reason, Reason::Timeout);
}

#[tokio::test]
async fn a_full_poll_that_gives_way_bears_out_a_retry_and_asks_again_for_the_next() {
    let mut rig = Rig::new().await;
    rig.add("old", 100_000);
    for n in 0..450 {
        rig.add_done(&format!("t{n}"), n * 60);
    }
    rig.poller.poll().await.unwrap();
    for (failures, seconds) in [(1, 4_000), (2, 3_000), (3, 2_000), (4, 1_000)] {
        rig.fails_again("old", seconds);
        rig.poller.poll_steadily().await.unwrap();
        while rig.poller.poll_on(Instant::now()).await.is_none() {
            rig.poller.poll_steadily().await.unwrap();
        }
        let page = Arc::clone(&rig.page.borrow());
        let counted = value(&page, Metric::Failures, "CODE");
        assert_eq!(counted, Some(Value::Whole(failures)));
        assert!(!rig.poller.turns.contests.tells_apart);
    }
}
