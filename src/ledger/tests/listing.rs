use super::*;

#[test]
fn an_unfinished_task_vanishes_only_when_it_is_gone_by_id_too() {
    let mut story = Story::after(vec![]);
    story.poll(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(story.ledger.unmet(&listing(vec![], true)).missing(), ["a"]);
    let unread = story.ledger.unmet(&listing(vec![], false)).missing();
    assert!(unread.is_empty(), "{unread:?}");
    story.poll(vec![]);
    assert_eq!((story.vanished(), story.open()), (0, vec!["a"]));
    let gone = || {
        let mut gone = listing(vec![], true);
        gone.gone(TaskKey::of("a"));
        gone
    };
    story.apply(gone());
    assert_eq!(story.vanished(), 1);
    story.apply(gone());
    assert_eq!((story.vanished(), story.open()), (1, vec![]));
    story.poll(vec![ended("a", "SUCCESSFUL", 200)]);
    assert_eq!(
        story.finished(Status::Succeeded),
        1,
        "its outcome came late"
    );
    assert_eq!(story.started(), 1);
}

#[test]
fn a_task_whose_outcome_was_counted_does_not_vanish() {
    let mut story = Story::after(vec![]);
    story.poll(vec![task("a", "FAILED")]);
    story.poll(vec![task("a", "WEIRD")]);
    let mut gone = listing(vec![], true);
    gone.gone(TaskKey::of("a"));
    story.apply(gone);
    assert_eq!(story.vanished(), 0);
}

#[test]
fn a_list_that_goes_back_in_time_counts_nothing_twice() {
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "SUCCESSFUL", 10), ended("b", "FAILED", 20)]);
    story.poll(vec![]);
    story.poll(vec![ended("a", "SUCCESSFUL", 10)]);
    story.poll(vec![ended("a", "SUCCESSFUL", 10), ended("b", "FAILED", 20)]);
    assert_eq!(story.finished(Status::Succeeded), 1);
    assert_eq!(story.finished(Status::Failed), 1);
    assert_eq!(story.started(), 2);
}

#[test]
fn entries_leave_after_the_retention() {
    let mut story = Story::after(vec![task("a", "SUCCESSFUL")]);
    story.poll(vec![]);
    assert_eq!(story.ledger.len(), 1);
    story.second += 31 * 86_400;
    story.poll(vec![]);
    assert_eq!(story.ledger.len(), 1, "a jump of the clock is no time");
    for _ in 0..31 * 24 {
        story.second += 3_540;
        story.poll(vec![]);
    }
    assert_eq!(story.ledger.len(), 0);
}

#[test]
fn the_last_change_is_when_anything_moved() {
    let mut story = Story::after(vec![]);
    let change = |story: &Story| story.ledger.open().next().unwrap().last_change;
    story.poll(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(change(&story), at(0), "the newest time in the task");
    story.poll(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(change(&story), at(0));
    let moved = Task {
        progress: Some(0.5),
        ..task("a", "IN_PROGRESS")
    };
    story.poll(vec![moved]);
    assert_eq!(change(&story), at(story.second));
}

#[test]
fn durations_need_both_ends() {
    let mut story = Story::after(vec![]);
    story.poll(vec![
        ended("a", "SUCCESSFUL", 42),
        task("b", "SUCCESSFUL"),
        Task {
            started: None,
            ..ended("c", "SUCCESSFUL", 42)
        },
    ]);
    let totals = story.ledger.totals();
    let child = |(child, _)| matches!(child, Child::Durations(..)).then_some(child);
    let durations: Vec<_> = totals.counts().filter_map(child).collect();
    assert_eq!(durations.len(), 1);
    let Some(Amount::Durations(histogram)) = totals.value(durations[0]) else {
        panic!("no histogram");
    };
    assert_eq!(histogram.count(), 1);
    assert!((histogram.sum() - 42.0).abs() < f64::EPSILON);
}

#[test]
fn a_part_that_left_the_configuration_lists_nothing_and_counts_nothing() {
    let mut story = Story::after(vec![task("a", "IN_PROGRESS")]);
    let restore = || {
        let mut listing = Listing::new();
        listing.meet("restore r", Call::ById, task("r", "IN_PROGRESS"));
        listing.read("restore r", true);
        listing
    };
    story.apply(restore());
    assert_eq!(story.open(), ["a", "r"]);
    story.ledger.retire(|part| part == PART);
    assert_eq!(story.open(), ["a"]);
    story.check_sums();
    story.poll(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(story.vanished(), 0);
    story.apply(restore());
    assert_eq!((story.open(), story.started()), (vec!["a", "r"], 2));
}

#[test]
fn a_task_that_flaps_vanishes_once_until_it_ends() {
    let mut story = Story::after(vec![]);
    let gone = || {
        let mut gone = listing(vec![], true);
        gone.gone(TaskKey::of("a"));
        gone
    };
    for _ in 0..2 {
        story.poll(vec![task("a", "IN_PROGRESS")]);
        story.apply(gone());
    }
    assert_eq!(story.vanished(), 1);
    story.poll(vec![task("a", "FAILED")]);
    story.poll(vec![task("a", "IN_PROGRESS")]);
    story.apply(gone());
    assert_eq!(story.vanished(), 2, "it ran again");
}

#[test]
fn the_same_task_told_differently_by_its_id_has_not_moved() {
    let mut ledger = Ledger::new(LIMITS);
    let listed = ended("t", "FAILED", 60);
    let by_id = Task {
        started: None,
        ended: None,
        ..listed.clone()
    };
    let mut changed = by_id.clone();
    changed.subtasks = failed_in("t", &["step"]).subtasks;
    let polls = [
        (Call::List, &listed, 100),
        (Call::ById, &by_id, 100),
        (Call::List, &listed, 100),
        (Call::ById, &by_id, 100),
        (Call::ById, &changed, 104),
        (Call::ById, &changed, 104),
    ];
    for (second, (call, task, moved)) in (100..).zip(polls) {
        let mut listing = Listing::new();
        listing.meet(PART, call, task.clone());
        listing.read(PART, true);
        let now = Now {
            here: at(second),
            there: at(second),
        };
        ledger.apply(listing, now);
        let open = ledger.open().next().unwrap();
        let expected = if moved == 100 { at(60) } else { at(moved) };
        assert_eq!(open.last_change, expected, "poll {second}");
        assert_eq!(open.task.started, Some(at(0)));
    }
}

#[test]
fn entries_leave_after_the_retention_although_no_list_is_read_whole() {
    let mut story = Story::after(vec![task("a", "SUCCESSFUL")]);
    story.poll(vec![]);
    let newest = || {
        let mut listing = Listing::new();
        listing.read(PART, crate::task::Extent::Newest);
        listing
    };
    for _ in 0..32 * 24 {
        story.second += 3_540;
        story.apply(newest());
    }
    assert_eq!(story.ledger.len(), 0);
}
