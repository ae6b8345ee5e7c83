//! Services and providers that fail, are refused or do not answer.

use super::*;

#[test]
fn a_provider_that_fails_for_a_while_keeps_its_place() {
    let mut fake = three();
    settle(&mut fake);
    for name in ["b.one", "b.two"] {
        fake.dead(name, Cause::Unavailable);
    }
    let poll = fake.poll();
    assert_eq!(
        (poll.calls, poll.partial),
        (3, vec!["b.one".to_owned(), "b.two".to_owned()])
    );
    assert_eq!(poll.whole.len(), 4);
    fake.alive("b.one");
    fake.alive("b.two");
    let poll = fake.poll();
    assert_eq!((poll.calls, poll.whole.len()), (3, 6));
}

#[test]
fn a_provider_that_fails_for_long_costs_little_and_comes_back() {
    let mut fake = three();
    settle(&mut fake);
    for name in ["b.one", "b.two"] {
        fake.dead(name, Cause::Unavailable);
    }
    fake.step = Duration::from_secs(30);
    for _ in 0..50 {
        let poll = fake.poll();
        assert_eq!((poll.whole.len(), poll.partial.len()), (4, 2));
        assert!(poll.calls <= 5, "{}", poll.calls);
    }
    fake.alive("b.one");
    fake.alive("b.two");
    // One of them is tried in each poll, and as it answers all are.
    let polls = (0..9).take_while(|_| fake.poll().whole.len() < 6).count();
    assert!(polls <= 3, "{polls}");
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn a_service_that_was_silent_from_the_start_is_tried_again() {
    let mut fake = three();
    for name in ["c.one", "c.two"] {
        fake.dead(name, Cause::Unavailable);
    }
    let first = fake.poll();
    assert_eq!((first.whole.len(), first.partial.len()), (4, 0));
    settle(&mut fake);
    fake.alive("c.one");
    fake.alive("c.two");
    fake.pass(Duration::from_secs(10 * 60));
    fake.poll();
    // One was due; as it answers, the other one is tried at once.
    assert_eq!(fake.poll().whole.len(), 6);
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn a_poll_where_nothing_answers_is_given_up_and_forgets_nothing() {
    let names: Vec<String> = (0..40).map(|at| format!("a.{at:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fake = Fake::new(&names);
    for name in &names {
        fake.dead(name, Cause::Unavailable);
    }
    for _ in 0..10 {
        let poll = fake.poll();
        assert!(poll.hopeless && poll.calls <= 8, "{}", poll.calls);
    }
    for name in &names {
        fake.alive(name);
    }
    fake.poll();
    fake.poll();
    assert_eq!(fake.poll().whole.len(), 40);
    assert_eq!(settle(&mut fake), 1);
}

#[test]
fn dead_services_before_living_ones_do_not_hide_them() {
    let names: Vec<String> = (0..30)
        .map(|at| format!("a.{at:02}"))
        .chain(["b.x".to_owned()])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fake = Fake::new(&names);
    for name in &names[..30] {
        fake.dead(name, Cause::Unavailable);
    }
    let polls = (0..20)
        .take_while(|_| !fake.poll().whole.contains(&"b.x".to_owned()))
        .count();
    // At most 8 calls a poll, and there are 61 sets to try.
    assert!(polls < 8, "{polls}");
}

#[test]
fn errors_that_say_nothing_are_found_out_by_splitting() {
    let mut fake = three();
    fake.mute = true;
    fake.knows("b.one", "run");
    fake.fill("b.one", "run", Statuses::Succeeded, 600);
    fake.fill("b.one", "run", Statuses::Failed, 600);
    fake.dead("c.two", Cause::Refused);
    let first = fake.poll();
    assert_eq!((first.whole.len(), first.tasks), (5, 50 + 1200));
    settle(&mut fake);
    let steady = fake.poll();
    assert_eq!((steady.failed, steady.whole.len()), (0, 5));
}

#[test]
fn a_service_that_answered_once_is_partial_when_it_is_refused() {
    let mut fake = three();
    settle(&mut fake);
    fake.dead("a.one", Cause::Refused);
    let poll = fake.poll();
    assert_eq!(poll.partial, ["a.one"]);
    fake.alive("a.one");
    assert_eq!(fake.poll().whole.len(), 6);
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn one_is_tried_in_turn_where_all_are_refused_and_all_when_it_answers() {
    let mut fake = three();
    for name in NAMES {
        fake.dead(name, Cause::Refused);
    }
    assert_eq!(fake.poll().whole.len(), 0);
    for _ in 0..20 {
        assert_eq!(fake.poll().calls, 1);
    }
    for name in &NAMES[1..] {
        fake.alive(name);
    }
    // At most five others come first.
    let polls = (0..6).take_while(|_| fake.poll().whole.is_empty()).count();
    assert!(polls < 6, "{polls}");
    assert_eq!(fake.poll().whole.len(), 5);
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn a_service_that_answered_another_process_is_missed() {
    let mut fake = three();
    for name in NAMES {
        fake.partition.expect(name);
    }
    for name in ["b.one", "b.two"] {
        fake.dead(name, Cause::Unavailable);
    }
    for _ in 0..3 {
        let poll = fake.poll();
        assert_eq!(
            (poll.whole.len(), poll.partial),
            (4, vec!["b.one".to_owned(), "b.two".to_owned()])
        );
    }
    fake.alive("b.one");
    fake.alive("b.two");
    fake.step = Duration::from_secs(30);
    let polls = (0..9).take_while(|_| fake.poll().whole.len() < 6).count();
    assert!(polls <= 3, "{polls}");
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn expected_services_that_are_dead_do_not_hide_living_ones() {
    let names: Vec<String> = (0..40)
        .map(|at| format!("a.{at:02}"))
        .chain(["b.x".to_owned()])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fake = Fake::new(&names);
    for name in &names {
        fake.partition.expect(name);
    }
    for name in &names[..40] {
        fake.dead(name, Cause::Unavailable);
    }
    let polls = (0..30)
        .take_while(|_| !fake.poll().whole.contains(&"b.x".to_owned()))
        .count();
    assert!(polls < 16, "{polls}");
    for _ in 0..5 {
        let poll = fake.poll();
        assert_eq!((poll.whole.len(), poll.partial.len()), (1, 40));
        assert!(poll.calls <= 9, "{}", poll.calls);
    }
}

#[test]
fn a_service_that_a_new_version_does_not_have_is_given_up_after_two_hours() {
    let mut fake = three();
    settle(&mut fake);
    fake.dead("a.one", Cause::Refused);
    fake.step = Duration::from_secs(60);
    for _ in 0..120 {
        let poll = fake.poll();
        assert_eq!(poll.partial, ["a.one"]);
        assert!(poll.calls <= 8, "{}", poll.calls);
    }
    let poll = fake.poll();
    assert_eq!(
        (poll.whole.len(), poll.partial.len()),
        (6, 0),
        "whole, and without tasks"
    );
    let poll = fake.poll();
    assert_eq!((poll.whole.len(), poll.partial.len()), (5, 0));
}

#[test]
fn errors_that_say_nothing_are_no_reason_to_ask_more() {
    let mut fake = three();
    fake.knows("b.one", "run");
    settle(&mut fake);
    fake.ill = true;
    for _ in 0..20 {
        let poll = fake.poll();
        assert!(poll.hopeless && poll.calls <= 8, "{}", poll.calls);
    }
    fake.ill = false;
    let poll = fake.poll();
    assert_eq!((poll.calls, poll.whole.len()), (3, 6), "as before");
}

#[test]
fn a_service_of_which_no_part_answers_is_one_call() {
    let mut fake = three();
    for operation in ["a", "b", "c", "d"] {
        fake.knows("b.one", operation);
    }
    settle(&mut fake);
    fake.dead("b.one", Cause::Unclear);
    fake.step = Duration::from_secs(30);
    let worst = fake.poll().calls;
    assert!(worst <= 14, "{worst}");
    let (mut calls, polls) = (0, 40);
    for _ in 0..polls {
        let poll = fake.poll();
        assert_eq!(
            (poll.whole.len(), poll.partial),
            (5, vec!["b.one".to_owned()])
        );
        calls += poll.calls;
    }
    assert!(calls <= polls * 5, "{calls} calls");
    fake.alive("b.one");
    let polls = (0..9).take_while(|_| fake.poll().whole.len() < 6).count();
    assert!(polls <= 3, "{polls}");
}

#[test]
fn services_that_fail_together_alone_are_kept_apart() {
    let mut fake = three();
    settle(&mut fake);
    fake.hates = Some(("b.one".to_owned(), "b.two".to_owned()));
    for _ in 0..3 {
        fake.poll();
    }
    for _ in 0..20 {
        let poll = fake.poll();
        assert_eq!((poll.whole.len(), poll.failed), (6, 0));
    }
}
