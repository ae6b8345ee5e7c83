//! Faults times systems times calls. What one kind of fault means beyond that
//! stands in `bad_page`, `session`, `tls`, `paging` and `vcenter`.

mod front;
mod world;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures_util::FutureExt as _;
use rstest::rstest;
use virt_task_exporter::simulator::FaultKind::{
    CutBody, Dropped, DuplicatedPage, EmptyBody, EndlessBody, GzipBomb, Html, LyingTotals,
    Redirect, RepeatedPage, RetryAfter, SlowBody, SlowHead, Status, TruncatedJson, WrongType,
};
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use crate::support::{HeldClock, Page, Stub, Watch, json};
use front::{Front, Manner, Stranger};
use world::{System, World};

const HOUR: Duration = Duration::from_secs(3600);

const SLOW_BODY: FaultKind = SlowBody {
    piece: 1,
    pause: HOUR,
};

/// The call that a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Login,
    /// The only one, of systems without pages.
    First,
    Later,
}

const ALL: &[System] = &[
    System::SddcManager,
    System::VcenterRest,
    System::VcenterApi,
    System::VirtShell,
];

/// Of those that log in; a VirtShell has no login.
const LOGINS: &[System] = &[System::SddcManager, System::VcenterRest, System::VcenterApi];

/// Of those with pages; a VirtShell has none, and a vCenter several calls of which
/// one that fails costs its own services alone (`vcenter::cover`).
const PAGED: &[System] = &[System::SddcManager];

/// The reason of a poll whose body never ends: by its time or by its size,
/// whichever is first.
const ENDLESS: &str = "timeout too_large";

/// There is no such call with such a fault:
/// - a login's answer has no type of its own that the simulators could get wrong;
/// - that there is no such id is the right answer for a task that is gone;
/// - an answer with `Retry-After` keeps all calls by id away until then, on a
///   clock that a test of real sockets cannot move;
/// - lists alone have elements to be wrong in.
const NONE: &str = "";

/// The same of calls by id.
const NOWHERE: &[System] = &[];

/// A VirtShell that did not answer in time is left alone for ten seconds, of the
/// same clock.
const NO_VIRTSHELL: &[System] = LOGINS;

/// An SDDC Manager says by its status that a task is gone, whatever becomes of the
/// body; its tasks that are there stand below.
const NO_SDDC_MANAGER: &[System] = &[System::VcenterRest, System::VcenterApi, System::VirtShell];

/// For both reasons.
const VCENTERS: &[System] = &[System::VcenterRest, System::VcenterApi];

#[rstest]
// What a login, the first page and a later one fail with, and whose calls by id cost nothing.
#[case::reset_before_the_answer(Dropped, "connect", "connect", "connect", ALL)]
#[case::reset_in_the_middle(CutBody, "connect", "connect", "connect", NO_SDDC_MANAGER)]
#[case::slow_headers(SlowHead(HOUR), "timeout", "timeout", "timeout", NO_VIRTSHELL)]
#[case::slow_body(SLOW_BODY, "timeout", "timeout", "timeout", VCENTERS)]
#[case::endless_body(EndlessBody, ENDLESS, ENDLESS, ENDLESS, NO_VIRTSHELL)]
#[case::gzip_bomb(GzipBomb, ENDLESS, ENDLESS, ENDLESS, NO_VIRTSHELL)]
#[case::redirect(Redirect(String::new()), "protocol", "protocol", "protocol", ALL)]
#[case::unauthorized(Status(401), "unauthorized", "unauthorized", "unauthorized", ALL)]
#[case::forbidden(Status(403), "forbidden", "forbidden", "forbidden", ALL)]
#[case::not_found(Status(404), "protocol", "protocol", "protocol", NOWHERE)]
#[case::too_many_requests(Status(429), "rate_limited", "rate_limited", "rate_limited", ALL)]
#[case::internal_error(Status(500), "server_error", "server_error", "server_error", ALL)]
#[case::bad_gateway_in_html(Html(502), "server_error", "server_error", "server_error", ALL)]
#[case::unavailable(Status(503), "server_error", "server_error", "server_error", ALL)]
#[case::busy_until(
    RetryAfter(503, 60),
    "server_error",
    "server_error",
    "server_error",
    NOWHERE
)]
#[case::empty_body(EmptyBody, "decode", "decode", "decode", NO_SDDC_MANAGER)]
#[case::truncated_json(TruncatedJson, "decode", "decode", "decode", NO_SDDC_MANAGER)]
#[case::html_with_200(Html(200), "decode", "decode", "decode", ALL)]
#[case::wrong_type(WrongType, NONE, "decode", "decode", NOWHERE)]
#[tokio::test]
async fn a_fault_is_told_by_its_reason_and_changes_no_count(
    #[case] kind: FaultKind,
    #[case] login: &str,
    #[case] first: &str,
    #[case] later: &str,
    #[case] by_id: &[System],
) {
    for (systems, place, reasons) in [
        (LOGINS, Place::Login, login),
        (ALL, Place::First, first),
        (PAGED, Place::Later, later),
    ] {
        for system in systems.iter().filter(|_| reasons != NONE) {
            let strike = fails(*system, place, kind.clone(), reasons);
            in_place(&format!("{kind:?} {system:?} {place:?}"), Box::pin(strike)).await;
        }
    }
    for system in by_id {
        let strike = costs_nothing(*system, kind.clone());
        in_place(&format!("{kind:?} {system:?} by id"), Box::pin(strike)).await;
    }
}

