//! One session, replaced when it is lost.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use rstest::rstest;
use virt_task_exporter::simulator::{Endpoint, ErrorForm, Fault, FaultKind};
use virt_task_exporter::sources::Reason;

use crate::support::{VcBench, clone};

#[rstest]
#[case("rest")]
#[case("api")]
#[tokio::test]
async fn one_session_serves_many_polls(#[case] dialect: &str) {
    let mut bench = VcBench::with(&format!("dialect: {dialect}"), |_| {}).await;
    bench.sim.add(clone("a"));
    for _ in 0..10 {
        bench.poll().await;
    }
    assert_eq!((bench.sim.logins(), bench.sim.sessions()), (1, 1));
}

#[rstest]
#[tokio::test]
async fn a_lost_session_is_replaced_once_and_the_poll_goes_on(
    #[values("rest", "api")] dialect: &str,
    #[values(ErrorForm::Bare, ErrorForm::Typed, ErrorForm::ByStatus)] form: ErrorForm,
) {
    let keys = format!(
        "dialect: {dialect}\nservices: [com.vmware.vcenter.VM, com.vmware.esx.settings.depots]"
    );
    let mut bench = VcBench::with(&keys, |options| options.error_form = form).await;
    bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.poll().await;
    bench.sim.expire_sessions();
    bench.poll().await.metric("virt_tasks").sums_to(1);
    assert_eq!((bench.sim.logins(), bench.sim.sessions()), (2, 1));
    // In the middle of the calls, too.
    let expired = AtomicBool::new(false);
    let second = bench.lists(0).len() + 1;
    bench.sim.on_list(move |sim, number| {
        if number == second && !expired.swap(true, SeqCst) {
            sim.expire_sessions();
        }
    });
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(1);
    page.metric("virt_source_listing_complete").is(1);
    assert_eq!((bench.sim.logins(), bench.sim.sessions()), (3, 1));
}

#[tokio::test]
async fn a_session_that_is_never_accepted_costs_one_login_a_poll() {
    let mut bench = VcBench::new().await;
    bench.sim.on_list(|sim, _| sim.expire_sessions());
    for polls in 1..=3 {
        assert_eq!(bench.fail().await.reason, Reason::Unauthorized);
        assert!(bench.sim.logins() <= 2 * polls);
        assert!(bench.sim.sessions() <= 1);
    }
}

#[rstest]
#[tokio::test]
async fn a_rejected_login_is_told_as_such(
    #[values("auto", "rest", "api")] dialect: &str,
    #[values(ErrorForm::Typed, ErrorForm::ByStatus)] form: ErrorForm,
) {
    let wrong = |options: &mut virt_task_exporter::simulator::VcenterOptions| {
        options.password = "another".to_owned();
        options.error_form = form;
    };
    let mut bench = VcBench::with(&format!("dialect: {dialect}"), wrong).await;
    let error = bench.fail().await;
    assert_eq!(
        (error.reason, error.login_rejected),
        (Reason::Unauthorized, true)
    );
    // One try a poll: a lock of the account counts them.
    assert_eq!(bench.sim.request_count(), 1);
}

#[tokio::test]
async fn a_full_table_of_sessions_waits_as_a_rejected_login_does() {
    for dialect in ["rest", "api"] {
        let keys = format!("dialect: {dialect}");
        let mut bench = VcBench::with(&keys, |options| options.session_limit = 0).await;
        let error = bench.fail().await;
        assert_eq!(
            (error.reason, error.login_rejected),
            (Reason::ServerError, true)
        );
        assert!(
            error.detail.contains("too many sessions"),
            "{}",
            error.detail
        );
        bench.sim.configure(|options| options.session_limit = 1);
        bench.poll().await;
    }
}

#[tokio::test]
async fn a_vcenter_that_starts_is_no_full_table() {
    let mut bench = VcBench::new().await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Login, FaultKind::Html(503)));
    let error = bench.fail().await;
    assert_eq!(
        (error.reason, error.login_rejected),
        (Reason::ServerError, false)
    );
}

#[tokio::test]
async fn no_cookie_is_kept_and_no_secret_is_told() {
    let mut bench = VcBench::with("dialect: rest", |_| {}).await;
    bench.poll().await;
    let told = format!("{:?}", bench.watch);
    assert!(!told.contains("VMware123!"), "{told}");
    // A cookie would be preferred to the header, and be the wrong one by now.
    bench.sim.expire_sessions();
    bench.poll().await;
    assert_eq!(bench.sim.logins(), 2);
}
