use std::collections::BTreeMap;
use std::fmt::Write as _;

use rustix::process::Signal;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{
    Endpoint, Fault, FaultKind, Resource, SddcManager, SimTask, SubTask, TaskError,
};

use crate::support::{
    Brand, Notification, Receiver, SOURCE, Server, World, blocks, eventually, simulated,
};

const OPERATION: &str = "HOST_COMMISSION";

const HOST: &str = "sfo01-w01-esx05.rainpole.io";

/// What is added to Prometheus' configuration for these rules and this Alertmanager.
fn with_rules(alertmanager: &str) -> String {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/rules");
    format!(
        "rule_files: ['{rules}/alerts.yml', '{rules}/recording.yml']\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n"
    )
}

/// The route that the documentation gives, made quick, to one receiver.
fn route(receiver: &str) -> String {
    let text = include_str!("../../dashboards/README.md");
    let mut yaml = blocks(text, "yaml");
    let mut route = yaml
        .find(|block| block.starts_with("route:"))
        .unwrap()
        .to_owned();
    for (slow, quick) in [
        ("group_wait: 30s", "group_wait: 1s".to_owned()),
        ("group_interval: 5m", "group_interval: 1s".to_owned()),
        ("chat.rainpole.io", receiver.to_owned()),
        ("pager.rainpole.io", receiver.to_owned()),
    ] {
        assert!(route.contains(slow), "no {slow} in\n{route}");
        route = route.replace(slow, &quick);
    }
    route
}

/// Everything that takes part, and what was heard.
struct Scene {
    world: World,
    alertmanager: Server,
    receiver: Receiver,
}

impl Scene {
    /// Waits until that many messages were received, and returns them all.
    async fn heard(&self, count: usize) -> Vec<Notification> {
        let witness = async || {
            let mut text = self.world.exporter.witness().await;
            let alertmanager = self.alertmanager.log();
            write!(text, "--- Alertmanager\n{alertmanager}").unwrap();
            text
        };
        eventually(&format!("{count} notifications"), witness, async || {
            let heard = self.receiver.received();
            if heard.len() == count {
                return Ok(heard);
            }
            Err(format!("{heard:#?}"))
        })
        .await
    }
}

/// A task of a host that failed at its second step.
fn failed(sddc: &SddcManager, host: &str) -> String {
    let now = Clock::system().now();
    let step = |name: &str| SubTask::new(name, now);
    let task = SimTask::new(OPERATION, "Commissioning hosts").created(now);
    let task = task
        .resource(Resource::new(host, "HOST").fqdn(host))
        .sub_task(step("ValidateHosts"))
        .sub_task(step(&format!("{host}:FTP")))
        .running();
    let id = sddc.add(task);
    sddc.advance(&id);
    sddc.fail(&id, TaskError::new("HOST_COMMISSION_FAILED", "No answer"));
    id
}

fn is_of_the_task(notification: &Notification, status: &str, id: &str) {
    assert_eq!(notification.status, status, "{notification:#?}");
    let [alert] = notification.alerts.as_slice() else {
        panic!("{notification:#?}");
    };
    assert_eq!(alert.status, status, "{notification:#?}");
    let labels = [
        ("alertname", "VirtTaskFailed"),
        ("severity", "warning"),
        ("job", "virt-task-exporter"),
        ("source", SOURCE),
        ("operation", OPERATION),
        ("task_id", id),
        ("name", "Commissioning hosts"),
        ("resource", HOST),
        ("failed_subtask", "*:FTP"),
        ("error_code", "HOST_COMMISSION_FAILED"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    assert_eq!(alert.labels, BTreeMap::from(labels.map(owned)));
    let group = [("source", SOURCE), ("operation", OPERATION)];
    assert_eq!(notification.group, BTreeMap::from(group.map(owned)));
    assert_eq!(
        alert.annotations["description"],
        format!(
            "{SOURCE}: \"Commissioning hosts\" ({OPERATION}) on {HOST} \
             failed at \"*:FTP\" with HOST_COMMISSION_FAILED. Its id is {id}."
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_notifies_once_and_resolves_with_its_retry() {
    let simulated = simulated().await;
    let sddc = &simulated.sddc;
    let receiver = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = route(receiver.address());
    let alertmanager = Server::configured(Brand::Alertmanager, folder.path(), &config).await;
    let world = World::with(&simulated, &with_rules(alertmanager.address())).await;
    let mut scene = Scene {
        world,
        alertmanager,
        receiver,
    };
    scene.world.is("virt_source_up", 1.0).await;

    let id = failed(sddc, HOST);
    let heard = scene.heard(1).await;
    is_of_the_task(&heard[0], "firing", &id);

    // An outage of the source, a crash and a restart are no news about the task.
    sddc.inject(Fault::new(Endpoint::Any, FaultKind::Status(503)));
    scene.world.none("virt_open_task_info").await;
    scene
        .world
        .some("ALERTS{alertname=\"VirtTaskFailed\"}")
        .await;
    sddc.clear_faults();
    scene.world.some("virt_open_task_info").await;
    for signal in [Signal::KILL, Signal::TERM] {
        scene.world.goes_down(signal).await;
        scene.world.comes_back(&simulated).await;
        scene.world.some("virt_open_task_info").await;
    }

    // Another failure of the same operation is a notification of its own, and
    // so tells that nothing came between.
    let other = failed(sddc, "sfo01-w01-esx06.rainpole.io");
    let heard = scene.heard(2).await;
    assert_eq!(heard[1].alerts.len(), 2, "{heard:#?}");
    assert!(sddc.retry(&other));
    sddc.succeed(&other);
    let heard = scene.heard(3).await;
    assert_eq!(heard[2].status, "firing", "{heard:#?}");
    let states: BTreeMap<_, _> = heard[2]
        .alerts
        .iter()
        .map(|alert| (alert.labels["task_id"].as_str(), alert.status.as_str()))
        .collect();
    let expected = [(id.as_str(), "firing"), (other.as_str(), "resolved")];
    assert_eq!(states, BTreeMap::from(expected));

    assert!(sddc.retry(&id));
    sddc.succeed(&id);
    let heard = scene.heard(4).await;
    is_of_the_task(&heard[3], "resolved", &id);
    scene.world.none("ALERTS{alertname=~\"VirtTask.*\"}").await;
}