/// An SDDC Manager whose list hides a task that it knows by its id.
#[rstest]
#[case::reset_in_the_middle(r#"{"id":"t","sta"#, 100)]
#[case::empty_body("", 0)]
#[case::truncated_json(r#"{"id":"t","sta"#, 0)]
#[case::wrong_type("[]", 0)]
#[case::another_task(r#"{"id":"u","status":"FAILED"}"#, 0)]
#[tokio::test]
async fn a_body_by_id_that_is_no_task_changes_no_count(#[case] body: &str, #[case] more: usize) {
    let (body, polls) = (body.to_owned(), AtomicUsize::new(0));
    let length = body.len() + more;
    let stub = Stub::new(move |line| {
        let one = r#"{"id":"t","type":"UPGRADE","status":"IN_PROGRESS"}"#;
        if line.starts_with("GET /v1/tasks/t ") {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
            return head.into_bytes();
        }
        // Hidden in the second poll and the third, and back in the fourth.
        match polls.fetch_add(1, SeqCst) {
            1 | 2 => json(r#"{"elements":[]}"#),
            _ => json(&format!(r#"{{"elements":[{one}]}}"#)),
        }
    })
    .await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    let before = watch.poll().await;
    for _ in 0..3 {
        assert_eq!(watch.poll().await.tasks(), before.tasks());
    }
    let by_id = |request: &String| request.starts_with("GET /v1/tasks/t ");
    assert_eq!(
        stub.requests()
            .iter()
            .filter(|request| by_id(request))
            .count(),
        2
    );
}

#[rstest]
// A connection fails before it is known for which call it is.
#[case::refused(Manner::Refused, "connect")]
#[case::tls_wrong_name(Manner::WrongName, "tls")]
#[case::tls_expired(Manner::Expired, "tls")]
#[case::tls_untrusted(Manner::Untrusted, "tls")]
#[tokio::test]
async fn no_connection_is_told_by_its_reason_and_changes_no_count(
    #[case] manner: Manner,
    #[case] reason: &str,
) {
    for system in ALL {
        let strike = async {
            let mut world = World::new(*system, "").await;
            let mut front = Front::new(&world.url()).await;
            world.look_through(&front.url, &front.keys());
            let before = world.start(0).await;
            front.turn(manner).await;
            told(&mut world, reason, &before).await;
            front.turn(Manner::Good).await;
            recovers(&mut world).await;
        };
        in_place(&format!("{manner:?} {system:?}"), Box::pin(strike)).await;
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_as_connect() {
    // Too long for any server of names to be asked; so there is no recovery either.
    let url = format!("http://{}.invalid", "a".repeat(64));
    for system in ALL {
        let mut world = World::new(*system, "").await;
        world.look_through(&url, "");
        let before = world.page();
        told(&mut world, "connect", &before).await;
    }
}

#[rstest]
#[case::duplicated_page(DuplicatedPage, ALL)]
// Others have neither pages nor totals.
#[case::page_that_repeats_for_ever(RepeatedPage, PAGED)]
#[case::totals_of_nothing(LyingTotals { elements: 0, pages: 0 }, PAGED)]
#[case::totals_of_less(LyingTotals { elements: 1, pages: 1 }, PAGED)]
#[case::totals_of_more(LyingTotals { elements: 9999, pages: 99 }, PAGED)]
#[tokio::test]
async fn a_page_that_lies_is_read_and_counts_nothing_twice(
    #[case] kind: FaultKind,
    #[case] systems: &[System],
) {
    for system in systems {
        let strike = async {
            let mut world = World::new(*system, "").await;
            let more = if PAGED.contains(system) { 250 } else { 0 };
            let before = world.start(more).await;
            world.inject(Fault::new(Endpoint::List, kind.clone()));
            for _ in 0..2 {
                let page = world.poll().await;
                assert!(page.metric("virt_task_finished_total").sum() < 1.5);
                nothing_came_or_went(&page, &before);
            }
            world.clear_faults();
            recovers(&mut world).await;
            nothing_came_or_went(&world.page(), &before);
        };
        in_place(&format!("{kind:?} {system:?}"), Box::pin(strike)).await;
    }
}

/// A poll with a fault in one of its calls fails.
async fn fails(system: System, place: Place, kind: FaultKind, reasons: &str) {
    let mut world = World::new(system, keys(&kind)).await;
    let before = world
        .start(if place == Place::Later { 250 } else { 0 })
        .await;
    let (kind, stranger) = Stranger::lure(kind);
    let fault = match place {
        Place::Login => {
            world.expire();
            Fault::new(Endpoint::Login, kind)
        }
        Place::First => Fault::new(Endpoint::List, kind),
        Place::Later => Fault::new(Endpoint::List, kind).after(1),
    };
    world.inject(fault);
    told(&mut world, reasons, &before).await;
    world.clear_faults();
    recovers(&mut world).await;
    stranger.met_nobody();
}

/// A call by id fails, for a task that is gone, and the poll does not.
async fn costs_nothing(system: System, kind: FaultKind) {
    let mut world = World::new(system, keys(&kind)).await;
    let before = world.begin(0).await;
    world.remove("goes");
    let (kind, stranger) = Stranger::lure(kind);
    world.inject(Fault::new(Endpoint::Task, kind));
    let calls = world.calls(Endpoint::Task);
    for _ in 0..2 {
        assert_eq!(world.poll().await.tasks(), before.tasks());
    }
    assert!(world.calls(Endpoint::Task) > calls, "it was not looked for");
    world.clear_faults();
    for _ in 0..2 {
        let page = world.poll().await;
        page.metric("virt_task_vanished_total").sums_to(1);
        page.metric("virt_task_finished_total").sums_to(0);
    }
    stranger.met_nobody();
}

/// Further lines of configuration: what never ends shall be over soon.
fn keys(kind: &FaultKind) -> &'static str {
    let endless = matches!(kind, SlowHead(_) | SlowBody { .. } | EndlessBody | GzipBomb);
    if endless { "request_timeout: 1s" } else { "" }
}

/// The next poll fails for one of the reasons, which is told, and changes no count.
async fn told(world: &mut World, reasons: &str, before: &Page) {
    let error = world.try_poll().await.unwrap_err();
    let reason = error.reason();
    assert!(reasons.split(' ').any(|each| each == reason), "{error:?}");
    let page = world.page();
    let failures = page.metric("virt_source_poll_failures_total");
    let earlier = before.metric("virt_source_poll_failures_total");
    failures.sums_to(earlier.sum() + 1.0);
    let earlier = earlier.with("reason", reason).value();
    failures.with("reason", reason).is(earlier + 1.0);
    page.metric("virt_source_up").is(0);
    assert_eq!(page.tasks(), before.tasks());
}

/// The next polls are good, and what happened meanwhile counts once.
async fn recovers(world: &mut World) {
    for _ in 0..2 {
        let page = world.poll().await;
        page.metric("virt_source_listing_complete").is(1);
        page.metric("virt_task_finished_total").sums_to(1);
        page.metric("virt_task_finished_total")
            .with("status", "failed")
            .sums_to(1);
    }
}

#[track_caller]
fn nothing_came_or_went(page: &Page, before: &Page) {
    let started = before.metric("virt_task_started_total").sum();
    page.metric("virt_task_started_total").sums_to(started);
    page.metric("virt_task_vanished_total").sums_to(0);
    let tasks = before.metric("virt_tasks").sum();
    page.metric("virt_tasks").sums_to(tasks);
}

/// Says where it was, should it fail.
async fn in_place(place: &str, strike: impl Future<Output = ()>) {
    let struck = AssertUnwindSafe(strike).catch_unwind().await;
    assert!(struck.is_ok(), "that was {place}");
}
