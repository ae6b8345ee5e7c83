use virt_task_exporter::simulator::SimTask;

use crate::support::{Brand, Exporter, Prometheus, eventually, simulated};

/// Waits until the expression gives one series with this value.
async fn is(server: &Prometheus, exporter: &Exporter, expression: &str, value: f64) {
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
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n  \
           - job_name: virt-task-exporter\n    \
             static_configs: [{{targets: ['{}']}}]\n",
        exporter.address()
    );
    for brand in [Brand::Prometheus, Brand::VictoriaMetrics] {
        let folder = tempfile::tempdir().unwrap();
        let server = Prometheus::configured(brand, folder.path(), &config).await;
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
