use std::sync::{Arc, Mutex};
use std::time::Duration;

use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};
use virt_task_exporter::sources::Reason;

use crate::support::{Bench, HeldClock, Page, Stub, Watch, answer, json};

const ID: &str = "39f0ab3c-6bd9-4b64-8bd4-6a1b5d8f1e07";

/// A server with an empty list whose restore answers what is in here.
struct Restore {
    stub: Stub,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Restore {
    async fn new(says: Vec<u8>) -> Self {
        let says = Arc::new(Mutex::new(says));
        let served = Arc::clone(&says);
        let stub = Stub::new(move |line| {
            if line.starts_with("GET /v1/restores/tasks/") {
                served.lock().unwrap().clone()
            } else {
                json(r#"{"elements":[]}"#)
            }
        })
        .await;
        Self { stub, says }
    }

    fn watch(&self, keys: &str) -> Watch {
        let keys = format!("restores: [{ID}]\n{keys}");
        Watch::new(&self.stub.url, &keys, HeldClock::new().clock())
    }

    fn stands(&self, status: &str) {
        *self.says.lock().unwrap() = task(status);
    }

    fn answers(&self, answer: Vec<u8>) {
        *self.says.lock().unwrap() = answer;
    }
}

fn task(status: &str) -> Vec<u8> {
    let times = r#""creationTimestamp":"2026-11-20T14:00:00.000Z""#;
    json(&format!(
        r#"{{"id":"{ID}","type":"SDDCMANAGER_RESTORE","status":"{status}",{times}}}"#
    ))
}

fn unknown() -> Vec<u8> {
    answer(
        "400 Bad Request",
        "",
        r#"{"errorCode":"RESTORE_NOT_FOUND"}"#,
    )
}

#[track_caller]
fn good(page: &Page) {
    page.metric("virt_source_up").is(1);
    page.metric("virt_source_listing_complete").is(1);
}

#[tokio::test]
async fn a_restore_is_a_task_like_any_other() {
    let restore = Restore::new(task("IN PROGRESS")).await;
    let mut watch = restore.watch("");
    let page = watch.poll().await;
    good(&page);
    page.metric("virt_tasks")
        .with("operation", "SDDCMANAGER_RESTORE")
        .with("status", "running")
        .is(1);
    page.metric("virt_task_started_total").is(1);
    restore.stands("Failed");
    for _ in 0..2 {
        let page = watch.poll().await;
        page.metric("virt_task_finished_total")
            .with("status", "failed")
            .is(1);
        page.metric("virt_task_unresolved_failures").is(1);
    }
    let asked = restore.stub.requests();
    assert!(
        asked.iter().all(|head| !head.contains("/v1/tasks/")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn one_that_cannot_be_read_fails_nothing_and_keeps_its_state() {
    let restore = Restore::new(task("IN_PROGRESS")).await;
    let mut watch = restore.watch("");
    watch.poll().await;
    for says in [
        answer("502 Bad Gateway", "", "<html>"),
        answer("403 Forbidden", "", ""),
        json("nonsense"),
        json(r#"{"id":"another","status":"FAILED"}"#),
        Vec::new(),
    ] {
        restore.answers(says);
        let page = watch.poll().await;
        good(&page);
        page.metric("virt_tasks").with("status", "running").is(1);
        page.metric("virt_task_vanished_total").is(0);
        page.metric("virt_task_finished_total").sums_to(0);
    }
    restore.stands("Successful");
    let page = watch.poll().await;
    page.metric("virt_task_finished_total")
        .with("status", "succeeded")
        .is(1);
}

#[tokio::test]
async fn an_unknown_id_is_nothing_and_one_met_finished_is_history() {
    let restore = Restore::new(unknown()).await;
    let mut watch = restore.watch("");
    let page = watch.poll().await;
    good(&page);
    page.metric("virt_tasks").is_absent();
    page.metric("virt_source_requests_total")
        .with("endpoint", "/v1/restores/tasks/{id}")
        .with("code", "400")
        .is(1);
    restore.stands("SUCCESSFUL");
    let page = watch.poll().await;
    page.metric("virt_tasks").with("status", "succeeded").is(1);
    page.metric("virt_task_finished_total").sums_to(0);
    page.metric("virt_task_started_total").is(0);
}

#[tokio::test]
async fn early_releases_are_asked_with_the_account_itself() {
    let restore = Restore::new(task("IN_PROGRESS")).await;
    let mut watch = restore.watch("restores_auth: basic");
    good(&watch.poll().await);
    for head in restore.stub.requests() {
        let basic = head.to_lowercase().contains("authorization: basic ");
        assert_eq!(basic, head.starts_with("GET /v1/restores/"), "{head}");
    }
    // Rejected once, the account is not tried again soon, and the list goes on.
    restore.answers(answer("401 Unauthorized", "", ""));
    for _ in 0..5 {
        good(&watch.poll().await);
    }
    let asked = restore.stub.requests();
    let tries = asked
        .iter()
        .filter(|head| head.starts_with("GET /v1/restores/"))
        .count();
    assert_eq!(tries, 2);
}

#[tokio::test]
async fn a_list_that_fails_fails_the_poll_whatever_the_restore_says() {
    let stub = Stub::new(|line| {
        if line.starts_with("GET /v1/restores/") {
            task("IN_PROGRESS")
        } else {
            answer("503 Service Unavailable", "", "")
        }
    })
    .await;
    let mut watch = Watch::new(
        &stub.url,
        &format!("restores: [{ID}]"),
        HeldClock::new().clock(),
    );
    assert_eq!(watch.fail().await.reason, Reason::ServerError);
    watch.page().metric("virt_tasks").is_absent();
}

#[tokio::test]
async fn restores_that_hang_cost_neither_the_poll_nor_each_other_their_time() {
    let hang = FaultKind::SlowHead(Duration::from_secs(3600));
    let ids = ["a", "b", "c"];
    let keys = "restores: [a, b, c]\nrequest_timeout: 5s\npoll_timeout: 5s";
    let mut bench = Bench::configured(keys).await;
    bench.sim.inject(Fault::new(Endpoint::Restore, hang));
    let mut asked = Vec::new();
    for _ in 0..2 {
        bench.poll().await.metric("virt_source_up").is(1);
        let requests = bench.sim.requests().into_iter();
        let restores = requests.filter(|request| request.endpoint == Endpoint::Restore);
        asked = restores.map(|request| request.path).collect();
    }
    let path = |at: usize| format!("/v1/restores/tasks/{}", ids[at]);
    assert_eq!(asked, [path(0), path(1), path(2), path(0)]);
}

/// An SDDC Manager on VxRail while it is restored, as its document has it.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Before,
    Refused,
    BadGateway,
    LoginFails,
    /// The services are back with the database of the backup.
    WentBack,
    After,
}

const FAILED: &str = r#""status":"FAILED","completionTimestamp":"2026-11-20T12:00:00.000Z""#;

fn on_vxrail(phase: Phase, line: &str) -> Vec<u8> {
    let restores = line.starts_with("GET /v1/restores/tasks/");
    match phase {
        Phase::Refused => return Vec::new(),
        Phase::BadGateway => return answer("502 Bad Gateway", "", "<html>"),
        Phase::LoginFails => return answer("401 Unauthorized", "", ""),
        Phase::After if restores => return task("SUCCESSFUL"),
        _ if restores => return task("IN_PROGRESS"),
        _ => {}
    }
    let begun = r#""type":"UPGRADE","creationTimestamp":"2026-11-20T11:00:00.000Z""#;
    let old = format!(r#"{{"id":"old",{begun},{FAILED}}}"#);
    let going = format!(r#"{{"id":"going",{begun},"status":"IN_PROGRESS"}}"#);
    let newer = format!(r#"{{"id":"newer",{begun},{FAILED}}}"#);
    let elements = match phase {
        Phase::Before => [old, newer].join(","),
        _ => [old, going].join(","),
    };
    json(&format!(r#"{{"elements":[{elements}]}}"#))
}

#[tokio::test]
async fn a_restore_that_takes_its_services_down_is_followed_to_its_end() {
    let phase = Arc::new(Mutex::new(Phase::Before));
    let now = Arc::clone(&phase);
    let stub = Stub::new(move |line| on_vxrail(*now.lock().unwrap(), line)).await;
    let keys = format!("restores: [{ID}]\ntoken: t");
    let mut watch = Watch::new(&stub.url, &keys, HeldClock::new().clock());
    watch.poll().await;
    for (next, reason) in [
        (Phase::Refused, Reason::Connect),
        (Phase::BadGateway, Reason::ServerError),
        (Phase::LoginFails, Reason::Unauthorized),
    ] {
        *phase.lock().unwrap() = next;
        assert_eq!(watch.fail().await.reason, reason);
        let page = watch.page();
        page.metric("virt_task_finished_total").sums_to(0);
        page.metric("virt_task_vanished_total").sums_to(0);
    }
    for next in [Phase::WentBack, Phase::WentBack, Phase::After, Phase::After] {
        *phase.lock().unwrap() = next;
        good(&watch.poll().await);
    }
    let page = watch.page();
    let finished = page.metric("virt_task_finished_total");
    finished
        .with("operation", "SDDCMANAGER_RESTORE")
        .with("status", "succeeded")
        .is(1);
    // Neither what the backup has again nor what it does not have is an event.
    page.metric("virt_task_finished_total").sums_to(1);
    page.metric("virt_task_failures_total").sums_to(0);
    page.metric("virt_task_vanished_total").sums_to(0);
    page.metric("virt_task_started_total")
        .with("operation", "UPGRADE")
        .is(1);
}
