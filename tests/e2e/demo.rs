use std::fs;

use crate::support::{Exporter, Format, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_every_kind_of_task_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let exporter =
        Exporter::start(folder.path(), &["demo", "--web.listen-address=127.0.0.1:0"]).await;
    exporter.ready().await;
    let (code, body) = exporter.get("/-/healthy").await.unwrap();
    assert_eq!((code, body.as_str()), (200, "OK\n"));
    let witness = async || exporter.witness().await;
    eventually("running, succeeded and failed tasks", witness, async || {
        let page = exporter.page(Format::Classic).await;
        let tasks = |status| page.sum("virt_tasks", &[status]);
        let counts = [
            tasks("status=\"running\""),
            tasks("status=\"succeeded\""),
            tasks("status=\"failed\""),
        ];
        let sources = page.sum("virt_source_info", &[]);
        let down = sources - page.sum("virt_source_up", &[]);
        if counts.into_iter().all(|count| count > 0.0) && sources > 1.0 && down < 1.0 {
            return Ok(());
        }
        Err(format!(
            "tasks {counts:?}, {down} of {sources} sources down"
        ))
    })
    .await;
    let (status, log) = exporter.stop().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("level=error"), "{log}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_system_alone_is_a_source() {
    for system in ["sddc_manager", "vcenter", "virtshell"] {
        is_a_source(system).await;
    }
}

async fn is_a_source(system: &str) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "simulate",
        system,
        "--listen=127.0.0.1:0",
        "--tasks=7",
        "--rate=0",
    ];
    let simulator = Exporter::start(folder.path(), &arguments).await;
    let login = match system {
        "virtshell" => "",
        _ => ", username: svc-exporter@vsphere.local, password: demo",
    };
    let config = format!(
        "sources: [{{name: a, system: {system}, url: 'http://{}'{login}}}]",
        simulator.address()
    );
    fs::write(folder.path().join("virt-task-exporter.yml"), config).unwrap();
    let exporter = Exporter::start(folder.path(), &["--web.listen-address=127.0.0.1:0"]).await;
    exporter.ready().await;
    let page = exporter.page(Format::Classic).await;
    assert!(
        page.sum("virt_source_up", &[]) > 0.0,
        "{}",
        exporter.witness().await
    );
    assert!(page.sum("virt_tasks", &[]) > 6.0, "{}", page.text);
    for program in [exporter, simulator] {
        let (status, log) = program.stop().await;
        assert_eq!(status.code(), Some(0), "{log}");
    }
}
