use super::*;
use crate::task::{Call, Node, NodeKind, Resource, Task, TaskError, fold};

const PART: &str = "tasks";
const LIMITS: Limits = Limits {
    retention: Duration::from_secs(30 * 86_400),
    failure_open_for: Duration::from_secs(30 * 86_400),
    birth_hold: Duration::ZERO,
    operations: 200,
    subtask_names: 500,
    error_codes: 100,
};

/// So many seconds after noon of a day.
fn at(second: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(second)
}

/// A task of the operation `OP`, in the SDDC Manager's words.
fn task(id: &str, word: &str) -> Task {
    let status = match word {
        "IN_PROGRESS" => Status::Running,
        "SUCCESSFUL" => Status::Succeeded,
        "FAILED" => Status::Failed,
        "CANCELLED" => Status::Cancelled,
        _ => Status::Unknown,
    };
    Task {
        id: id.to_owned(),
        name: format!("Task {id}"),
        operation: "OP".to_owned(),
        status,
        word: fold(word),
        started: Some(at(0)),
        ended: None,
        invalid_timestamps: false,
        resolved: false,
        retryable: None,
        resources: vec![Resource {
            id: "host-1".to_owned(),
            kind: "HOST".to_owned(),
            name: String::new(),
        }],
        errors: Vec::new(),
        subtasks: Vec::new(),
        progress: None,
    }
}

fn ended(id: &str, word: &str, end: i64) -> Task {
    Task {
        ended: Some(at(end)),
        ..task(id, word)
    }
}

fn failed_in(id: &str, subtasks: &[&str]) -> Task {
    let node = |name: &&str| Node {
        name: (*name).to_owned(),
        kind: NodeKind::SubTask,
        status: Status::Failed,
        moved: None,
        errors: Vec::new(),
        children: Vec::new(),
    };
    Task {
        subtasks: subtasks.iter().map(node).collect(),
        errors: vec![TaskError {
            code: Some("CODE".to_owned()),
            ..TaskError::default()
        }],
        ..task(id, "FAILED")
    }
}

/// A ledger and the source that it follows.
struct Story {
    ledger: Ledger,
    second: i64,
}

impl Story {
    /// After a baseline of these tasks.
    fn after(baseline: Vec<Task>) -> Self {
        let mut story = Self {
            ledger: Ledger::new(LIMITS),
            second: 0,
        };
        story.poll(baseline);
        story
    }

    /// A complete listing of these tasks, a minute after the last.
    fn poll(&mut self, tasks: Vec<Task>) -> Vec<Event> {
        self.apply(listing(tasks, true))
    }

    fn apply(&mut self, listing: Listing) -> Vec<Event> {
        self.second += 60;
        let now = at(self.second);
        let now = Now {
            here: now,
            there: now,
        };
        let changes = self.ledger.apply(listing, now);
        self.check_sums();
        changes.into_iter().map(|change| change.event).collect()
    }

    fn check_sums(&self) {
        let listed = self.ledger.entries.values();
        let listed = listed.filter(|entry| entry.is_listed()).count();
        let counted = self.ledger.operations().iter();
        let counted: u64 = counted
            .map(|(_, operation)| self.ledger.counts(operation).total())
            .sum();
        assert_eq!(u64::try_from(listed).unwrap(), counted);
    }

    fn sum(&self, counts: impl Fn(Child) -> bool) -> u64 {
        let all = self.ledger.totals().counts();
        all.filter(|(child, _)| counts(*child))
            .map(|(_, count)| count)
            .sum()
    }

    fn finished(&self, status: Status) -> u64 {
        self.sum(|child| matches!(child, Child::Finished(_, each) if each == status))
    }

    fn failures(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Failures(..)))
    }

    fn subtask_failures(&self) -> u64 {
        self.sum(|child| matches!(child, Child::SubtaskFailures(..)))
    }

    fn started(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Started(_)))
    }

    fn vanished(&self) -> u64 {
        self.sum(|child| matches!(child, Child::Vanished(_)))
    }

    fn open(&self) -> Vec<&str> {
        let open = self.ledger.open();
        let mut ids: Vec<_> = open.map(|open| open.task.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }
}

fn listing(tasks: Vec<Task>, whole: bool) -> Listing {
    let mut listing = Listing::new();
    for task in tasks {
        listing.meet(PART, Call::List, task);
    }
    listing.read(PART, whole);
    listing
}

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
fn places_of_failure_known_from_the_baseline_are_not_counted_later() {
    let mut story = Story::after(vec![failed_in("a", &["x"])]);
    story.poll(vec![failed_in("a", &["x"])]);
    assert_eq!(story.subtask_failures(), 0);
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
fn an_unfinished_task_vanishes_only_when_it_is_gone_by_id_too() {
    let mut story = Story::after(vec![]);
    story.poll(vec![task("a", "IN_PROGRESS")]);
    assert_eq!(
        story.ledger.missing(&listing(vec![], true)),
        [(PART.into(), "a".to_owned())]
    );
    assert_eq!(story.ledger.missing(&listing(vec![], false)), []);
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
