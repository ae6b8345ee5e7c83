use rstest::rstest;
use virt_task_exporter::simulator::TaskError;

use super::{config, entry, reloaded, rewrite, sddc, up};
use crate::support::{Page, Scratch, VcBench, task};

fn finished(page: &Page) -> f64 {
    page.metric("virt_task_finished_total").sum()
}

#[rstest]
#[case::on_disk(&[])]
#[case::in_memory(&["--storage.path="])]
#[tokio::test]
async fn counters_and_state_of_a_changed_source_go_on(#[case] arguments: &[&str]) {
    let sddc = sddc().await;
    for id in ["1", "2"] {
        sddc.sim.add(task(id));
    }
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, "")]));
    let program = scratch.serve(arguments).await;
    program.scraped("a poll", up("a")).await;
    sddc.sim.succeed("1");
    program
        .scraped("a success", |page| finished(page) > 0.5)
        .await;
    let other = entry("a", "sddc_manager", &sddc.url, ", max_error_codes: 7");
    rewrite(&scratch, &[other]);
    reloaded(&program).await;
    let page = program.scrape().await;
    page.metric("virt_task_finished_total").sums_to(1);
    page.metric("virt_tasks").with("status", "running").is(1);
    page.metric("virt_source_up").is(1);
    sddc.sim.fail("2", TaskError::new("E", "it failed"));
    let page = program
        .scraped("a failure", |page| finished(page) > 1.5)
        .await;
    page.metric("virt_task_finished_total").sums_to(2);
    page.metric("virt_task_started_total").sums_to(2);
}

#[tokio::test]
async fn counters_of_a_source_that_comes_back_go_on() {
    let (first, second) = (sddc().await, sddc().await);
    first.sim.add(task("1"));
    let a = entry("a", "sddc_manager", &first.url, "");
    let b = entry("b", "sddc_manager", &second.url, "");
    let scratch = Scratch::new(&config(&[a.clone(), b.clone()]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    first.sim.succeed("1");
    program
        .scraped("a success", |page| finished(page) > 0.5)
        .await;
    rewrite(&scratch, std::slice::from_ref(&b));
    reloaded(&program).await;
    program
        .scrape()
        .await
        .metric("virt_task_finished_total")
        .with("source", "a")
        .is_absent();
    rewrite(&scratch, &[a, b]);
    reloaded(&program).await;
    let page = program.scraped("a poll", up("a")).await;
    page.metric("virt_task_finished_total")
        .with("source", "a")
        .sums_to(1);
}

#[tokio::test]
async fn another_url_is_a_baseline_first() {
    let (first, second) = (sddc().await, sddc().await);
    first.sim.add(task("1"));
    for id in ["2", "3", "4"] {
        second.sim.add(task(id));
    }
    second.sim.succeed("2");
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &first.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    first.sim.succeed("1");
    program
        .scraped("a success", |page| finished(page) > 0.5)
        .await;
    rewrite(&scratch, &[entry("a", "sddc_manager", &second.url, "")]);
    reloaded(&program).await;
    program.logged(&["the url is another one"]).await;
    let page = program.scraped("a poll", up("a")).await;
    page.metric("virt_task_finished_total").sums_to(1);
    second.sim.succeed("3");
    let page = program
        .scraped("a success", |page| finished(page) > 1.5)
        .await;
    page.metric("virt_task_finished_total").sums_to(2);
}

#[tokio::test]
async fn another_system_starts_a_ledger_of_its_own() {
    let (sddc, vcenter) = (sddc().await, VcBench::real_time(|_| {}).await);
    sddc.sim.add(task("1"));
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    rewrite(&scratch, &[entry("a", "vcenter", &vcenter.url, "")]);
    reloaded(&program).await;
    let page = program.scraped("a poll", up("a")).await;
    page.metric("virt_source_info")
        .with("system", "vcenter")
        .is(1);
    page.metric("virt_tasks").is_absent();
    program.logged(&["was set aside"]).await;
}

#[tokio::test]
async fn failed_commits_of_a_removed_source_stay_counted() {
    let (first, second) = (sddc().await, sddc().await);
    first.sim.add(task("1"));
    second.sim.add(task("2"));
    let a = entry("a", "sddc_manager", &first.url, "");
    let b = entry("b", "sddc_manager", &second.url, "");
    let scratch = Scratch::new(&config(&[a.clone(), b]));
    let program = scratch.serve_on_full_disk().await;
    let name = "virt_exporter_ledger_commit_failures_total";
    let before = program
        .scraped("failed commits", |page| page.metric(name).sum() > 3.5)
        .await;
    rewrite(&scratch, &[a]);
    reloaded(&program).await;
    let after = program.scrape().await;
    assert!(after.metric(name).sum() >= before.metric(name).sum());
}
