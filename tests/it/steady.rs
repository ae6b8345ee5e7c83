use virt_task_exporter::simulator::{
    Endpoint, Fault, FaultKind, NaturalOrder, OrderBy, Paging, SddcManagerOptions, TaskError,
    TaskStatus,
};

use crate::support::{Bench, Page, options, task};

/// An SDDC Manager with `count` finished tasks `t0`, `t1` and so on, a minute
/// apart, that was polled in full.
async fn with(count: usize, change: impl FnOnce(&mut SddcManagerOptions)) -> Bench {
    let mut options = options();
    change(&mut options);
    let mut bench = Bench::with("", options).await;
    for number in 0..count {
        finished(&bench, &format!("t{number}"));
    }
    bench.poll().await;
    bench.sim.clear_requests();
    bench
}

/// One that keeps its tasks in order.
async fn with_tasks(count: usize) -> Bench {
    with(count, |_| {}).await
}

fn finished(bench: &Bench, id: &str) {
    bench.clock.pass(60);
    bench.sim.add(task(id));
    bench.sim.succeed(id);
}

/// The pages and the single tasks that were read since requests were cleared.
fn requests(bench: &Bench) -> (u64, u64) {
    let count = |endpoint| bench.sim.request_count(endpoint);
    (count(Endpoint::List), count(Endpoint::Task))
}

#[track_caller]
fn polls(page: &Page, full: u32, steady: u32) {
    let polls = page.metric("virt_source_polls_total");
    polls.clone().with("mode", "full").is(full);
    polls.with("mode", "steady").is(steady);
}

#[track_caller]
fn stands(page: &Page, status: &str, count: u32) {
    page.metric("virt_tasks")
        .with("status", status)
        .sums_to(count);
}

#[tokio::test]
async fn a_steady_poll_of_a_long_history_takes_few_requests() {
    let mut bench = Bench::new().await;
    bench.sim.history(10_000);
    bench.poll().await;
    assert_eq!(bench.sim.request_count(Endpoint::List), 100);
    bench.sim.clear_requests();
    let page = bench.poll_steadily().await;
    polls(&page, 1, 1);
    assert_eq!(requests(&bench).0, 1, "nothing is new");
    for number in 0..10 {
        finished(&bench, &format!("new{number}"));
    }
    bench.sim.clear_requests();
    let page = bench.poll_steadily().await;
    let (pages, tasks) = requests(&bench);
    assert!(pages == 2 && tasks <= 3, "{pages} {tasks}");
    page.metric("virt_task_finished_total").sums_to(10);
    page.metric("virt_tasks").sums_to(10_010);
    bench.sim.clear_requests();
    polls(&bench.poll_steadily().await, 1, 3);
    assert_eq!(requests(&bench).0, 1, "the total fits");
}

#[tokio::test]
async fn unfinished_tasks_deep_in_the_list_are_read_by_id() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("old"));
    for number in 0..300 {
        finished(&bench, &format!("t{number}"));
    }
    stands(&bench.poll().await, "running", 1);
    bench.sim.clear_requests();
    stands(&bench.poll_steadily().await, "running", 1);
    assert_eq!(requests(&bench), (1, 1));
    bench.sim.succeed("old");
    let page = bench.poll_steadily().await;
    stands(&page, "running", 0);
    page.metric("virt_task_finished_total").sums_to(1);
    bench.sim.clear_requests();
    polls(&bench.poll_steadily().await, 1, 3);
    assert_eq!(requests(&bench), (1, 0), "it has ended");
}

#[tokio::test]
async fn an_unfinished_task_that_no_id_finds_has_vanished_once_a_full_poll_says_so() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("old"));
    for number in 0..300 {
        finished(&bench, &format!("t{number}"));
    }
    bench.poll().await;
    bench.sim.remove("old");
    let page = bench.poll_steadily().await;
    polls(&page, 1, 1);
    page.metric("virt_task_vanished_total").sums_to(0);
    stands(&page, "running", 1);
    let page = bench.poll_steadily().await;
    polls(&page, 2, 1);
    page.metric("virt_task_vanished_total").sums_to(1);
    stands(&page, "running", 0);
    let page = bench.poll_steadily().await;
    polls(&page, 2, 2);
    page.metric("virt_task_vanished_total").sums_to(1);
}

