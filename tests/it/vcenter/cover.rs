//! Providers, unknown services and the cap: all is read, with few calls.

use rstest::rstest;
use virt_task_exporter::simulator::{
    Endpoint, ErrorForm, Fault, FaultKind, ProviderState, VcError, VcStatus, VcTask,
};
use virt_task_exporter::sources::Reason;

use crate::support::{CLONE, VcBench, clone};

const VM: &str = "com.vmware.vcenter.VM";

/// Services of three providers, all of which the simulated vCenter has.
const KNOWN: &str = "services: [com.vmware.appliance.support_bundle, \
    com.vmware.esx.settings.depots, com.vmware.esx.settings.inventory, \
    com.vmware.vcenter.VM, com.vmware.vcenter.evc_modes]";

/// So many tasks of a service's operation in a status.
fn fill(bench: &VcBench, service: &str, operation: &str, status: VcStatus, count: usize) {
    let (began, ended) = (bench.clock.ago(600), bench.clock.ago(60));
    for _ in 0..count {
        let task = VcTask::new(service, operation).started(began);
        let error = VcError::new("TIMED_OUT", "It took too long");
        bench.sim.add(match status {
            VcStatus::Pending => task.pending(),
            VcStatus::Running => task.running(),
            VcStatus::Blocked => task.blocked(),
            VcStatus::Succeeded => task.succeeded().ended(ended),
            VcStatus::Failed => task.failed(error).ended(ended),
        });
    }
}

/// Lets polls pass until one costs as many calls as the one before and none of
/// them fails, and returns how many.
async fn settle(bench: &mut VcBench) -> usize {
    let mut calls = 0;
    for _ in 0..10 {
        let before = bench.sim.request_count();
        bench.poll().await;
        let lists = bench.lists(before);
        if lists.len() == calls && lists.iter().all(|list| list.status == 200) {
            return calls;
        }
        calls = lists.len();
    }
    panic!("it does not settle at {calls} calls");
}

#[rstest]
#[tokio::test]
async fn all_is_read_whatever_errors_look_like(
    #[values("rest", "api")] dialect: &str,
    #[values(
        ErrorForm::Bare,
        ErrorForm::Typed,
        ErrorForm::ByStatus,
        ErrorForm::Swapped
    )]
    form: ErrorForm,
) {
    // That a service is unknown is a 404, which tells nothing without a body.
    let keys = match form {
        ErrorForm::ByStatus => format!("dialect: {dialect}\n{KNOWN}"),
        _ => format!("dialect: {dialect}"),
    };
    let mut bench = VcBench::with(&keys, |options| options.error_form = form).await;
    for (operation, count) in [("clone", 700), ("relocate", 700)] {
        fill(&bench, VM, operation, VcStatus::Succeeded, count);
        fill(&bench, VM, operation, VcStatus::Failed, count);
    }
    fill(
        &bench,
        "com.vmware.esx.settings.depots",
        "sync",
        VcStatus::Running,
        5,
    );
    fill(
        &bench,
        "com.vmware.appliance.support_bundle",
        "create",
        VcStatus::Succeeded,
        5,
    );
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(2810);
    page.metric("virt_source_listing_complete").is(1);
    // Four for the virtual machines, which are too many for fewer, the
    // unfinished ones before them, and one or two for each provider.
    let calls = settle(&mut bench).await;
    assert!(calls <= 9, "{calls} calls");
}

#[tokio::test]
async fn three_providers_an_unknown_service_and_five_thousand_tasks() {
    let mut bench = VcBench::new().await;
    for operation in ["clone", "relocate"] {
        fill(&bench, VM, operation, VcStatus::Succeeded, 950);
        fill(&bench, VM, operation, VcStatus::Failed, 950);
        fill(&bench, VM, operation, VcStatus::Running, 450);
    }
    fill(&bench, VM, "clone", VcStatus::Pending, 300);
    fill(
        &bench,
        "com.vmware.esx.settings.depots",
        "sync",
        VcStatus::Running,
        5,
    );
    fill(
        &bench,
        "com.vmware.appliance.support_bundle",
        "create",
        VcStatus::Succeeded,
        5,
    );
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(5010);
    page.metric("virt_source_listing_complete").is(1);
    // Pending, blocked, running; succeeded and failed by operation: 7. The
    // rest of the same provider, and the two others: 3.
    assert_eq!(settle(&mut bench).await, 10);
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(5010);
    page.metric("virt_source_listing_complete").is(1);
    page.metric("virt_task_finished_total").sums_to(0);
}

