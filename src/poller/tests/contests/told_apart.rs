//! What is found out of a source by them, and what that costs.

use super::*;

/// A failure of a status that is not understood.
fn odd(id: &str) -> Task {
    Task {
        status: Status::Unknown,
        word: "odd".to_owned(),
        ended: None,
        ..failed(id, 100)
    }
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
async fn a_full_poll_that_gave_way_says_nothing_of_the_source() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.poller.source.gives_way = true;
    rig.has(failed("f", 50));
    assert_eq!(rig.steady().await, 1, "in doubt");
    assert!(rig.poller.wants_full);
    assert!(!rig.on().await, "the full poll that was wanted gives way");
    assert_eq!(rig.steady().await, 1);
    assert!(rig.on().await);
    assert_eq!(rig.failures(), 2, "borne out");
    assert!(!rig.on().await);
    rig.steady().await;
    assert!(rig.on().await);
    assert!(
        !rig.tells_apart(),
        "the source never told one end in two ways"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_full_poll_that_gave_way_the_next_retry_counts_too() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.poller.source.gives_way = true;
    rig.has(failed("f", 50));
    rig.steady().await;
    rig.on().await;
    rig.steady().await;
    assert!(rig.on().await);
    assert_eq!(rig.failures(), 2);
    rig.full().await;
    rig.poller.source.deep = vec![failed("f", 50), running("g")];
    rig.full().await;
    rig.poller.source.deep = vec![failed("f", 50), failed("g", 40)];
    assert_eq!(rig.steady().await, 3, "g by its id");
    rig.poller.source.deep = vec![failed("f", 50), failed("g", 10)];
    assert_eq!(rig.full().await, 4, "g failed again");
}

/// Of a source whose full polls give way, and that may tell one end in two ways.
async fn fulls_in_an_hour(apart: bool) -> u32 {
    let mut source = Ordered::default();
    source.deep = vec![failed("f", 1_000)];
    source.gives_way = true;
    source.page_takes = Duration::from_secs(20);
    if apart {
        source
            .by_id
            .insert("f".to_owned(), ById::Tells(failed("f", 900)));
    }
    let fulls = Arc::clone(&source.fulls);
    let (mut poller, _page) = poller(source);
    poller.schedule.full_timeout = Duration::from_secs(600);
    poller.schedule.interval = Duration::from_secs(15);
    let stop = CancellationToken::new();
    let run = poller.run(Orders::until(stop.clone()));
    let until = async {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        stop.cancel();
    };
    tokio::join!(run, until);
    let fulls = fulls.lock().unwrap();
    *fulls
}

#[tokio::test(start_paused = true)]
async fn a_source_that_tells_one_end_in_two_ways_costs_no_full_polls_for_ever() {
    let (one, two) = (fulls_in_an_hour(false).await, fulls_in_an_hour(true).await);
    assert!(two <= one + 2, "{two} full polls in an hour, not {one}");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_was_settled_by_id_says_nothing_of_the_source() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(failed("f", 50));
    rig.steady().await;
    rig.poller.source.full_fails = Some(error(Reason::Timeout));
    rig.poller.poll().await.unwrap_err();
    rig.has(running("f"));
    rig.steady().await;
    let done = Task {
        status: Status::Succeeded,
        word: "done".to_owned(),
        ..failed("f", 20)
    };
    rig.has(done);
    rig.steady().await;
    rig.poller.source.full_fails = None;
    rig.full().await;
    assert!(!rig.tells_apart());
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_only_its_id_shows_costs_no_full_polls_for_ever() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(odd("f"));
    rig.full().await;
    rig.poller.source.deep.clear();
    rig.tells_by_id(ById::Tells(failed("f", 50)));
    let mut wanted = Vec::new();
    for _ in 0..6 {
        rig.steady().await;
        wanted.push(rig.poller.wants_full);
    }
    assert!(
        !wanted[5],
        "{wanted:?} fulls {}",
        rig.poller.source.fulls.lock().unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_was_cut_says_nothing_of_the_source() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(failed("f", 50));
    rig.steady().await;
    rig.tells_by_id(ById::Tells(failed("f", 50)));
    rig.poller.source.deep.clear();
    rig.poller.source.incomplete = true;
    rig.full().await;
    rig.poller.source.incomplete = false;
    rig.has(failed("f", 50));
    rig.full().await;
    assert!(!rig.tells_apart(), "failures {}", rig.failures());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_went_back_says_nothing_of_the_source() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(failed("f", 50));
    rig.steady().await;
    rig.has(failed("f", 100));
    rig.full().await;
    rig.steady().await;
    rig.full().await;
    assert!(!rig.tells_apart());
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_the_list_tells_in_an_odd_word_costs_one_full_poll() {
    let mut rig = Rig::failed_in_the_list().await;
    rig.has(odd("f"));
    rig.full().await;
    rig.tells_by_id(ById::Tells(failed("f", 50)));
    let mut wanted = Vec::new();
    for _ in 0..4 {
        rig.steady().await;
        wanted.push(rig.poller.wants_full);
        rig.full().await;
    }
    assert_eq!(wanted.iter().filter(|wanted| **wanted).count(), 1);
    assert!(!rig.tells_apart());
    assert_eq!(rig.failures(), 1);
}