#[tokio::test]
async fn more_unfinished_tasks_than_one_poll_reads_take_turns() {
    let mut bench = Bench::new().await;
    for number in 0..50 {
        bench.sim.add(task(&format!("old{number}")));
    }
    for number in 0..200 {
        finished(&bench, &format!("t{number}"));
    }
    bench.poll().await;
    for number in 0..50 {
        bench.sim.succeed(&format!("old{number}"));
    }
    for still in [30, 10, 0] {
        bench.sim.clear_requests();
        stands(&bench.poll_steadily().await, "running", still);
        assert!(requests(&bench).1 <= 20);
    }
}

#[tokio::test]
async fn the_newest_failures_are_watched_by_id_in_turn() {
    let mut bench = Bench::new().await;
    for number in 0..30 {
        let id = format!("failed{number:02}");
        bench.clock.pass(60);
        bench.sim.add(task(&id));
        bench.sim.fail(&id, TaskError::new("CODE", "It failed."));
    }
    for number in 0..200 {
        finished(&bench, &format!("t{number}"));
    }
    bench.poll().await;
    for number in 0..30 {
        let id = format!("failed{number:02}");
        bench.sim.change(&id, |task, _| task.resolved = true);
    }
    bench.sim.clear_requests();
    let page = bench.poll_steadily().await;
    page.metric("virt_task_unresolved_failures").sums_to(27);
    assert_eq!(requests(&bench), (1, 3));
    let open = page.metric("virt_open_task_info");
    open.with("task_id", "failed29").is_absent();
    for still in [24, 21, 18] {
        let page = bench.poll_steadily().await;
        page.metric("virt_task_unresolved_failures").sums_to(still);
    }
    let page = bench.poll().await;
    page.metric("virt_task_unresolved_failures").sums_to(0);
}

#[tokio::test]
async fn a_retry_of_a_watched_failure_shows_and_counts_once() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("old"));
    bench.sim.fail("old", TaskError::new("CODE", "It failed."));
    for number in 0..200 {
        finished(&bench, &format!("t{number}"));
    }
    bench.poll().await;
    assert!(bench.sim.retry("old"));
    stands(&bench.poll_steadily().await, "running", 1);
    bench.clock.pass(30);
    bench
        .sim
        .fail("old", TaskError::new("CODE", "It failed again."));
    let failed = |page: Page| page.metric("virt_task_failures_total").sums_to(1);
    failed(bench.poll_steadily().await);
    failed(bench.poll().await);
    failed(bench.poll_steadily().await);
}

#[tokio::test]
async fn what_changes_deeper_shows_at_the_next_full_poll() {
    let mut bench = with_tasks(300).await;
    bench.sim.set_status("t5", TaskStatus::Failed);
    stands(&bench.poll_steadily().await, "failed", 0);
    let page = bench.poll().await;
    stands(&page, "failed", 1);
    page.metric("virt_task_failures_total").sums_to(1);
}

#[tokio::test]
async fn what_changed_among_the_newest_lets_the_poll_read_on() {
    let mut bench = with_tasks(300).await;
    bench.sim.set_status("t250", TaskStatus::Failed);
    bench.sim.set_status("t150", TaskStatus::Failed);
    stands(&bench.poll_steadily().await, "failed", 2);
    assert_eq!(requests(&bench).0, 3);
}

#[tokio::test]
async fn a_server_that_does_not_order_its_tasks_is_polled_in_full() {
    for (paging, order_by, natural_order) in [
        (Paging::FromOne, OrderBy::Ignored, NaturalOrder::Insertion),
        (Paging::FromZero, OrderBy::Refused, NaturalOrder::Shuffled),
        (Paging::None, OrderBy::Honoured, NaturalOrder::NewestFirst),
    ] {
        let mut bench = with(250, |options| {
            options.paging = paging;
            options.order_by = order_by;
            options.natural_order = natural_order;
        })
        .await;
        bench.sim.set_status("t5", TaskStatus::Failed);
        let page = bench.poll_steadily().await;
        polls(&page, 2, 0);
        stands(&page, "failed", 1);
    }
}

