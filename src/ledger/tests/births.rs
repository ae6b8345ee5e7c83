use std::time::Instant;

use super::*;

const HOLD: Duration = Duration::from_secs(60);

/// A ledger, the page that is served of it, and when that was scraped first.
struct Served {
    kept: KeptLedger,
    start: Instant,
    page: Vec<(Child, u64)>,
    scraped: Option<Instant>,
    polls: i64,
}

impl Served {
    #[expect(
        clippy::disallowed_methods,
        reason = "only differences to it are looked at"
    )]
    fn new(hold: Duration) -> Self {
        let limits = Limits {
            birth_hold: hold,
            ..LIMITS
        };
        let mut served = Self {
            kept: KeptLedger::in_memory(limits),
            start: Instant::now(),
            page: Vec::new(),
            scraped: None,
            polls: 0,
        };
        served.poll(0, vec![]);
        served
    }

    /// Polls so many seconds after the start, and publishes.
    fn poll(&mut self, second: u64, tasks: Vec<Task>) {
        self.polls += 1;
        let now = at(100 + self.polls);
        let now = Now {
            here: now,
            there: now,
        };
        self.kept.scraped(self.scraped);
        self.kept.apply(listing(tasks, true), now);
        let instant = self.start + Duration::from_secs(second);
        self.kept.commit(instant, now.here);
        let shown = self.kept.ledger().totals().shown();
        self.page = shown
            .map(|(child, amount)| (child, amount.count()))
            .collect();
        self.kept.published(self.scraped.take());
    }

    /// Scrapes, and returns the failures and the durations that are shown.
    fn scrape(&mut self, second: u64) -> (Option<u64>, Option<u64>) {
        let at = self.start + Duration::from_secs(second);
        self.scraped.get_or_insert(at);
        let find = |wanted: fn(&Child) -> bool| {
            let found = self.page.iter().find(|(child, _)| wanted(child));
            found.map(|(_, count)| *count)
        };
        (
            find(|child| matches!(child, Child::Failures(..))),
            find(|child| matches!(child, Child::Durations(_, Status::Failed))),
        )
    }

    /// What would be shown first after the next start.
    fn closed(mut self) -> u64 {
        self.kept.scraped(self.scraped);
        self.kept.close(at(0));
        let mut shown = self.kept.ledger().totals().shown();
        let failures = shown.find(|(child, _)| matches!(child, Child::Failures(..)));
        failures.map_or(0, |(_, amount)| amount.count())
    }
}

/// So many failed tasks.
fn failed(count: usize) -> Vec<Task> {
    let task = |number| ended(&format!("t{number}"), "FAILED", 10);
    (0..count).map(task).collect()
}

#[test]
fn a_child_shows_zero_until_the_hold_has_passed_since_its_first_scrape() {
    let mut served = Served::new(HOLD);
    served.scrape(1);
    served.poll(30, failed(1));
    served.poll(600, failed(1));
    assert_eq!(served.scrape(610), (Some(0), Some(0)), "nobody scraped it");
    served.poll(669, failed(2));
    assert_eq!(served.scrape(669), (Some(0), Some(0)));
    served.poll(670, failed(3));
    assert_eq!(served.scrape(671), (Some(3), Some(3)));
    served.poll(672, failed(4));
    assert_eq!(served.scrape(673), (Some(4), Some(4)), "and then at once");
}

#[test]
fn an_outcome_of_a_known_operation_is_shown_at_once() {
    let mut served = Served::new(HOLD);
    served.poll(10, vec![task("a", "IN_PROGRESS")]);
    served.scrape(11);
    served.poll(80, vec![task("a", "IN_PROGRESS")]);
    served.scrape(81);
    served.poll(90, vec![task("a", "CANCELLED")]);
    let finished = |(child, count): &(Child, u64)| {
        matches!(child, Child::Finished(_, Status::Cancelled)).then_some(*count)
    };
    assert_eq!(served.page.iter().find_map(finished), Some(1));
}

#[test]
fn nothing_is_held_back_where_the_hold_is_off() {
    let mut served = Served::new(Duration::ZERO);
    served.poll(1, failed(2));
    assert_eq!(served.scrape(2), (Some(2), Some(2)));
    assert_eq!(served.kept.due(served.start), None);
}

#[test]
fn what_nobody_saw_is_taken_back_at_the_end() {
    let seen_at_two = |last_scrape: Option<u64>| {
        let mut served = Served::new(Duration::ZERO);
        served.poll(1, failed(2));
        served.scrape(2);
        served.poll(3, failed(3));
        served.poll(4, failed(5));
        if let Some(second) = last_scrape {
            served.scrape(second);
        }
        served.closed()
    };
    assert_eq!(seen_at_two(None), 2);
    assert_eq!(seen_at_two(Some(5)), 5);
}

#[test]
fn a_page_that_was_scraped_while_the_next_was_made_was_seen() {
    let mut served = Served::new(Duration::ZERO);
    served.poll(1, failed(1));
    served.poll(2, failed(2));
    // The poller learns of it only as it replaces the page.
    served.scrape(3);
    served.kept.scraped(None);
    let scraped = served.scraped.take();
    served.kept.apply(
        listing(failed(3), true),
        Now {
            here: at(500),
            there: at(500),
        },
    );
    served.kept.commit(served.start, at(500));
    served.kept.published(scraped);
    assert_eq!(served.closed(), 2);
}

#[test]
fn a_child_is_due_when_its_hold_ends() {
    let mut served = Served::new(HOLD);
    served.poll(1, failed(1));
    let second = |second| served.start + Duration::from_secs(second);
    assert_eq!(served.kept.due(second(5)), Some(second(65)), "at the least");
    served.scrape(10);
    served.kept.scraped(served.scraped);
    let second = |second| served.start + Duration::from_secs(second);
    assert_eq!(served.kept.due(second(20)), Some(second(70)));
}
