use super::*;

#[test]
fn a_failure_counts_its_code_and_each_place_once() {
    let mut story = Story::after(vec![]);
    story.poll(vec![failed_in("a", &["x", "y"])]);
    assert_eq!(story.subtask_failures(), 2);
    story.poll(vec![failed_in("a", &["x", "y", "z"])]);
    assert_eq!(
        story.subtask_failures(),
        3,
        "a place that shows late counts"
    );
    story.poll(vec![task("a", "IN_PROGRESS")]);
    story.poll(vec![failed_in("a", &["x"])]);
    assert_eq!(story.subtask_failures(), 4, "a new episode counts anew");
    let code = story.ledger.error_codes().iter().next().unwrap();
    assert_eq!(&**code.0, "CODE");
    assert_eq!(story.failures(), 2);
}

#[test]
fn a_place_that_shows_late_in_history_or_comes_back_is_not_counted() {
    let mut story = Story::after(vec![failed_in("a", &[])]);
    story.poll(vec![failed_in("a", &["x"])]);
    assert_eq!(story.subtask_failures(), 0, "the failure is history");
    story.poll(vec![failed_in("b", &["x"])]);
    for subtasks in [&[][..], &["x"], &[], &["x"]] {
        story.poll(vec![failed_in("b", subtasks)]);
    }
    assert_eq!(
        story.subtask_failures(),
        1,
        "a place counts once an episode"
    );
}

#[test]
fn a_failure_closes_by_resolution_by_retry_by_success_and_by_age() {
    let resolved = Task {
        resolved: true,
        ..task("a", "FAILED")
    };
    let mut story = Story::after(vec![task("a", "FAILED")]);
    story.poll(vec![resolved]);
    assert_eq!(story.open(), [""; 0], "the source said so");

    let later = |word| Task {
        started: Some(at(1)),
        ..task("b", word)
    };
    let mut story = Story::after(vec![task("a", "FAILED")]);
    story.poll(vec![task("a", "FAILED"), later("IN_PROGRESS")]);
    assert_eq!(story.open(), ["a", "b"]);
    story.poll(vec![task("a", "FAILED"), later("SUCCESSFUL")]);
    assert_eq!(story.open(), [""; 0], "a later success on the same host");
    story.poll(vec![task("a", "FAILED")]);
    assert_eq!(story.open(), [""; 0], "and it stays so");

    let story = Story::after(vec![later("SUCCESSFUL"), task("a", "FAILED")]);
    assert_eq!(story.open(), [""; 0], "a success that was known before");

    let mut story = Story::after(vec![task("a", "FAILED")]);
    story.second += 31 * 86_400;
    story.poll(vec![task("a", "FAILED")]);
    story.poll(vec![task("a", "FAILED")]);
    assert_eq!(story.open(), [""; 0], "too old");
}

#[test]
fn neither_an_earlier_success_nor_one_elsewhere_resolves_a_failure() {
    let elsewhere = Task {
        started: Some(at(5)),
        resources: Vec::new(),
        ..task("c", "SUCCESSFUL")
    };
    let other_operation = Task {
        started: Some(at(5)),
        operation: "OTHER".to_owned(),
        ..task("d", "SUCCESSFUL")
    };
    let earlier = task("b", "SUCCESSFUL");
    let story = Story::after(vec![
        task("a", "FAILED"),
        earlier,
        elsewhere,
        other_operation,
    ]);
    assert_eq!(story.open(), ["a"]);
}

#[test]
fn a_failure_of_unknown_time_that_grew_too_old_does_not_open_again() {
    let timeless = || Task {
        started: None,
        ..task("a", "FAILED")
    };
    let mut story = Story::after(vec![timeless()]);
    assert_eq!(story.open(), ["a"]);
    story.second += 31 * 86_400;
    for _ in 0..3 {
        story.poll(vec![timeless()]);
        assert_eq!(story.open(), [""; 0]);
    }
}

#[test]
fn a_clock_that_was_wrong_for_a_while_hides_no_failure() {
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "FAILED", 10)]);
    let right = story.second;
    story.second += 40 * 86_400;
    story.poll(vec![ended("a", "FAILED", 10)]);
    assert_eq!(story.open(), [""; 0], "too old, as it seems");
    story.second = right;
    story.poll(vec![ended("a", "FAILED", 10)]);
    assert_eq!(story.open(), ["a"]);
    assert_eq!(story.failures(), 1);
}

#[test]
fn a_place_that_shows_after_an_unknown_status_counts_once() {
    let mut story = Story::after(vec![]);
    story.poll(vec![failed_in("a", &["x"])]);
    story.poll(vec![task("a", "WEIRD")]);
    for _ in 0..2 {
        story.poll(vec![failed_in("a", &["x", "y"])]);
    }
    assert_eq!((story.failures(), story.subtask_failures()), (1, 2));
    let timeless = || Task {
        started: None,
        ..task("b", "FAILED")
    };
    let mut story = Story::after(vec![timeless()]);
    story.second += 20 * 86_400;
    story.poll(vec![task("b", "WEIRD")]);
    story.poll(vec![timeless()]);
    story.second += 11 * 86_400;
    story.poll(vec![timeless()]);
    assert_eq!(story.open(), [""; 0], "its age goes on meanwhile");
}
