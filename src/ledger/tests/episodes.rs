use super::*;

#[test]
fn the_same_listing_again_changes_nothing() {
    let mut story = Story::after(vec![]);
    let tasks = || {
        vec![
            failed_in("a", &["x"]),
            ended("b", "SUCCESSFUL", 5),
            task("c", "IN_PROGRESS"),
        ]
    };
    assert!(!story.poll(tasks()).is_empty());
    assert_eq!(story.poll(tasks()), []);
}

#[test]
fn a_retry_that_is_seen_makes_a_second_episode() {
    let mut story = Story::after(vec![]);
    for word in ["IN_PROGRESS", "FAILED", "IN_PROGRESS", "FAILED"] {
        story.poll(vec![task("a", word)]);
    }
    assert_eq!(story.finished(Status::Failed), 2);
    assert_eq!(story.started(), 1);
    story.poll(vec![task("a", "IN_PROGRESS")]);
    story.poll(vec![task("a", "SUCCESSFUL")]);
    assert_eq!(story.finished(Status::Succeeded), 1);
    assert_eq!(story.open(), [""; 0]);
}

#[test]
fn a_retry_that_is_not_seen_shows_by_its_completion_time() {
    let mut story = Story::after(vec![ended("a", "FAILED", 10)]);
    let millisecond_later = Task {
        ended: Some(at(10) + SignedDuration::from_millis(999)),
        ..task("a", "FAILED")
    };
    story.poll(vec![millisecond_later]);
    assert_eq!(story.finished(Status::Failed), 0, "less than a second");
    story.poll(vec![ended("a", "FAILED", 70)]);
    assert_eq!(story.finished(Status::Failed), 1);
    story.poll(vec![task("a", "FAILED")]);
    story.poll(vec![ended("a", "FAILED", 70)]);
    assert_eq!(
        story.finished(Status::Failed),
        1,
        "a missing time says nothing"
    );
    story.poll(vec![ended("a", "SUCCESSFUL", 75)]);
    assert_eq!(
        story.finished(Status::Succeeded),
        1,
        "another outcome is news"
    );
}

#[test]
fn times_of_two_kinds_of_call_are_not_compared() {
    let by_id = |end| {
        let mut listing = Listing::new();
        listing.meet(PART, Call::ById, ended("a", "FAILED", end));
        listing.read(PART, false);
        listing
    };
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "FAILED", 10)]);
    story.apply(by_id(20));
    story.poll(vec![ended("a", "FAILED", 10)]);
    assert_eq!(story.finished(Status::Failed), 1);
    story.poll(vec![ended("a", "FAILED", 50)]);
    assert_eq!(story.finished(Status::Failed), 2, "the list said so");
    story.apply(by_id(60));
    assert_eq!(story.finished(Status::Failed), 2);
}

#[test]
fn an_outcome_that_turns_unknown_and_back_is_one_episode() {
    let mut story = Story::after(vec![]);
    for word in ["FAILED", "WEIRD", "FAILED"] {
        story.poll(vec![task("a", word)]);
    }
    assert_eq!(story.finished(Status::Failed), 1);
    story.poll(vec![task("a", "WEIRD")]);
    story.poll(vec![task("a", "SUCCESSFUL")]);
    assert_eq!(story.finished(Status::Succeeded), 1);
}

#[test]
fn another_reading_of_the_same_word_is_no_event() {
    let mut story = Story::after(vec![]);
    story.poll(vec![task("a", "ARCHIVED")]);
    let read_otherwise = Task {
        status: Status::Succeeded,
        ..task("a", "ARCHIVED")
    };
    story.poll(vec![read_otherwise]);
    assert_eq!(story.finished(Status::Succeeded), 0);
}

#[test]
fn an_episode_that_a_restored_list_shows_again_is_no_other_one() {
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "FAILED", 10)]);
    story.poll(vec![ended("a", "SUCCESSFUL", 70)]);
    for _ in 0..2 {
        story.poll(vec![ended("a", "FAILED", 10)]);
        story.poll(vec![ended("a", "SUCCESSFUL", 70)]);
    }
    assert_eq!(story.finished(Status::Failed), 1);
    assert_eq!(story.finished(Status::Succeeded), 1);
    story.poll(vec![ended("a", "FAILED", 130)]);
    assert_eq!(story.finished(Status::Failed), 2, "it failed anew");
}

#[test]
fn two_ends_of_one_outcome_shown_in_turn_are_two_episodes() {
    let mut story = Story::after(vec![]);
    for _ in 0..3 {
        story.poll(vec![ended("a", "FAILED", 10)]);
        story.poll(vec![ended("a", "FAILED", 70)]);
    }
    assert_eq!(story.finished(Status::Failed), 2);
    let mut story = Story::after(vec![ended("a", "FAILED", 70)]);
    for _ in 0..3 {
        story.poll(vec![ended("a", "FAILED", 10)]);
        story.poll(vec![ended("a", "FAILED", 70)]);
    }
    assert_eq!(story.finished(Status::Failed), 0, "both are history");
}

#[test]
fn a_list_that_went_back_counts_nothing_though_another_call_shows_it() {
    let mut story = Story::after(vec![]);
    story.poll(vec![ended("a", "SUCCESSFUL", 10)]);
    story.poll(vec![ended("a", "FAILED", 20)]);
    let mut went_back = Listing::new();
    went_back.meet(PART, Call::ById, ended("a", "SUCCESSFUL", 10));
    went_back.read(PART, true);
    assert_eq!(story.apply(went_back), []);
    assert_eq!(story.finished(Status::Succeeded), 1);
    assert_eq!(story.finished(Status::Failed), 1);
}
