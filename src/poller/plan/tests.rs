use super::*;

const INTERVAL: Duration = Duration::from_secs(30);
const FULL: Duration = Duration::from_secs(600);

fn plan() -> (Plan, Instant) {
    let now = Instant::now();
    let schedule = Schedule {
        interval: INTERVAL,
        timeout: Duration::from_secs(25),
        full_interval: FULL,
        full_timeout: Duration::from_secs(1800),
    };
    (Plan::new(schedule, now), now)
}

fn error(reason: Reason) -> SourceError {
    SourceError::new(reason, "/v1/tasks", "scripted")
}

/// The modes of the polls of a source in order, until `until` has passed since
/// the start; each takes a second and ends as `outcome` says.
fn modes(until: Duration, outcome: impl Fn(Mode) -> Option<SourceError>) -> Vec<(u64, Mode)> {
    let (mut plan, start) = plan();
    let (mut now, mut ordered, mut modes) = (start, false, Vec::new());
    while now < start + until {
        let mode = plan.begin(now, ordered, false);
        modes.push(((now - start).as_secs(), mode));
        let error = outcome(mode);
        ordered |= error.is_none();
        now = plan.ended(mode, now + Duration::from_secs(1), error.as_ref());
    }
    modes
}

#[tokio::test(start_paused = true)]
async fn the_first_poll_is_full_and_so_is_one_every_full_interval() {
    let modes = modes(3 * FULL, |_| None);
    let full: Vec<_> = modes
        .iter()
        .filter(|(_, mode)| *mode == Mode::Full)
        .collect();
    assert_eq!(full.len(), 3, "{modes:?}");
    assert_eq!(modes[0], (0, Mode::Full));
    for pair in full.windows(2) {
        assert!((600..=634).contains(&(pair[1].0 - pair[0].0)), "{full:?}");
    }
    assert!((55..=66).contains(&modes.len()), "{}", modes.len());
}

