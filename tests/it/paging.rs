use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use rstest::rstest;
use virt_task_exporter::simulator::{
    Endpoint, Fault, FaultKind, NaturalOrder, OrderBy, Paging, SddcManagerOptions, TaskStatus,
};

use crate::support::{Bench, Page, options, task};

const COUNTS: [usize; 6] = [0, 1, 99, 100, 101, 250];

const EVERY_PAGING: [Paging; 5] = [
    Paging::None,
    Paging::FromZero,
    Paging::FromOne,
    Paging::NoMetadata { first: 0 },
    Paging::NoMetadata { first: 1 },
];

/// An SDDC Manager with tasks `t0`, `t1` and so on, a minute apart.
async fn with_tasks(count: usize, change: impl FnOnce(&mut SddcManagerOptions)) -> Bench {
    let mut options = options();
    change(&mut options);
    let bench = Bench::with("", options).await;
    for number in 0..count {
        bench.clock.pass(60);
        bench.sim.add(task(&format!("t{number}")));
    }
    bench
}

#[track_caller]
fn whole(page: &Page, count: usize, what: &str) {
    let listed = page.metric("virt_tasks").sum();
    let expected = f64::from(u32::try_from(count).unwrap());
    assert!(
        (listed - expected).abs() < 1e-6,
        "{what}: {listed} of {count}"
    );
    let complete = page.metric("virt_source_listing_complete").value();
    assert!(complete > 0.5, "{what}: said to be incomplete");
}