#[rstest]
#[tokio::test]
async fn one_leaf_takes_a_thousand(
    #[values("rest", "api")] dialect: &str,
    #[values(0, 1, 999, 1000, 1001)] count: usize,
) {
    let keys = format!("dialect: {dialect}\nservices: [{VM}]");
    let mut bench = VcBench::with(&keys, |_| {}).await;
    fill(&bench, VM, "clone", VcStatus::Succeeded, count);
    let page = bench.poll().await;
    let fits = count <= 1000;
    let read = if fits { count } else { 0 };
    page.metric("virt_tasks")
        .sums_to(u32::try_from(read).unwrap());
    // One operation in one status cannot be told apart any further.
    page.metric("virt_source_listing_complete")
        .is(u8::from(fits));
    assert_eq!(bench.lists(0).len() == 1, fits);
}

#[tokio::test]
async fn what_cannot_be_split_is_said_and_nothing_in_it_vanishes() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    fill(&bench, VM, "clone", VcStatus::Running, 1500);
    fill(&bench, VM, "relocate", VcStatus::Failed, 3);
    for _ in 0..3 {
        let page = bench.poll().await;
        page.metric("virt_source_listing_complete").is(0);
        page.metric("virt_task_vanished_total").sums_to(0);
        // What was read is applied.
        page.metric("virt_task_failures_total").sums_to(3);
    }
    bench.sim.succeed(&id);
    let page = bench.poll().await;
    page.metric("virt_task_finished_total")
        .with("operation", CLONE)
        .with("status", "succeeded")
        .is(1);
}

#[tokio::test]
async fn an_unfinished_task_is_read_though_outcomes_are_too_many() {
    let mut bench = VcBench::new().await;
    fill(&bench, VM, "clone", VcStatus::Succeeded, 1500);
    let id = bench.sim.add(clone("a").running());
    let page = bench.poll().await;
    page.metric("virt_source_listing_complete").is(0);
    page.metric("virt_tasks")
        .with("status", "running")
        .sums_to(1);
    // It ends among those that cannot be listed, and is read by its id.
    bench.sim.succeed(&id);
    for _ in 0..2 {
        let page = bench.poll().await;
        page.metric("virt_tasks")
            .with("status", "running")
            .sums_to(0);
        let finished = page
            .metric("virt_task_finished_total")
            .with("operation", CLONE);
        finished.with("status", "succeeded").is(1);
        page.metric("virt_task_vanished_total").sums_to(0);
    }
}

#[rstest]
#[case(ProviderState::Unavailable)]
#[case(ProviderState::Broken)]
#[case(ProviderState::Forbidden)]
#[tokio::test]
async fn a_provider_that_never_answers_disturbs_no_other(#[case] state: ProviderState) {
    let mut bench = VcBench::with("", |options| options.providers[0].state = state).await;
    fill(&bench, VM, "clone", VcStatus::Running, 5);
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(5);
    page.metric("virt_source_listing_complete").is(1);
    let calls = settle(&mut bench).await;
    assert!(calls <= 2, "{calls}");
}

#[tokio::test]
async fn a_provider_that_is_down_for_a_while_loses_nothing() {
    let mut bench = VcBench::new().await;
    let id = bench.sim.add(clone("a").running());
    settle(&mut bench).await;
    let state = |bench: &VcBench, state| {
        bench
            .sim
            .configure(|options| options.providers[1].state = state);
    };
    state(&bench, ProviderState::Unavailable);
    for _ in 0..8 {
        let page = bench.poll().await;
        page.metric("virt_source_listing_complete").is(0);
        page.metric("virt_task_vanished_total").sums_to(0);
        page.metric("virt_tasks")
            .with("status", "running")
            .sums_to(1);
    }
    bench.sim.fail(&id, VcError::new("ERROR", "x"));
    state(&bench, ProviderState::Working);
    // One service is tried in a poll, and as it answers all are in the next.
    bench.poll().await;
    let page = bench.poll().await;
    page.metric("virt_task_failures_total")
        .with("error_code", "ERROR")
        .is(1);
    page.metric("virt_source_listing_complete").is(1);
    assert_eq!(settle(&mut bench).await, 3);
}

