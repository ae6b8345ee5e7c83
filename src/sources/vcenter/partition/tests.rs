use super::*;

mod failing;
mod support;

use std::time::Duration;

use support::{Cause, Fake};

const NAMES: [&str; 6] = ["a.one", "a.two", "b.one", "b.two", "c.one", "c.two"];

/// Three providers with two services each, ten tasks in each service.
fn three() -> Fake {
    let mut fake = Fake::new(&NAMES);
    for name in NAMES {
        fake.fill(name, "run", Statuses::Succeeded, 10);
    }
    fake
}

/// Lets polls pass until the calls stay the same, and returns their number.
fn settle(fake: &mut Fake) -> usize {
    let mut calls = 0;
    for _ in 0..20 {
        let poll = fake.poll();
        if poll.calls == calls {
            return calls;
        }
        calls = poll.calls;
    }
    panic!("it does not settle");
}

#[test]
fn one_call_does_where_one_provider_has_all() {
    let mut fake = Fake::new(&["a.one", "a.two", "a.three"]);
    for _ in 0..3 {
        let poll = fake.poll();
        assert_eq!(poll.calls, 1);
        assert_eq!(poll.whole, ["a.one", "a.three", "a.two"]);
    }
}

#[test]
fn three_providers_are_one_call_each() {
    let mut fake = three();
    let first = fake.poll();
    assert_eq!((first.whole.len(), first.tasks), (6, 60));
    assert_eq!(settle(&mut fake), 3);
    let steady = fake.poll();
    assert_eq!(
        (steady.calls, fake.partition.calls(), steady.tasks),
        (3, 3, 60)
    );
}

#[test]
fn providers_that_lie_apart_in_the_list_are_found() {
    let mixed = [
        "a.one", "b.one", "c.one", "a.two", "c.two", "b.two", "a.three",
    ];
    let mut fake = Fake::new(&mixed);
    assert_eq!(fake.poll().whole.len(), 7);
    assert_eq!(settle(&mut fake), 3);
    assert_eq!(fake.poll().whole.len(), 7);
}

#[test]
fn an_unknown_service_rests_and_does_not_make_a_listing_partial() {
    let mut fake = three();
    fake.dead("b.two", Cause::Refused);
    let first = fake.poll();
    assert_eq!((first.whole.len(), first.partial.len()), (5, 0));
    assert_eq!(settle(&mut fake), 3);
    assert_eq!(fake.partition.resting().collect::<Vec<_>>(), ["b.two"]);
    // It is tried after ten minutes, twenty and so on, at the cost of one call.
    for minutes in [10, 20, 40, 80, 120, 120] {
        fake.pass(Duration::from_secs(minutes * 60 - 1));
        assert_eq!(fake.poll().calls, 3, "{minutes}");
        fake.pass(Duration::from_secs(1));
        assert_eq!(fake.poll().calls, 4, "{minutes}");
    }
}

#[test]
fn a_service_that_appears_is_read_and_joins_its_provider() {
    let mut fake = three();
    fake.dead("b.two", Cause::Refused);
    settle(&mut fake);
    fake.alive("b.two");
    fake.pass(Duration::from_secs(2 * 60 * 60));
    assert_eq!(fake.poll().whole.len(), 6);
    assert_eq!(settle(&mut fake), 3);
}

#[test]
fn five_thousand_tasks_of_one_service_are_split_by_status_and_operation() {
    let mut fake = three();
    for operation in ["clone", "relocate", "deploy", "import", "export"] {
        fake.knows("b.one", operation);
        for status in [Statuses::Succeeded, Statuses::Failed] {
            fake.fill("b.one", operation, status, 490);
        }
        fake.fill("b.one", operation, Statuses::Running, 20);
    }
    let first = fake.poll();
    assert_eq!((first.whole.len(), first.partial.len()), (6, 0));
    assert_eq!(first.tasks, 60 + 5000);
    settle(&mut fake);
    let steady = fake.poll();
    assert_eq!(
        (steady.calls, steady.tasks),
        (fake.partition.calls(), 60 + 5000)
    );
    assert_eq!(steady.failed, 0);
    // And one call again when it got small.
    fake.clear("b.one");
    assert_eq!(settle(&mut fake), 3);
    assert_eq!(fake.poll().tasks, 50);
}

#[test]
fn a_leaf_of_up_to_a_thousand_is_one_call() {
    for (count, calls) in [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 3)] {
        let mut fake = Fake::new(&["a.one"]);
        fake.fill("a.one", "run", Statuses::Succeeded, count - count / 2);
        fake.fill("a.one", "run", Statuses::Failed, count / 2);
        let first = fake.poll();
        assert_eq!((first.whole.len(), first.tasks), (1, count), "{count}");
        // Whole, unfinished, ended, succeeded, failed: two of them are too much.
        assert_eq!(first.failed, if calls == 1 { 0 } else { 2 }, "{count}");
        assert_eq!(fake.poll().calls, calls, "{count}");
    }
}

#[test]
fn what_cannot_be_split_is_partial_and_the_unfinished_are_still_read() {
    let mut fake = three();
    fake.knows("b.one", "run");
    fake.fill("b.one", "run", Statuses::Succeeded, 1500);
    fake.fill("b.one", "run", Statuses::Failed, 40);
    fake.fill("b.one", "run", Statuses::Running, 7);
    for _ in 0..3 {
        let poll = fake.poll();
        assert_eq!(
            (poll.unfinished, poll.partial.len()),
            (vec!["b.one".to_owned()], 0)
        );
        assert_eq!(poll.whole.len(), 5);
        assert_eq!(poll.tasks, 50 + 40 + 7);
    }
    assert_eq!(fake.poll().failed, 1);
}

#[test]
fn unfinished_statuses_come_before_outcomes_whatever_is_split() {
    let mut fake = three();
    fake.knows("b.one", "run");
    for status in [
        Statuses::Pending,
        Statuses::Blocked,
        Statuses::Running,
        Statuses::Succeeded,
    ] {
        fake.fill("b.one", "run", status, 900);
    }
    for _ in 0..3 {
        let poll = fake.poll();
        let of_it = poll
            .asked
            .iter()
            .filter(|filter| *filter.services == ["b.one".into()]);
        let ranks: Vec<_> = of_it.filter_map(|filter| rank(filter.statuses)).collect();
        assert!(!ranks.is_empty() && ranks.is_sorted(), "{ranks:?}");
    }
}

/// The place of a single status in the life of a task.
fn rank(statuses: Statuses) -> Option<usize> {
    let order = [
        Statuses::Pending,
        Statuses::Blocked,
        Statuses::Running,
        Statuses::Succeeded,
        Statuses::Failed,
    ];
    order.iter().position(|status| *status == statuses)
}

#[test]
fn an_operation_met_later_is_asked_for_from_then_on() {
    let mut fake = Fake::new(&["a.one"]);
    fake.knows("a.one", "old");
    fake.fill("a.one", "old", Statuses::Succeeded, 900);
    fake.fill("a.one", "new", Statuses::Succeeded, 900);
    assert_eq!(fake.poll().tasks, 900);
    fake.fill("a.one", "new", Statuses::Running, 1);
    fake.poll();
    assert_eq!(fake.poll().tasks, 1801);
}
