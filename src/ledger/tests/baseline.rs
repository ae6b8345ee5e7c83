use super::*;

#[test]
fn history_is_shown_and_not_counted() {
    let story = Story::after(vec![ended("a", "SUCCESSFUL", 9), task("b", "FAILED")]);
    assert_eq!(story.finished(Status::Succeeded), 0);
    assert_eq!(story.finished(Status::Failed), 0);
    assert_eq!(story.started(), 0);
    let (_, operation) = story.ledger.operations().iter().next().unwrap();
    assert_eq!(story.ledger.counts(operation).get(Status::Succeeded), 1);
    let recency = story.ledger.recency(operation).unwrap();
    assert_eq!(recency.last_success(), Some(at(9)));
    assert_eq!(recency.typical_duration(), Some(Duration::from_secs(9)));
    assert_eq!(story.open(), ["b"]);
}

#[test]
fn what_is_unfinished_at_the_baseline_counts_when_it_ends() {
    let mut story = Story::after(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(story.started(), 1);
    story.poll(vec![ended("a", "SUCCESSFUL", 30)]);
    assert_eq!(story.finished(Status::Succeeded), 1);
}

#[test]
fn an_incomplete_baseline_stays_a_baseline_until_a_whole_one() {
    let mut story = Story::after(vec![]);
    story.ledger = Ledger::new(LIMITS);
    story.apply(listing(vec![ended("a", "SUCCESSFUL", 1)], false));
    story.poll(vec![
        ended("a", "SUCCESSFUL", 1),
        ended("b", "SUCCESSFUL", 2),
    ]);
    assert_eq!(story.finished(Status::Succeeded), 0);
    story.poll(vec![ended("c", "SUCCESSFUL", 3)]);
    assert_eq!(story.finished(Status::Succeeded), 1);
}

#[test]
fn a_task_that_ended_before_the_retention_is_no_news() {
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "FAILED", -31 * 86_400)]);
    assert_eq!(story.finished(Status::Failed), 0);
    assert_eq!(story.started(), 0);
    assert_eq!(story.open(), [""; 0], "and it is too old to be open");
}

#[test]
fn places_of_failure_known_from_the_baseline_are_not_counted_later() {
    let mut story = Story::after(vec![failed_in("a", &["x"])]);
    story.poll(vec![failed_in("a", &["x"])]);
    assert_eq!(story.subtask_failures(), 0);
}

#[test]
fn an_incomplete_baseline_hides_no_failure_that_ended_after_it() {
    let mut story = Story::after(vec![]);
    story.ledger = Ledger::new(LIMITS);
    story.apply(listing(vec![], false));
    let first = story.second;
    story.apply(listing(vec![ended("old", "FAILED", first - 1)], false));
    assert_eq!(story.finished(Status::Failed), 0, "it was hidden then");
    story.apply(listing(vec![ended("new", "FAILED", first + 1)], false));
    assert_eq!(story.finished(Status::Failed), 1);
}
