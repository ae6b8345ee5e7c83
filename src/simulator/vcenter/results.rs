//! What tasks leave behind: the part that makes answers large.

use serde_json::{Value, json};

use super::call::Dialect;
use super::error::message;
use super::status::VcStatus;
use super::task::VcTask;

/// How many hosts a result of vLCM tells of; each takes about half a kilobyte.
const HOSTS: u32 = 64;

/// The result of a task, which is there from its start on.
pub(super) fn of(task: &VcTask, dialect: Dialect) -> Option<Value> {
    if task.status == VcStatus::Pending {
        None
    } else if task.is_vlcm() {
        Some(compliance(task, dialect))
    } else if task.status == VcStatus::Succeeded {
        task.target.as_ref().map(|target| target.id.clone().into())
    } else {
        None
    }
}

/// A compliance report: a task that found something wrong has ended well all the same.
fn compliance(task: &VcTask, dialect: Dialect) -> Value {
    let hosts = (1..=HOSTS).map(|number| (format!("host-{number}"), host(number)));
    json!({
        "status": "NON_COMPLIANT",
        "impact": "REBOOT_REQUIRED",
        "commit": task.id,
        "notifications": {},
        "hosts": dialect.map(hosts),
    })
}

fn host(number: u32) -> Value {
    let name = format!("sfo01-esx{number:02}.rainpole.io");
    let text = format!(
        "The base image of {name} is older than the image of the cluster; the host enters \
         maintenance mode and reboots when the cluster is remediated."
    );
    json!({
        "status": "NON_COMPLIANT",
        "impact": "REBOOT_REQUIRED",
        "base_image": {"status": "NON_COMPLIANT", "current": {"version": "8.0.3-0.0.24022510"},
            "target": {"version": "8.0.3-0.35.24280767"}},
        "notifications": {"warnings": [message("com.vmware.vcIntegrity.lifecycle.host", &text)]},
    })
}