#[rstest]
#[case(OrderBy::Honoured)]
#[case(OrderBy::Ignored)]
#[case(OrderBy::Refused)]
#[tokio::test]
async fn every_form_of_paging_gives_every_task_once(#[case] order_by: OrderBy) {
    for paging in EVERY_PAGING {
        for order in [NaturalOrder::Insertion, NaturalOrder::Shuffled] {
            for count in COUNTS {
                let mut bench = with_tasks(count, |options| {
                    options.paging = paging;
                    options.natural_order = order;
                    options.order_by = order_by;
                })
                .await;
                let what = format!("{paging:?} {order:?} {order_by:?} {count}");
                whole(&bench.poll().await, count, &what);
                assert_eq!(bench.sim.request_count(Endpoint::Task), 0, "{what}");
                for number in 0..count {
                    bench
                        .sim
                        .set_status(&format!("t{number}"), TaskStatus::Successful);
                }
                let page = bench.poll().await;
                let finished = page.metric("virt_task_finished_total").sum();
                let expected = f64::from(u32::try_from(count).unwrap());
                assert!(
                    (finished - expected).abs() < 1e-6,
                    "{what}: {finished} finished"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_small_default_page_size_loses_nothing() {
    for paging in EVERY_PAGING {
        for size in [1, 10, 99, 1000] {
            let mut bench = with_tasks(101, |options| {
                options.paging = paging;
                options.default_page_size = Some(size);
            })
            .await;
            if paging == Paging::None {
                continue;
            }
            whole(&bench.poll().await, 101, &format!("{paging:?} {size}"));
        }
    }
}

#[tokio::test]
async fn a_poll_asks_for_no_more_pages_than_there_are() {
    for (paging, count, most) in [
        (Paging::None, 250, 1),
        (Paging::FromZero, 250, 4),
        (Paging::FromOne, 250, 3),
        (Paging::FromOne, 0, 1),
        (Paging::FromOne, 100, 1),
        (Paging::NoMetadata { first: 0 }, 250, 4),
        (Paging::NoMetadata { first: 1 }, 250, 5),
    ] {
        let mut bench = with_tasks(count, |options| options.paging = paging).await;
        bench.poll().await;
        let asked = bench.sim.request_count(Endpoint::List);
        assert!(asked <= most, "{paging:?} {count}: {asked} pages");
    }
}

#[tokio::test]
async fn tasks_born_between_pages_are_met_and_push_none_out() {
    for paging in [
        Paging::FromOne,
        Paging::FromZero,
        Paging::NoMetadata { first: 1 },
    ] {
        let mut bench = with_tasks(250, |options| options.paging = paging).await;
        let clock = bench.clock.clone();
        bench.sim.on_page(move |sim, page| {
            clock.pass(1);
            if sim.tasks().len() < 270 {
                sim.add(task(&format!("born-{page}-{}", sim.tasks().len())));
            }
        });
        for _ in 0..8 {
            bench.poll().await;
        }
        bench.sim.on_page(|_, _| {});
        let page = bench.poll().await;
        let there = bench.sim.tasks().len();
        whole(&page, there, &format!("{paging:?}"));
        let births = f64::from(u32::try_from(there).unwrap());
        page.metric("virt_task_started_total").is(births);
        page.metric("virt_task_vanished_total").is(0);
    }
}

#[tokio::test]
async fn tasks_removed_between_pages_hide_no_other() {
    for paging in [Paging::FromOne, Paging::FromZero] {
        let mut bench = with_tasks(350, |options| options.paging = paging).await;
        bench.poll().await;
        // The newest goes while older pages are read, so those move up; once a poll.
        let armed = Arc::new(AtomicBool::new(false));
        let fires = Arc::clone(&armed);
        bench.sim.on_page(move |sim, page| {
            if page == 1 && fires.swap(false, SeqCst) {
                let newest = sim.tasks().pop().unwrap();
                sim.remove(&newest.id);
            }
        });
        for removed in 1..=3 {
            armed.store(true, SeqCst);
            let page = bench.poll().await;
            page.metric("virt_task_finished_total").sums_to(0);
            page.metric("virt_tasks").sums_to(350 - removed + 1);
        }
        bench.sim.on_page(|_, _| {});
        let page = bench.poll().await;
        whole(&page, 347, &format!("{paging:?}"));
        page.metric("virt_task_started_total").is(350);
        page.metric("virt_task_vanished_total").is(3);
    }
}

#[tokio::test]
async fn tasks_that_change_between_pages_count_once() {
    let mut bench = with_tasks(250, |_| {}).await;
    bench.poll().await;
    let ended = Mutex::new(BTreeSet::new());
    bench.sim.on_page(move |sim, page| {
        let mut ended = ended.lock().unwrap();
        for number in [page * 3, 240 - page, 100 + page] {
            let id = format!("t{number}");
            if ended.insert(id.clone()) {
                sim.succeed(&id);
            }
        }
    });
    for _ in 0..5 {
        bench.poll().await;
    }
    bench.sim.on_page(|_, _| {});
    let page = bench.poll().await;
    let truth = bench.sim.totals().ended(TaskStatus::Successful);
    page.metric("virt_task_finished_total")
        .sums_to(f64::from(u32::try_from(truth).unwrap()));
    whole(&page, 250, "changes");
}

#[tokio::test]
async fn everything_moves_at_once_over_many_polls_and_the_sums_are_right() {
    for (paging, order) in [
        (Paging::FromOne, NaturalOrder::Insertion),
        (Paging::FromZero, NaturalOrder::NewestFirst),
        (Paging::NoMetadata { first: 0 }, NaturalOrder::Insertion),
    ] {
        let mut bench = with_tasks(230, |options| {
            options.paging = paging;
            options.natural_order = order;
        })
        .await;
        bench.poll().await;
        let clock = bench.clock.clone();
        let turn = AtomicUsize::new(0);
        bench.sim.on_page(move |sim, _| {
            let turn = turn.fetch_add(1, SeqCst);
            clock.pass(1);
            sim.add(task(&format!("born-{turn}")));
            sim.succeed(&format!("t{}", 229 - turn));
            if turn > 20 {
                // Seen as ended long before it goes.
                sim.remove(&format!("t{}", 229 - turn + 20));
            }
        });
        for _ in 0..20 {
            bench.poll().await;
        }
        bench.sim.on_page(|_, _| {});
        let page = bench.poll().await;
        let totals = bench.sim.totals();
        let ended = f64::from(u32::try_from(totals.ended(TaskStatus::Successful)).unwrap());
        page.metric("virt_task_finished_total").sums_to(ended);
        let births = f64::from(u32::try_from(totals.births.values().sum::<u64>()).unwrap());
        page.metric("virt_task_started_total").sums_to(births);
        page.metric("virt_task_vanished_total").sums_to(0);
        whole(
            &page,
            bench.sim.tasks().len(),
            &format!("{paging:?} {order:?}"),
        );
    }
}

#[tokio::test]
async fn elements_that_stand_twice_are_one_task() {
    let mut bench = with_tasks(150, |_| {}).await;
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::DuplicatedPage));
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(150);
    page.metric("virt_task_started_total").is(150);
}

#[tokio::test]
async fn a_server_that_repeats_its_first_page_ends_and_is_said_to_be_cut() {
    let mut bench = with_tasks(250, |_| {}).await;
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::RepeatedPage));
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(100);
    page.metric("virt_source_listing_complete").is(0);
    assert!(bench.sim.request_count(Endpoint::List) < 20);
    // What such a listing does not show has not vanished.
    bench.sim.clear_faults();
    bench.poll().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::RepeatedPage));
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(250);
    page.metric("virt_task_vanished_total").is(0);
}

#[tokio::test]
async fn totals_that_are_not_true_lose_no_task() {
    for (elements, pages) in [(1, 1), (1, 9), (0, 0), (9999, 1), (9999, 99), (250, 1)] {
        let mut bench = with_tasks(250, |_| {}).await;
        bench.sim.inject(Fault::new(
            Endpoint::List,
            FaultKind::LyingTotals { elements, pages },
        ));
        let page = bench.poll().await;
        let listed = page.metric("virt_tasks").sum();
        let complete = page.metric("virt_source_listing_complete").value();
        let all = (listed - 250.0).abs() < 1e-6;
        assert!(
            all || complete < 0.5,
            "{elements} {pages}: {listed} tasks, said to be whole"
        );
        assert!(
            bench.sim.request_count(Endpoint::List) < 20,
            "{elements} {pages}"
        );
    }
}
