use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rstest::rstest;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};
use virt_task_exporter::sources::Reason;

use crate::support::{
    Bench, HeldClock, PATIENCE, Scratch, Stub, Watch, answer, json, options, task,
};

#[tokio::test]
async fn one_login_serves_many_polls() {
    let mut bench = Bench::new().await;
    bench.sim.add(task("t"));
    for _ in 0..10 {
        bench.poll().await;
    }
    assert_eq!(bench.logins(), 1);
    let page = bench.watch.page();
    page.metric("virt_source_requests_total")
        .with("endpoint", "/v1/tokens")
        .with("code", "201")
        .is(1);
}

#[tokio::test]
async fn a_poll_logs_in_again_once_whatever_is_refused() {
    let mut bench = Bench::new().await;
    for number in 0..350 {
        bench.sim.add(task(&format!("t{number}")));
    }
    bench.poll().await;
    let before = bench.logins();
    let refused = Fault::new(Endpoint::List, FaultKind::Status(401));
    bench.sim.inject(refused.after(1));
    bench.fail().await;
    assert_eq!(bench.logins(), before + 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let mut options = options();
    options.token_life = Duration::from_secs(5);
    options.clock_skew = None;
    let mut bench = Bench::real_time(options).await;
    let began = tokio::time::Instant::now();
    bench.poll().await;
    // Until 80 % of the life have passed, polls need no login; then one does,
    // and the server never had to say no.
    while bench.logins() < 2 {
        bench.poll().await;
        assert!(began.elapsed() < PATIENCE, "no second login");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(
        began.elapsed() >= Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert!(
        bench
            .sim
            .requests()
            .iter()
            .all(|request| request.status < 400)
    );
}

#[rstest]
#[case(401)]
#[case(403)]
#[tokio::test]
async fn a_refused_token_is_replaced_once_and_the_poll_goes_on(#[case] code: u16) {
    let mut options = options();
    options.unauthorized_code = code;
    let mut bench = Bench::with("", options).await;
    for number in 0..250 {
        bench.sim.add(task(&format!("t{number}")));
    }
    bench.poll().await;
    bench.sim.expire_tokens();
    bench.poll().await.metric("virt_tasks").sums_to(250);
    assert_eq!(bench.logins(), 2);
    // In the middle of the pages, too.
    let expired = AtomicBool::new(false);
    bench.sim.on_page(move |sim, page| {
        if page == 1 && !expired.swap(true, SeqCst) {
            sim.expire_tokens();
        }
    });
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(250);
    page.metric("virt_source_listing_complete").is(1);
    assert_eq!(bench.logins(), 3);
}

#[rstest]
#[case(401, Reason::Unauthorized)]
#[case(403, Reason::Forbidden)]
#[tokio::test]
async fn a_call_that_stays_refused_costs_one_login_a_poll(
    #[case] code: u16,
    #[case] reason: Reason,
) {
    let mut bench = Bench::new().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::Status(code)));
    for polls in 1..=3 {
        assert_eq!(bench.fail().await.reason, reason);
        assert!(
            bench.logins() <= 2 * polls,
            "{} logins in {polls} polls",
            bench.logins()
        );
    }
    bench.sim.clear_faults();
    bench.poll().await.metric("virt_source_up").is(1);
}

#[rstest]
#[case::documented(400)]
#[case::of_5_2_0(401)]
#[case::forbidden(403)]
#[tokio::test]
async fn a_rejected_login_is_told_as_such(#[case] code: u16) {
    let mut options = options();
    options.bad_login_code = code;
    options.password = "another".to_owned();
    let mut bench = Bench::with("", options).await;
    let error = bench.fail().await;
    assert!(error.login_rejected);
    let reason = if code == 403 {
        "forbidden"
    } else {
        "unauthorized"
    };
    assert_eq!(error.reason(), reason);
    assert_eq!(error.endpoint, "/v1/tokens");
    assert_eq!(bench.logins(), 1);
    assert_eq!(bench.sim.request_count(Endpoint::List), 0);
    bench
        .watch
        .page()
        .metric("virt_source_poll_failures_total")
        .with("reason", reason)
        .is(1);
}

#[tokio::test]
async fn a_login_that_fails_otherwise_is_no_rejection() {
    for (kind, reason) in [
        (FaultKind::Status(500), Reason::ServerError),
        (FaultKind::Html(502), Reason::ServerError),
        (FaultKind::RetryAfter(429, 3), Reason::RateLimited),
        (FaultKind::Html(200), Reason::Decode),
        (FaultKind::EmptyBody, Reason::Decode),
        (FaultKind::Dropped, Reason::Connect),
        (FaultKind::Status(404), Reason::Protocol),
    ] {
        let mut bench = Bench::new().await;
        bench.sim.inject(Fault::new(Endpoint::Login, kind.clone()));
        let error = bench.fail().await;
        assert_eq!(error.reason, reason, "{kind:?}");
        assert!(!error.login_rejected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_locks_no_account() {
    let mut options = options();
    options.clock_skew = None;
    options.lockout_after = Some(3);
    let bench = Bench::real_time(options).await;
    let scratch = Scratch::source(
        &bench.url,
        "username: administrator@vsphere.local\npassword: wrong",
    );
    let program = scratch.serve(&[]).await;
    program.logged(&["reason=unauthorized"]).await;
    // Thirty polls' time: what is looked for is that nothing happens.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(bench.logins() <= 2, "{} logins", bench.logins());
    let page = program.scrape().await;
    page.metric("virt_source_up").is(0);
    page.metric("virt_source_poll_failures_total")
        .with("reason", "unauthorized")
        .is(1);
    assert_eq!(bench.sim.request_count(Endpoint::List), 0);
}

#[tokio::test]
async fn an_api_key_logs_in() {
    let mut options = options();
    options.api_key = Some("key-of-a-service-user".to_owned());
    let scratch = Scratch::new("");
    let file = scratch.write("key", "key-of-a-service-user\n");
    let mut bench = Bench::with(&format!("api_key_file: {}", file.display()), options).await;
    bench.poll().await.metric("virt_source_up").is(1);
    fs::write(&file, "another").unwrap();
    bench.sim.expire_tokens();
    assert!(bench.fail().await.login_rejected);
}

#[rstest]
#[case::bare("")]
#[case::newline("\n")]
#[case::windows_newline("\r\n")]
#[tokio::test]
async fn a_rotated_password_needs_no_restart(#[case] end: &str) {
    let scratch = Scratch::new("");
    let file = scratch.write("password", &format!("VMware123!{end}"));
    let keys = format!(
        "username: administrator@vsphere.local\npassword_file: {}",
        file.display()
    );
    let mut bench = Bench::with(&keys, options()).await;
    bench.poll().await;
    bench
        .sim
        .set_credentials("administrator@vsphere.local", "Ümläut \"\\ 2");
    bench.sim.expire_tokens();
    assert_eq!(bench.fail().await.reason, Reason::Unauthorized);
    fs::write(&file, format!("Ümläut \"\\ 2{end}")).unwrap();
    bench.poll().await.metric("virt_source_up").is(1);
    fs::remove_file(&file).unwrap();
    // As long as the token is good, the file is not needed.
    bench.poll().await;
    bench.sim.expire_tokens();
    let error = bench.fail().await;
    assert_eq!(error.reason, Reason::Unauthorized);
    assert!(error.detail.contains("password"), "{error:?}");
}

#[tokio::test]
async fn a_token_from_a_file_is_read_again_after_it_was_refused() {
    let scratch = Scratch::new("");
    let file = scratch.write("token", "first\n");
    let good = Arc::new(Mutex::new("first".to_owned()));
    let accepted = Arc::clone(&good);
    let stub = Stub::headed(move |head| {
        let token = format!("bearer {}\r\n", accepted.lock().unwrap());
        if head.to_lowercase().contains(&token) {
            json(r#"{"elements":[]}"#)
        } else {
            answer("401 Unauthorized", "", "")
        }
    })
    .await;
    let keys = format!("token_file: {}", file.display());
    let mut watch = Watch::new(&stub.url, &keys, HeldClock::new().clock());
    watch.poll().await;
    *good.lock().unwrap() = "second".to_owned();
    let error = watch.fail().await;
    assert_eq!(error.reason, Reason::Unauthorized);
    assert!(error.login_rejected);
    fs::write(&file, "second").unwrap();
    watch.poll().await.metric("virt_source_up").is(1);
    // Renewed at the source and in the file between two polls: no poll fails.
    *good.lock().unwrap() = "third".to_owned();
    fs::write(&file, "third\n").unwrap();
    watch.poll().await.metric("virt_source_up").is(1);
    let logins = stub
        .requests()
        .iter()
        .filter(|request| request.starts_with("POST"))
        .count();
    assert_eq!(logins, 0);
}

#[tokio::test]
async fn no_secret_leaves_the_program_but_for_its_host() {
    const PASSWORD: &str = "Tr0ub4dor-and-3";
    let mut options = options();
    options.clock_skew = None;
    options.password = PASSWORD.to_owned();
    let bench = Bench::real_time(options).await;
    bench.sim.add(task("t"));
    let keys = format!("username: administrator@vsphere.local\npassword: {PASSWORD}");
    let scratch = Scratch::source(&bench.url, &keys);
    let program = scratch.serve(&["--log.level=debug"]).await;
    program
        .scraped("a good poll", |page| {
            page.metric("virt_source_up").sum() > 0.5
        })
        .await;
    bench.sim.expire_tokens();
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::Html(502)).times(2));
    program.logged(&["reason=server_error"]).await;
    bench
        .sim
        .set_credentials("administrator@vsphere.local", "changed");
    bench.sim.expire_tokens();
    program.logged(&["reason=unauthorized"]).await;
    let mut seen = program.log().join("\n");
    for path in ["/metrics", "/", "/-/ready", "/nowhere"] {
        seen.push_str(&program.get(path).await.text().await.unwrap());
    }
    for file in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{file}", program.id());
        seen.push_str(&String::from_utf8_lossy(&fs::read(path).unwrap()));
    }
    for secret in [PASSWORD, "Bearer", "eyJ"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
