//! What is logged of polls that fail: asked of the one who decides it, as what
//! one test's subscriber receives depends on which thread came past a call first.

use super::lookups::Ordered;
use super::*;

fn recovered(failing: &mut Failing, mode: Mode) -> Vec<&'static str> {
    failing.recovers(mode).map(|(_, what)| what).collect()
}

#[test]
fn full_polls_that_fail_while_steady_ones_succeed_are_logged_once() {
    let mut failing = Failing::default();
    let said = std::array::from_fn(|_| {
        let said = failing.fails(true, Reason::Decode);
        assert!(recovered(&mut failing, Mode::Steady).is_empty());
        said
    });
    assert_eq!(
        said,
        [Some("the source cannot be polled in full"), None, None]
    );
    assert!(failing.at_all());
    let again = recovered(&mut failing, Mode::Full);
    assert_eq!(again, ["the source can be polled in full again"]);
    assert!(!failing.at_all());
}

#[test]
fn a_failure_is_logged_again_with_another_reason() {
    let mut failing = Failing::default();
    let said = [Reason::Decode, Reason::Connect, Reason::Connect]
        .map(|reason| failing.fails(false, reason).is_some());
    assert_eq!(said, [true, true, false]);
    let again = recovered(&mut failing, Mode::Steady);
    assert_eq!(again, ["the source can be polled again"]);
    assert!(recovered(&mut failing, Mode::Steady).is_empty());
}

#[test]
fn a_full_poll_that_fails_stands_apart_only_where_steady_ones_come_between() {
    let broken = error(Reason::Decode);
    let mut apart = Failing::default();
    let mut alone = Failing::default();
    let (ordered, _page) = poller(Ordered::default());
    let (unordered, _page) = poller(Script::default());
    ordered.report(Mode::Full, Some(&broken), &mut apart);
    unordered.report(Mode::Full, Some(&broken), &mut alone);
    assert_eq!([apart.at_all(), alone.at_all()], [true, true]);
    ordered.report(Mode::Steady, None, &mut apart);
    unordered.report(Mode::Steady, None, &mut alone);
    assert_eq!([apart.at_all(), alone.at_all()], [true, false]);
}

#[test]
fn a_limit_is_logged_when_it_is_reached_and_when_it_is_not_any_more() {
    let mut reached = Reached::default();
    let mut news = |pages, tasks| reached.news([("pages", pages), ("tasks", tasks)].into_iter());
    assert_eq!(news(0, 0), []);
    assert_eq!(news(0, 3), [("tasks", 3)]);
    assert_eq!(news(1, 4), [("pages", 1)]);
    assert_eq!(news(1, 0), [("tasks", 0)]);
    assert_eq!(news(1, 0), []);
}