#[tokio::test(start_paused = true)]
async fn every_poll_is_full_where_the_newest_cannot_be_read_alone() {
    let (mut plan, mut now) = plan();
    for _ in 0..5 {
        assert_eq!(plan.begin(now, false, false), Mode::Full);
        let next = plan.ended(Mode::Full, now, None);
        assert!((27..=33).contains(&(next - now).as_secs()));
        now = next;
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_loses_its_order_is_polled_in_full_next() {
    let (mut plan, now) = plan();
    assert_eq!(plan.begin(now, false, false), Mode::Full);
    let now = plan.ended(Mode::Full, now, None);
    assert_eq!(plan.begin(now, true, false), Mode::Steady);
    let now = plan.ended(Mode::Steady, now, None);
    assert_eq!(plan.begin(now, false, false), Mode::Full);
    let later = plan.ended(Mode::Full, now, None);
    assert_eq!(plan.begin(later, true, false), Mode::Steady);
    assert!(
        plan.full_due >= now + FULL,
        "the full interval starts again"
    );
}

#[tokio::test(start_paused = true)]
async fn steady_polls_go_on_while_full_ones_fail() {
    let (mut plan, start) = plan();
    let (mut now, mut modes) = (start, Vec::new());
    plan.begin(now, false, false);
    plan.ended(Mode::Full, now, None);
    now += FULL;
    while now < start + 3 * FULL {
        let mode = plan.begin(now, true, false);
        modes.push(mode);
        let fails = (mode == Mode::Full).then(|| error(Reason::Decode));
        now = plan.ended(mode, now, fails.as_ref());
    }
    let full = modes.iter().filter(|mode| **mode == Mode::Full).count();
    assert!(
        (6..=9).contains(&full),
        "they back off to five minutes: {full}"
    );
    assert!(modes.len() >= 34, "the rest are steady: {}", modes.len());
    assert!(!modes.windows(2).any(|pair| pair == [Mode::Full; 2]));
}

#[tokio::test(start_paused = true)]
async fn a_full_poll_gives_way_to_each_steady_one_and_goes_on_at_once() {
    let (mut plan, mut now) = plan();
    plan.begin(now, false, false);
    plan.ended(Mode::Full, now, None);
    now += FULL;
    let began = now;
    assert_eq!(plan.begin(now, true, false), Mode::Full);
    for _ in 0..3 {
        let due = plan.gives_way_at();
        assert!((27..=33).contains(&(due - now).as_secs()));
        now = due;
        plan.gave_way();
        assert_eq!(plan.begin(now, true, false), Mode::Steady);
        assert_eq!(plan.ended(Mode::Steady, now, None), now);
        assert_eq!(plan.begin(now, true, false), Mode::Full, "it goes on");
    }
    let next = plan.ended(Mode::Full, now, None);
    assert!(next <= now + INTERVAL.mul_f64(1.1));
    assert_eq!(plan.begin(next, true, false), Mode::Steady);
    assert_eq!(plan.full_due, began + FULL);
}

#[tokio::test(start_paused = true)]
async fn a_full_poll_under_way_goes_on_although_steady_ones_fail() {
    let (mut plan, now) = plan();
    plan.begin(now, false, false);
    plan.ended(Mode::Full, now, None);
    let now = now + FULL;
    plan.begin(now, true, false);
    plan.gave_way();
    let now = now + 2 * INTERVAL;
    assert_eq!(plan.begin(now, true, false), Mode::Steady);
    let next = plan.ended(Mode::Steady, now, Some(&error(Reason::Connect)));
    assert!(next >= now + INTERVAL.mul_f64(0.9), "after a pause");
    assert_eq!(plan.begin(next, true, false), Mode::Full);
    assert!(plan.gives_way_at() >= next + INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn more_news_than_a_steady_poll_has_time_for_are_read_in_full() {
    let (mut plan, now) = plan();
    plan.begin(now, false, false);
    let now = plan.ended(Mode::Full, now, None);
    assert_eq!(plan.begin(now, true, false), Mode::Steady);
    let now = plan.ended(Mode::Steady, now, Some(&error(Reason::Timeout)));
    assert_eq!(plan.begin(now, true, false), Mode::Full);
}

#[tokio::test(start_paused = true)]
async fn the_source_is_left_alone_for_as_long_as_it_asked_in_either_mode() {
    let asked = SourceError {
        retry_after: Some(Duration::from_secs(900)),
        ..error(Reason::RateLimited)
    };
    for mode in [Mode::Full, Mode::Steady] {
        let (mut plan, now) = plan();
        plan.begin(now, mode == Mode::Steady, false);
        let next = plan.ended(mode, now, Some(&asked));
        assert_eq!(next - now, Duration::from_secs(900));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_the_back_off_of_full_polls_while_steady_ones_succeed() {
    let (mut plan, now) = plan();
    plan.begin(now, false, false);
    plan.ended(Mode::Full, now, None);
    let mut now = now + FULL;
    // Full polls fail until they back off for minutes.
    for _ in 0..12 {
        let mode = plan.begin(now, true, false);
        let fails = (mode == Mode::Full).then(|| error(Reason::Forbidden));
        now = plan.ended(mode, now, fails.as_ref());
    }
    plan.reloaded(now);
    let modes = [plan.begin(now, true, false), {
        let next = plan.ended(Mode::Steady, now, None);
        plan.begin(next, true, false)
    }];
    assert!(modes.contains(&Mode::Full), "{modes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_full_poll_that_is_wanted_is_next_and_gives_way() {
    let (mut plan, now) = plan();
    plan.begin(now, false, false);
    let now = plan.ended(Mode::Full, now, None);
    assert_eq!(plan.begin(now, true, false), Mode::Steady);
    let now = plan.ended(Mode::Steady, now, None);
    assert_eq!(plan.begin(now, true, true), Mode::Full);
    let due = plan.gives_way_at();
    assert!((27..=33).contains(&(due - now).as_secs()));
    plan.gave_way();
    assert_eq!(plan.begin(due, true, false), Mode::Steady);
    plan.ended(Mode::Steady, due, None);
    assert_eq!(plan.begin(due, true, true), Mode::Full, "it goes on");
    let next = plan.ended(Mode::Full, due, None);
    assert_eq!(
        plan.begin(next, true, true),
        Mode::Full,
        "what was seen meanwhile is read once more"
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_poll_that_is_wanted_waits_while_full_ones_back_off() {
    let (mut plan, start) = plan();
    let (mut now, mut full) = (start, 0);
    while now < start + FULL {
        let mode = plan.begin(now, true, true);
        full += usize::from(mode == Mode::Full);
        let fails = (mode == Mode::Full).then(|| error(Reason::Decode));
        now = plan.ended(mode, now, fails.as_ref());
    }
    assert!((3..=6).contains(&full), "30, 60, 120, 240 s apart: {full}");
}
