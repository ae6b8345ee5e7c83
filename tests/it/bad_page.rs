use std::time::Duration;

use rstest::rstest;
use tokio::net::TcpListener;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind, TaskError, TaskStatus};
use virt_task_exporter::sources::Reason;

use crate::support::{
    Bench, HeldClock, Scratch, Stub, Watch, answer, eventually, json, options, task,
};

const MANY: Duration = Duration::from_secs(3600);

#[rstest]
#[case::html_with_200(FaultKind::Html(200), "decode")]
#[case::truncated(FaultKind::TruncatedJson, "decode")]
#[case::empty(FaultKind::EmptyBody, "decode")]
#[case::wrong_type(FaultKind::WrongType, "decode")]
#[case::cut(FaultKind::CutBody, "connect")]
#[case::dropped(FaultKind::Dropped, "connect")]
#[case::internal_error(FaultKind::Status(500), "server_error")]
#[case::bad_gateway_in_html(FaultKind::Html(502), "server_error")]
#[case::unavailable(FaultKind::RetryAfter(503, 5), "server_error")]
#[case::too_many_requests(FaultKind::RetryAfter(429, 5), "rate_limited")]
#[case::not_found(FaultKind::Status(404), "protocol")]
#[case::bad_request(FaultKind::Status(400), "protocol")]
#[case::redirect(FaultKind::Redirect("/v1/tasks".to_owned()), "protocol")]
#[case::unauthorized(FaultKind::Status(401), "unauthorized")]
#[case::forbidden(FaultKind::Status(403), "forbidden")]
#[case::slow_head(FaultKind::SlowHead(MANY), "timeout")]
#[case::slow_body(FaultKind::SlowBody { piece: 1, pause: MANY }, "timeout")]
#[case::endless(FaultKind::EndlessBody, "timeout")]
#[tokio::test]
async fn a_failed_poll_changes_no_task_and_is_made_good_by_the_next(
    #[case] kind: FaultKind,
    #[case] reason: &str,
) {
    let mut bench = Bench::configured("request_timeout: 300ms").await;
    bench.sim.add(task("fails"));
    bench.sim.add(task("goes"));
    let before = bench.poll().await;
    bench.sim.fail("fails", TaskError::new("CODE", "It failed"));
    bench.sim.remove("goes");
    bench.sim.add(task("new"));
    bench.sim.inject(Fault::new(Endpoint::List, kind));
    for polls in 1..=2 {
        let error = bench.fail().await;
        assert_eq!(error.reason(), reason, "{error:?}");
        assert!(!error.login_rejected);
        let page = bench.watch.page();
        page.metric("virt_source_up").is(0);
        page.metric("virt_source_poll_failures_total")
            .with("reason", reason)
            .is(polls);
        page.metric("virt_source_poll_failures_total")
            .sums_to(polls);
        page.metric("virt_source_polls_total")
            .with("mode", "full")
            .is(polls + 1);
        assert_eq!(page.tasks(), before.tasks());
        let last = page
            .metric("virt_source_last_success_timestamp_seconds")
            .value();
        before
            .metric("virt_source_last_success_timestamp_seconds")
            .is(last);
    }
    bench.sim.clear_faults();
    let page = bench.poll().await;
    page.metric("virt_source_up").is(1);
    page.metric("virt_task_started_total").is(3);
    page.metric("virt_task_vanished_total").is(1);
    page.metric("virt_task_failures_total")
        .with("error_code", "CODE")
        .is(1);
}

#[rstest]
#[case::elements_null(r#"{"elements":null}"#)]
#[case::no_elements(r#"{"pageMetadata":{"totalElements":0}}"#)]
#[case::elements_a_text(r#"{"elements":"none"}"#)]
#[case::an_error_under_200(r#"{"errorCode":"Unauthorized","message":"no"}"#)]
#[case::a_list("[]")]
#[case::null("null")]
#[case::two_values(r#"{"elements":[]}{"elements":[]}"#)]
#[case::a_bad_element(r#"{"elements":[{"id":"a",}]}"#)]
#[tokio::test]
async fn a_body_that_is_no_page_fails_the_poll(#[case] body: &'static str) {
    let stub = Stub::new(move |_| json(body)).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    assert_eq!(watch.fail().await.reason, Reason::Decode);
    let page = watch.page();
    page.metric("virt_source_poll_failures_total")
        .with("reason", "decode")
        .is(1);
    page.metric("virt_tasks").is_absent();
}

#[tokio::test]
async fn an_empty_list_is_a_good_poll() {
    let stub = Stub::listing("").await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    let page = watch.poll().await;
    page.metric("virt_source_up").is(1);
    page.metric("virt_source_listing_complete").is(1);
}

#[tokio::test]
async fn a_later_page_that_fails_fails_the_whole_poll() {
    for kind in [
        FaultKind::Html(502),
        FaultKind::TruncatedJson,
        FaultKind::CutBody,
    ] {
        let mut bench = Bench::new().await;
        for number in 0..250 {
            bench.sim.add(task(&format!("t{number}")));
        }
        let before = bench.poll().await;
        for number in 0..250 {
            bench.sim.succeed(&format!("t{number}"));
        }
        bench.sim.inject(Fault::new(Endpoint::List, kind).after(2));
        bench.fail().await;
        assert_eq!(bench.watch.page().tasks(), before.tasks());
        bench.sim.clear_faults();
        let page = bench.poll().await;
        page.metric("virt_task_finished_total")
            .with("status", "succeeded")
            .is(250);
    }
}