#[tokio::test]
async fn every_form_of_paging_in_order_can_be_polled_steadily() {
    for paging in [
        Paging::FromZero,
        Paging::FromOne,
        Paging::NoMetadata { first: 0 },
        Paging::NoMetadata { first: 1 },
    ] {
        let mut bench = with(250, |options| {
            options.paging = paging;
            options.order_by = OrderBy::Refused;
            options.natural_order = NaturalOrder::NewestFirst;
        })
        .await;
        for number in 0..120 {
            finished(&bench, &format!("new{number}"));
        }
        let page = bench.poll_steadily().await;
        polls(&page, 1, 1);
        stands(&page, "succeeded", 370);
        page.metric("virt_task_finished_total").sums_to(120);
    }
}

#[tokio::test]
async fn an_order_that_ends_is_given_up_in_the_same_poll() {
    let mut bench = with_tasks(250).await;
    polls(&bench.poll_steadily().await, 1, 1);
    bench
        .sim
        .configure(|options| options.order_by = OrderBy::Ignored);
    finished(&bench, "new");
    let page = bench.poll_steadily().await;
    polls(&page, 2, 1);
    page.metric("virt_task_finished_total").sums_to(1);
    polls(&bench.poll_steadily().await, 3, 1);
    bench
        .sim
        .configure(|options| options.order_by = OrderBy::Honoured);
    polls(&bench.poll_steadily().await, 4, 1);
    polls(&bench.poll_steadily().await, 4, 2);
}

#[tokio::test]
async fn of_more_news_than_some_pages_the_rest_is_read_in_full() {
    let mut bench = with_tasks(10).await;
    bench.sim.history(2_500);
    for number in 0..2_100 {
        finished(&bench, &format!("new{number}"));
    }
    let page = bench.poll_steadily().await;
    polls(&page, 1, 1);
    page.metric("virt_tasks").sums_to(2_010);
    let page = bench.poll_steadily().await;
    polls(&page, 2, 1);
    page.metric("virt_tasks").sums_to(4_610);
    polls(&bench.poll_steadily().await, 2, 2);
}

#[tokio::test]
async fn a_total_that_does_not_fit_makes_the_next_poll_a_full_one() {
    let mut bench = with_tasks(300).await;
    bench.sim.remove("t5");
    let page = bench.poll_steadily().await;
    polls(&page, 1, 1);
    stands(&page, "succeeded", 300);
    let page = bench.poll_steadily().await;
    polls(&page, 2, 1);
    stands(&page, "succeeded", 299);
    polls(&bench.poll_steadily().await, 2, 2);
}

#[tokio::test]
async fn a_total_that_lies_once_takes_nothing_away() {
    let mut bench = with_tasks(300).await;
    let lie = FaultKind::LyingTotals {
        elements: 100,
        pages: 1,
    };
    bench.sim.inject(Fault::new(Endpoint::List, lie).times(1));
    let page = bench.poll_steadily().await;
    polls(&page, 1, 1);
    stands(&page, "succeeded", 300);
    polls(&bench.poll_steadily().await, 2, 1);
    polls(&bench.poll_steadily().await, 2, 2);
}

#[tokio::test]
async fn a_list_that_a_steady_poll_reads_whole_misses_what_left_it() {
    let mut bench = with_tasks(50).await;
    polls(&bench.poll_steadily().await, 1, 1);
    bench.sim.remove("t5");
    finished(&bench, "new");
    let page = bench.poll_steadily().await;
    polls(&page, 1, 2);
    bench.poll_steadily().await;
    let page = bench.poll_steadily().await;
    stands(&page, "succeeded", 50);
}

#[tokio::test]
async fn what_cannot_be_read_counts_once_a_full_poll() {
    let mut bench = Bench::new().await;
    bench.sim.add_raw_text("7");
    bench
        .sim
        .add(task("odd").with_field("status", "NEW".into()));
    for poll in 1..4 {
        let page = if poll < 3 {
            bench.poll().await
        } else {
            bench.poll_steadily().await
        };
        let counted = poll.min(2);
        page.metric("virt_task_skipped_total").sums_to(counted);
        page.metric("virt_task_unknown_status_total").is(counted);
        page.metric("virt_source_listing_complete").is(1);
    }
}

