use std::collections::BTreeSet;
use std::fs;

use virt_task_exporter::simulator::SimTask;

use crate::support::{Brand, Exporter, Server, eventually, readme_blocks, scrapes, simulated};

/// Waits until the expression gives one series with this value.
async fn is(server: &Server, exporter: &Exporter, expression: &str, value: f64) {
    let what = format!("{expression} is {value}");
    let witness = async || exporter.witness().await;
    eventually(&what, witness, async || {
        let answer = server.query(expression).await?;
        match answer.as_slice() {
            [one] if one.value.total_cmp(&value).is_eq() => Ok(()),
            _ => Err(format!("{answer:#?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_both_formats_read_the_same() {
    let simulated = simulated().await;
    simulated.sddc.history(40);
    let name = r#"a "quoted" \ name, größer {x="y"}"#;
    simulated.sddc.add(SimTask::new("UPGRADE", name).running());
    let folder = tempfile::tempdir().unwrap();
    let exporter = simulated.exporter(&folder).await;
    exporter.ready().await;
    let config = scrapes(exporter.address());
    for brand in [Brand::Prometheus, Brand::VictoriaMetrics] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::configured(brand, folder.path(), &config).await;
        for (expression, value) in [
            ("sum(virt_tasks)", 41.0),
            ("sum(virt_task_started_total)", 1.0),
            (
                "count(virt_open_task_info{operation=\"UPGRADE\", name=~\"a \\\"quoted\\\" .*\"})",
                1.0,
            ),
            (
                "count(virt_source_poll_duration_seconds_bucket{le=\"+Inf\"})",
                1.0,
            ),
        ] {
            is(&server, &exporter, expression, value).await;
        }
    }
}

/// The README's way to make a target of each source, for this exporter.
fn recipe(address: &str) -> String {
    let mut blocks = readme_blocks("yaml");
    let block = blocks
        .find(|block| block.contains("http_sd_configs"))
        .unwrap();
    let block = block.replace("exporter.example:9894", address);
    block.replace(
        "scrape_interval: 30s",
        "scrape_interval: 1s\n    scrape_timeout: 1s",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_source_is_a_target_by_the_readmes_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let config = "sources:\n  \
        - {name: 'a & b', system: sddc_manager, url: 'http://127.0.0.1:1', token: t}\n  \
        - {name: vc, system: vcenter, url: 'http://127.0.0.1:1', username: u, password: p}\n";
    fs::write(folder.path().join("virt-task-exporter.yml"), config).unwrap();
    let exporter = Exporter::start(folder.path(), &["--web.listen-address=127.0.0.1:0"]).await;
    exporter.ready().await;
    let config = recipe(exporter.address());
    let server = Server::configured(Brand::Prometheus, folder.path(), &config).await;
    let job = "job=\"virt-task-exporter\"";
    for (instance, system) in [("a & b", "sddc_manager"), ("vc", "vcenter")] {
        let labels = format!("{job}, instance=\"{instance}\", virt_system=\"{system}\"");
        is(&server, &exporter, &format!("up{{{labels}}}"), 1.0).await;
        // It has its own series, and none of another source or of the exporter.
        let own = format!("virt_source_up{{{labels}, source=\"{instance}\"}}");
        is(&server, &exporter, &own, 0.0).await;
        let all = server
            .query(&format!("{{{labels}, __name__=~\"virt_.*|process_.*\"}}"))
            .await;
        let all = all.unwrap();
        let sources: BTreeSet<_> = all.iter().map(|one| one.labels.get("source")).collect();
        assert_eq!(
            sources,
            BTreeSet::from([Some(&instance.to_owned())]),
            "{all:#?}"
        );
    }
    is(&server, &exporter, &format!("count(up{{{job}}})"), 2.0).await;
    is(&server, &exporter, "count(virt_source_info)", 2.0).await;
    let itself = "count(virt_exporter_build_info{job=\"virt-task-exporter-itself\"})";
    is(&server, &exporter, itself, 1.0).await;
    is(&server, &exporter, "count(virt_exporter_build_info)", 1.0).await;
}