#[tokio::test]
async fn a_vcenter_that_is_down_is_left_alone_soon() {
    let down = |options: &mut virt_task_exporter::simulator::VcenterOptions| {
        for provider in &mut options.providers {
            provider.state = ProviderState::Unavailable;
        }
    };
    let mut bench = VcBench::with("", down).await;
    bench.sim.add(clone("a"));
    for _ in 0..30 {
        assert_eq!(bench.fail().await.reason, Reason::ServerError);
    }
    // What is to be found out by splitting is so once; 17 of the services exist.
    let calls = bench.lists(0).len();
    assert!(calls < 150 + 30 * 8, "{calls} calls");
    bench.sim.configure(|options| {
        for provider in &mut options.providers {
            provider.state = ProviderState::Working;
        }
    });
    bench.poll().await;
    let page = bench.poll().await;
    page.metric("virt_tasks").sums_to(1);
    page.metric("virt_source_listing_complete").is(1);
    settle(&mut bench).await;
    assert_eq!(bench.sim.logins(), 1);
}

#[tokio::test]
async fn nothing_but_the_services_that_are_named_is_read() {
    let mut bench = VcBench::with("services: [com.vmware.vcenter.VM]", |_| {}).await;
    fill(&bench, VM, "clone", VcStatus::Running, 2);
    fill(
        &bench,
        "com.vmware.esx.settings.depots",
        "sync",
        VcStatus::Running,
        5,
    );
    bench.poll().await.metric("virt_tasks").sums_to(2);
    assert!(bench.lists(0).iter().all(|list| list.services == [VM]));
}

#[tokio::test]
async fn one_that_is_gone_vanishes_though_outcomes_are_too_many() {
    let mut bench = VcBench::new().await;
    fill(&bench, VM, "clone", VcStatus::Succeeded, 1500);
    let id = bench.sim.add(clone("a").running());
    bench.poll().await;
    bench.sim.remove(&id);
    bench
        .poll()
        .await
        .metric("virt_task_vanished_total")
        .sums_to(1);
}

#[rstest]
#[case(FaultKind::Html(500))]
#[case(FaultKind::Html(404))]
#[case(FaultKind::Html(403))]
#[case(FaultKind::Html(503))]
#[case(FaultKind::Dropped)]
#[tokio::test]
async fn a_proxy_that_answers_for_an_ill_vcenter_is_asked_no_more_than_before(
    #[case] kind: FaultKind,
) {
    let mut bench = VcBench::new().await;
    bench.sim.history(300);
    let calls = settle(&mut bench).await;
    bench.sim.inject(Fault::new(Endpoint::List, kind));
    let before = bench.sim.request_count();
    for _ in 0..10 {
        bench.fail().await;
    }
    let asked = bench.lists(before).len();
    assert!(asked <= 80, "{asked} calls");
    bench.sim.clear_faults();
    let before = bench.sim.request_count();
    let page = bench.poll().await;
    page.metric("virt_source_listing_complete").is(1);
    assert_eq!(bench.lists(before).len(), calls);
}

#[tokio::test]
async fn a_provider_that_hangs_up_disturbs_no_other() {
    let mut bench = VcBench::new().await;
    fill(&bench, VM, "clone", VcStatus::Running, 5);
    assert_eq!(settle(&mut bench).await, 3);
    // The first of the three calls of a poll.
    bench
        .sim
        .inject(Fault::new(Endpoint::List, FaultKind::Dropped).times(1));
    let page = bench.poll().await;
    page.metric("virt_source_up").is(1);
    page.metric("virt_source_listing_complete").is(0);
    page.metric("virt_task_vanished_total").sums_to(0);
    bench
        .poll()
        .await
        .metric("virt_source_listing_complete")
        .is(1);
}
