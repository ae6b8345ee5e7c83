use tokio::time::{advance, timeout};

use super::*;

async fn is_sent_away(guest: &Guest) -> bool {
    timeout(Duration::ZERO, guest.is_sent_away()).await.is_ok()
}

async fn a_second() {
    advance(Duration::from_secs(1)).await;
}

/// Begins to read an answer.
fn reads(guest: &Guest) {
    guest.place().is_served();
    guest.place().is_answered();
}

/// Begins to read one of a text beside which `most` bytes may be read.
fn reads_text(guest: &Guest, text: &Bytes, most: usize) {
    guest.place().is_served();
    guest.place().gets(Text::of(text), most);
    guest.place().is_answered();
}

fn text(size: usize) -> Bytes {
    vec![b'x'; size].into()
}

#[tokio::test(start_paused = true)]
async fn whoever_is_waited_for_longest_gives_way() {
    let seats = Seats::new(2);
    let first = seats.take().await;
    a_second().await;
    let second = seats.take().await;
    a_second().await;
    // Now the second one is waited for longer.
    reads(&first);
    first.place().has_all();
    let third = seats.take().await;
    assert!(is_sent_away(&second).await);
    assert!(!is_sent_away(&first).await && !is_sent_away(&third).await);
    // A place that was taken away is not free twice.
    drop(second);
    assert_eq!(seats.taken().guests.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_being_served_is_not_sent_away() {
    let seats = Seats::new(1);
    let first = seats.take().await;
    first.place().is_served();
    let next = timeout(Duration::from_secs(60), seats.take()).await;
    assert!(next.is_err() && !is_sent_away(&first).await);
    let (next, ()) = tokio::join!(seats.take(), async { first.place().is_answered() });
    assert!(is_sent_away(&first).await && !is_sent_away(&next).await);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_left_is_free() {
    let seats = Seats::new(1);
    let first = seats.take().await;
    first.place().is_served();
    let (_next, ()) = tokio::join!(seats.take(), async { drop(first) });
}

#[tokio::test(start_paused = true)]
async fn who_reads_gives_way_after_all_who_do_not() {
    let seats = Seats::new(3);
    let reader = seats.take().await;
    reads(&reader);
    a_second().await;
    let [idle, silent] = [seats.take().await, seats.take().await];
    reads(&idle);
    idle.place().has_all();
    // Nobody has heard of the first one for longer than of these.
    let mut crowd = Vec::new();
    for _ in 0..5 {
        crowd.push(seats.take().await);
    }
    assert!(is_sent_away(&idle).await && is_sent_away(&silent).await);
    assert!(!is_sent_away(&reader).await);
    // Nobody but readers is left.
    for guest in &crowd {
        reads(guest);
    }
    let _last = seats.take().await;
    assert!(is_sent_away(&reader).await);
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_takes_nothing_is_one_of_those_who_do_not_read() {
    let seats = Seats::new(2);
    let [slow, stalled] = [seats.take().await, seats.take().await];
    reads(&slow);
    reads(&stalled);
    advance(STALLED).await;
    slow.place().takes_some();
    let next = seats.take().await;
    assert!(is_sent_away(&stalled).await && !is_sent_away(&slow).await);
    // It is not the end of an answer that one part of it is read.
    slow.place().has_all();
    slow.place().takes_some();
    a_second().await;
    let _newest = seats.take().await;
    assert!(is_sent_away(&next).await && !is_sent_away(&slow).await);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_no_reading() {
    let seats = Seats::new(1);
    let shaking = seats.take().await;
    shaking.place().takes_some();
    assert!(matches!(
        seats.taken().guests.values().next().unwrap().stage,
        Stage::Waits(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn texts_that_nobody_reads_make_room_for_others() {
    let seats = Seats::new(9);
    let (old, older, new, newest) = (text(100), text(100), text(100), text(100));
    let large = text(500);
    let first = seats.take().await;
    reads_text(&first, &old, 300);
    a_second().await;
    let [second, third] = [seats.take().await, seats.take().await];
    reads_text(&second, &older, 300);
    a_second().await;
    // Many may read the same.
    reads_text(&third, &older, 200);
    a_second().await;
    first.place().takes_some();
    let fourth = seats.take().await;
    reads_text(&fourth, &new, 200);
    // The second one took nothing for longest, and the third has its text, too.
    assert!(is_sent_away(&second).await && is_sent_away(&third).await);
    assert!(!is_sent_away(&first).await && !is_sent_away(&fourth).await);
    // What was read is gone.
    first.place().has_all();
    let fifth = seats.take().await;
    reads_text(&fifth, &newest, 200);
    assert!(!is_sent_away(&first).await && !is_sent_away(&fourth).await);
    // A text that is too large alone is still read.
    let sixth = seats.take().await;
    reads_text(&sixth, &large, 200);
    assert!(is_sent_away(&fourth).await && is_sent_away(&fifth).await);
    assert!(!is_sent_away(&sixth).await);
}
