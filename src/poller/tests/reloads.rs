//! What becomes of a poller and of what it knows at a reload.

use super::*;

/// What a poller leaves that is stopped at once.
async fn left(poller: Poller<Script>) -> Estate {
    let stop = CancellationToken::new();
    stop.cancel();
    poller.run(Orders::until(stop)).await
}

/// The terms of the script at this url.
fn terms(url: &str, birth_hold: Duration) -> Terms {
    let identity = crate::ledger::storage::Identity {
        source: "a".to_owned(),
        system: "script".to_owned(),
        url: url.to_owned(),
    };
    Terms {
        facts: SourceFacts {
            url: url.to_owned(),
            ..facts()
        },
        schedule: schedule(),
        limits: limits(birth_hold),
        identity,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_shown_in_time_over_a_hand_over() {
    let hold = INTERVAL / 3;
    let listing = || Step::Lists(vec![running("t")]);
    let (mut poller, page) = holding(
        hold,
        Script {
            steps: [Step::Lists(vec![]), listing()].into(),
            ..Script::default()
        },
    );
    poller.poll().await.unwrap();
    poller.poll().await.unwrap();
    let shown = |page: &watch::Receiver<Arc<SourcePage>>| {
        let snapshot = Arc::clone(&page.borrow());
        value(&snapshot, Metric::Started, "OP")
    };
    page.borrow().scraped(Instant::now());
    assert_eq!(shown(&page), Some(Value::Whole(0)));
    tokio::time::advance(hold).await;
    let script = Script {
        steps: [listing()].into(),
        ..Script::default()
    };
    let clock = poller.clock.clone();
    let mut heir = Poller::succeed(script, terms("", hold), left(poller).await, clock);
    // On the same page, and no jump: nobody has scraped in between.
    assert_eq!(shown(&page), Some(Value::Whole(0)));
    assert!(page.borrow().is_tried());
    heir.poll().await.unwrap();
    assert_eq!(shown(&page), Some(Value::Whole(1)));
}

#[tokio::test(start_paused = true)]
async fn without_a_hold_all_is_shown_from_the_hand_over_on() {
    let script = Script {
        steps: [Step::Lists(vec![]), Step::Lists(vec![running("t")])].into(),
        ..Script::default()
    };
    let (mut poller, page) = holding(INTERVAL, script);
    poller.poll().await.unwrap();
    poller.poll().await.unwrap();
    let clock = poller.clock.clone();
    let estate = left(poller).await;
    let script = Script::default();
    let mut heir = Poller::succeed(script, terms("", Duration::ZERO), estate, clock);
    heir.poll().await.unwrap();
    let page = Arc::clone(&page.borrow());
    assert_eq!(value(&page, Metric::Started, "OP"), Some(Value::Whole(1)));
}

#[tokio::test(start_paused = true)]
async fn the_state_of_another_url_is_not_shown() {
    let script = Script {
        steps: [Step::Lists(vec![running("t")])].into(),
        ..Script::default()
    };
    let (mut poller, page) = poller(script);
    poller.poll().await.unwrap();
    let clock = poller.clock.clone();
    let estate = left(poller).await;
    let terms = terms("elsewhere", Duration::ZERO);
    drop(Poller::succeed(Script::default(), terms, estate, clock));
    let page = Arc::clone(&page.borrow());
    assert_eq!(value(&page, Metric::Tasks, "running"), None);
    assert!(value(&page, Metric::Started, "OP").is_some());
    assert!(!page.is_tried());
}

/// Orders that a test gives: reloads, and the end.
fn reloadable() -> (Orders, watch::Sender<u64>, CancellationToken) {
    let stop = CancellationToken::new();
    let (reloads, seen) = watch::channel(0);
    let orders = Orders {
        reloads: seen,
        ..Orders::until(stop.clone())
    };
    (orders, reloads, stop)
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_a_back_off_and_nothing_else() {
    let rejected = || {
        Step::Fails(SourceError {
            login_rejected: true,
            ..error(Reason::Unauthorized)
        })
    };
    let script = Script {
        steps: [rejected(), rejected()].into(),
        ..Script::default()
    };
    let polls = Arc::clone(&script.polls);
    let count = || polls.lock().unwrap().len();
    let (poller, _page) = poller(script);
    let (orders, reloads, stop) = reloadable();
    let asks = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(), 1);
        reloads.send_replace(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(), 2);
        // Who reloads again and again shall not lock the account.
        reloads.send_replace(2);
        tokio::time::sleep(Duration::from_secs(50)).await;
        assert_eq!(count(), 2);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(count(), 3);
        // That one succeeded.
        reloads.send_replace(3);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(), 3);
        stop.cancel();
    };
    tokio::join!(poller.run(orders), asks);
}

#[tokio::test(start_paused = true)]
async fn a_poller_says_until_when_it_may_be_silent() {
    let script = Script {
        steps: [Step::Hangs].into(),
        ..Script::default()
    };
    let (poller, _page) = poller(script);
    let stop = CancellationToken::new();
    let (pulse, felt) = watch::channel(Instant::now());
    let orders = Orders {
        pulse,
        ..Orders::until(stop.clone())
    };
    let began = Instant::now();
    let feels = async {
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(*felt.borrow() > Instant::now());
        }
        let patience = *felt.borrow() - began;
        assert!(patience < Duration::from_secs(1000 + 600), "{patience:?}");
        stop.cancel();
    };
    tokio::join!(poller.run(orders), feels);
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_the_pause_that_a_call_by_id_was_answered_with() {
    let asked = SourceError {
        retry_after: Some(Duration::from_secs(3600)),
        ..error(Reason::RateLimited)
    };
    let script = Script {
        steps: [
            Step::Lists(vec![running("a")]),
            Step::Lists(vec![]),
            Step::Lists(vec![]),
        ]
        .into(),
        by_id: Some(Err(asked)),
        ..Script::default()
    };
    let polls = Arc::clone(&script.polls);
    let count = || polls.lock().unwrap().len();
    let (poller, _page) = poller(script);
    let (orders, reloads, stop) = reloadable();
    let asks = async {
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(count(), 2);
        reloads.send_replace(1);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(count(), 3);
        stop.cancel();
    };
    tokio::join!(poller.run(orders), asks);
}