#[tokio::test]
async fn a_redirect_takes_no_credentials_elsewhere() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}/v1/tasks", other.local_addr().unwrap());
    for code in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        for login_too in [false, true] {
            let head = format!("Location: {place}\r\n");
            let redirect = answer(code, &head, "");
            let stub = if login_too {
                Stub::bare(move |_| redirect.clone()).await
            } else {
                Stub::new(move |_| redirect.clone()).await
            };
            let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
            assert_eq!(watch.fail().await.reason, Reason::Protocol, "{code}");
        }
    }
    let visit = tokio::time::timeout(Duration::from_millis(50), other.accept()).await;
    assert!(visit.is_err(), "somebody followed the redirect");
}

#[tokio::test]
async fn a_refused_and_a_broken_connection_are_told_as_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut watch = Watch::new(&url, "", HeldClock::new().clock());
    assert_eq!(watch.fail().await.reason, Reason::Connect);
    for garbage in ["", "HTTP/1.1 200", "\0\0\0\0"] {
        let stub = Stub::new(move |_| garbage.into()).await;
        let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
        let reason = watch.fail().await.reason;
        assert!(
            matches!(reason, Reason::Connect | Reason::Protocol),
            "{garbage:?} {reason:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_body_ends_at_the_size_limit() {
    // A body over the limit of an error page is cut, and the status still tells.
    let stub = Stub::new(|_| answer("503 Unavailable", "", vec![b' '; 1_000_000])).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    assert_eq!(watch.fail().await.reason, Reason::ServerError);
    // A page after the first may have 64 MiB.
    let stub = Stub::new(|line| {
        if line.contains("pageNumber") {
            return answer("200 OK", "", vec![b' '; 65 * 1024 * 1024]);
        }
        let metadata = r#""pageMetadata":{"pageNumber":0,"totalElements":2,"totalPages":2}"#;
        json(&format!(r#"{{"elements":[{{"id":"a"}}],{metadata}}}"#))
    })
    .await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    assert_eq!(watch.fail().await.reason, Reason::TooLarge);
    let page = watch.page();
    page.metric("virt_source_poll_failures_total")
        .with("reason", "too_large")
        .is(1);
    page.metric("virt_tasks").is_absent();
}

#[tokio::test]
async fn a_poll_that_takes_too_long_in_all_is_a_timeout() {
    let mut bench = Bench::configured("full_poll_timeout: 150ms").await;
    bench.sim.add(task("a"));
    let slow = FaultKind::SlowBody {
        piece: 16,
        pause: Duration::from_millis(20),
    };
    bench.sim.inject(Fault::new(Endpoint::List, slow));
    let error = bench.fail().await;
    assert_eq!(error.reason, Reason::Timeout);
    bench.sim.clear_faults();
    bench
        .poll()
        .await
        .metric("virt_tasks")
        .with("status", "running")
        .is(1);
}

#[tokio::test]
async fn retry_after_comes_with_the_error() {
    let mut bench = Bench::new().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::RetryAfter(429, 77)));
    assert_eq!(
        bench.fail().await.retry_after,
        Some(Duration::from_secs(77))
    );
}

#[tokio::test]
async fn a_failing_source_is_told_once_and_its_recovery_once() {
    let mut options = options();
    options.clock_skew = None;
    let bench = Bench::real_time(options).await;
    bench.sim.add(task("t"));
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::Html(502)));
    let program = Scratch::source(&bench.url, "").serve(&[]).await;
    let failed =
        |page: &crate::support::Page| page.metric("virt_source_poll_failures_total").sum() > 2.5;
    program.scraped("three failures", failed).await;
    let told = program.lines(&["the source cannot be polled"]);
    assert_eq!(told.len(), 1, "{told:?}");
    for word in [
        "level=warn",
        "source=a",
        "call=/v1/tasks",
        "reason=server_error",
    ] {
        assert!(told[0].contains(word), "{word} in {}", told[0]);
    }
    assert_eq!(program.lines(&["level=warn", "502"]).len(), 1);
    // Another reason is told again.
    bench.sim.clear_faults();
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::TruncatedJson));
    program.logged(&["reason=decode"]).await;
    bench.sim.clear_faults();
    program
        .scraped("recovery", |page| page.metric("virt_source_up").sum() > 0.5)
        .await;
    let lines = eventually("the recovery's line", || {
        let lines = program.lines(&["the source can be polled again"]);
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("level=info") && lines[0].contains("source=a"),
        "{lines:?}"
    );
    assert_eq!(program.lines(&["level=warn", "cannot be polled"]).len(), 2);
}

#[tokio::test]
async fn a_task_that_failed_meanwhile_counts_once_after_an_outage() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    bench.poll().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::Dropped));
    bench.sim.set_status("t", TaskStatus::Failed);
    for _ in 0..3 {
        bench.fail().await;
        bench.clock.pass(60);
    }
    bench.sim.clear_faults();
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_task_finished_total")
            .with("status", "failed")
            .is(1);
        page.metric("virt_task_started_total").is(1);
    }
}

#[rstest]
#[case::many_headers(&"a: b\r\n".repeat(200), Reason::TooLarge)]
#[case::a_large_header(&format!("a: {}\r\n", "b".repeat(1 << 20)), Reason::TooLarge)]
#[case::no_header("no header\r\n", Reason::Protocol)]
#[tokio::test]
async fn a_head_that_cannot_be_read_is_no_broken_connection(
    #[case] headers: &str,
    #[case] reason: Reason,
) {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    let stub = Stub::new(move |_| head.clone().into_bytes()).await;
    let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
    let error = watch.fail().await;
    assert_eq!(error.reason, reason, "{error:?}");
}
