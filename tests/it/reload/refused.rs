use rstest::rstest;

use super::{config, entry, polls, reload, reloaded, rewrite, sddc, up};
use crate::support::{Page, Program, Scratch, VcBench};

const SUCCESSFUL: &str = "virt_exporter_config_last_reload_successful";
const SINCE: &str = "virt_exporter_config_last_reload_success_timestamp_seconds";

/// Whether the status page says that an older configuration is in force.
async fn people_are_told(program: &Program) -> bool {
    let page = program.get("/").await.text().await.unwrap();
    let status = program.get("/api/v1/status").await.text().await.unwrap();
    let told = page.contains("could not be loaded again");
    assert_eq!(told, status.contains("\"config_loaded\":false"), "{status}");
    told
}

#[rstest]
#[case::a_bad_value(", poll_interval: soon", "poll_interval")]
#[case::an_unknown_key(", poll_intervall: 1s", "poll_intervall")]
#[case::a_missing_certificate(", tls_config: {ca_file: nowhere.pem}", "nowhere.pem")]
#[case::no_yaml("}", "sources")]
#[tokio::test]
async fn a_bad_file_keeps_everything(#[case] keys: &str, #[case] why: &str) {
    let (vcenter, sddc) = (VcBench::real_time(|_| {}).await, sddc().await);
    let a = entry("a", "vcenter", &vcenter.url, "");
    let scratch = Scratch::new(&config(std::slice::from_ref(&a)));
    let program = scratch.serve(&[]).await;
    let before = program.scraped("a poll", up("a")).await;
    before.metric(SUCCESSFUL).is(1);

    // What is right in it is not done either.
    let changed = entry("a", "vcenter", &vcenter.url, ", max_open_tasks: 7");
    let added = entry("b", "sddc_manager", &sddc.url, "");
    let bad = entry("c", "sddc_manager", &sddc.url, keys);
    rewrite(&scratch, &[changed, added.clone(), bad]);
    let (code, text) = reload(&program).await;
    assert_eq!(code, 500);
    assert!(text.contains("virt-task-exporter.yml"), "{text}");
    assert!(text.contains(why) || why == "sources", "{text}");
    assert!(!text.contains("VMware123!"), "{text}");
    let page = program.scrape().await;
    page.metric(SUCCESSFUL).is(0);
    page.metric(SINCE).is(before.metric(SINCE).value());
    page.metric("virt_source_info").stands(1);
    let lines = program.lines(&["the configuration was not loaded"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(people_are_told(&program).await);
    program
        .scraped("more polls", |after| polls(after, "a") > polls(&page, "a"))
        .await;
    assert_eq!((vcenter.sim.logins(), sddc.logins()), (1, 0));

    rewrite(&scratch, &[a, added]);
    reloaded(&program).await;
    let good = |page: &Page| up("b")(page);
    let page = program.scraped("the added one", good).await;
    page.metric(SUCCESSFUL).is(1);
    assert!(!people_are_told(&program).await);
    assert!(page.metric(SINCE).value() > before.metric(SINCE).value());
    assert_eq!(vcenter.sim.logins(), 1);
}

#[tokio::test]
async fn a_missing_file_is_a_bad_one() {
    let sddc = sddc().await;
    let scratch = Scratch::new(&config(&[entry("a", "sddc_manager", &sddc.url, "")]));
    let program = scratch.serve(&[]).await;
    program.scraped("a poll", up("a")).await;
    std::fs::remove_file(scratch.path("virt-task-exporter.yml")).unwrap();
    let (code, text) = reload(&program).await;
    assert_eq!(code, 500);
    assert!(text.contains("cannot read"), "{text}");
    program.scrape().await.metric(SUCCESSFUL).is(0);
}