#[tokio::test]
async fn a_full_poll_gives_way_and_what_was_met_last_counts() {
    let mut bench = Bench::new().await;
    for number in 0..450 {
        finished(&bench, &format!("t{number}"));
    }
    bench.clock.pass(60);
    for id in ["met", "unmet"] {
        bench.sim.add(task(id));
    }
    bench.poll().await;
    assert!(!bench.watch.poll_a_page().await, "a page of five");
    bench.sim.succeed("met");
    bench.sim.remove("unmet");
    finished(&bench, "new");
    let page = bench.poll_steadily().await;
    let is_right = |page: &Page, running: u32| {
        stands(page, "running", running);
        stands(page, "succeeded", 452);
        page.metric("virt_task_finished_total").sums_to(2);
        page.metric("virt_task_started_total").sums_to(3);
        page.metric("virt_task_vanished_total").sums_to(1 - running);
    };
    is_right(&page, 1);
    polls(&page, 1, 1);
    while !bench.watch.poll_a_page().await {}
    // This one had seen it before it went.
    is_right(&bench.watch.page(), 1);
    polls(&bench.watch.page(), 2, 1);
    is_right(&bench.poll_steadily().await, 0);
    polls(&bench.watch.page(), 3, 1);
    is_right(&bench.poll_steadily().await, 0);
}

#[tokio::test]
async fn steady_polls_go_on_when_a_full_one_fails_half_way() {
    let mut bench = with_tasks(300).await;
    let fault = Fault::new(Endpoint::List, FaultKind::Status(500));
    bench.sim.inject(fault.after(1).times(1));
    bench.fail().await;
    finished(&bench, "new");
    let page = bench.poll_steadily().await;
    polls(&page, 2, 1);
    page.metric("virt_task_finished_total").sums_to(1);
    page.metric("virt_source_up").is(1);
}

#[tokio::test]
async fn the_end_of_the_last_full_poll_is_told_apart() {
    let mut bench = with_tasks(300).await;
    let full = |page: &Page| {
        page.metric("virt_source_last_full_poll_timestamp_seconds")
            .value()
    };
    let any = |page: &Page| {
        page.metric("virt_source_last_success_timestamp_seconds")
            .value()
    };
    let first = bench.poll_steadily().await;
    bench.clock.pass(60);
    let second = bench.poll_steadily().await;
    assert!(full(&second) < full(&first) + 1.0);
    assert!(any(&second) > full(&second) + 59.0);
    let third = bench.poll().await;
    assert!(full(&third) > full(&first) + 59.0);
}

#[tokio::test]
async fn a_failure_that_is_resolved_among_the_newest_lets_the_poll_read_on() {
    let mut bench = with_tasks(300).await;
    bench.sim.set_status("t250", TaskStatus::Failed);
    bench.poll_steadily().await;
    bench.sim.change("t250", |task, _| task.resolved = true);
    bench.sim.set_status("t150", TaskStatus::Failed);
    let page = bench.poll_steadily().await;
    page.metric("virt_task_unresolved_failures").sums_to(1);
    page.metric("virt_open_task_info")
        .with("task_id", "t150")
        .is(1);
}

#[tokio::test]
async fn the_first_page_says_how_many_tasks_there_are() {
    let mut bench = with_tasks(300).await;
    finished(&bench, "new");
    let later = FaultKind::LyingTotals {
        elements: 400,
        pages: 4,
    };
    let fault = Fault::new(Endpoint::List, later);
    bench.sim.inject(fault.after(1).times(1));
    polls(&bench.poll_steadily().await, 1, 1);
    assert_eq!(requests(&bench).0, 2);
    polls(&bench.poll_steadily().await, 1, 2);
}

#[tokio::test]
async fn a_list_that_was_not_read_whole_shows_no_order() {
    let mut bench = Bench::new().await;
    for number in 0..300 {
        finished(&bench, &format!("t{number}"));
    }
    let more = FaultKind::LyingTotals {
        elements: 1_000,
        pages: 10,
    };
    bench.sim.inject(Fault::new(Endpoint::List, more.clone()));
    let page = bench.poll().await;
    page.metric("virt_source_listing_complete").is(0);
    polls(&bench.poll_steadily().await, 2, 0);
    bench.sim.clear_faults();
    polls(&bench.poll().await, 3, 0);
    polls(&bench.poll_steadily().await, 3, 1);
    bench.sim.inject(Fault::new(Endpoint::List, more));
    polls(&bench.poll().await, 4, 1);
    bench.sim.clear_faults();
    // What was shown before stands.
    polls(&bench.poll_steadily().await, 4, 2);
}
