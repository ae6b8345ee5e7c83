//! What the tasks of a vCenter look like, for its past and its life.

use super::error::VcError;
use super::options::VcenterOptions;
use super::task::VcTask;

/// What tasks of one operation look like, how long they take and how they fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    description: &'static str,
    /// The type of what it works on and how ids of that begin.
    target: Option<(&'static str, &'static str)>,
    /// The least and the most length, in units of the workload's pace.
    pub(super) length: (u32, u32),
    /// How often it comes, compared with the others.
    weight: u32,
    /// Whether it can be canceled.
    pub(super) cancelable: bool,
    /// How many tasks are inside it.
    subtasks: usize,
    /// The ways to fail, all as likely: type and message.
    failures: &'static [(&'static str, &'static str)],
}

const CLUSTER: Option<(&str, &str)> = Some(("ClusterComputeResource", "domain-c"));
const MACHINE: Option<(&str, &str)> = Some(("VirtualMachine", "vm-"));
const CLUSTER_SOFTWARE: &str = "com.vmware.esx.settings.clusters.software";

const VLCM_FAILURES: &[(&str, &str)] = &[
    ("ERROR", "A general system error occurred."),
    (
        "TIMED_OUT",
        "Timed out while the host entered maintenance mode.",
    ),
    (
        "RESOURCE_BUSY",
        "Another task of the cluster is in progress.",
    ),
];

const MACHINE_FAILURES: &[(&str, &str)] = &[
    (
        "RESOURCE_BUSY",
        "The operation is not allowed while a snapshot is taken.",
    ),
    (
        "UNABLE_TO_ALLOCATE_RESOURCE",
        "The datastore has too little free space.",
    ),
    ("INTERNAL_SERVER_ERROR", "A general system error occurred."),
];

/// One operation without frills.
const fn plain(
    service: &'static str,
    operation: &'static str,
    description: &'static str,
    length: (u32, u32),
    weight: u32,
) -> Recipe {
    Recipe {
        service,
        operation,
        description,
        target: None,
        length,
        weight,
        cancelable: false,
        subtasks: 0,
        failures: &[(
            "INTERNAL_SERVER_ERROR",
            "The operation ended with an error.",
        )],
    }
}

/// An operation on machines.
const fn machine(operation: &'static str, text: &'static str, length: (u32, u32)) -> Recipe {
    Recipe {
        target: MACHINE,
        cancelable: true,
        failures: MACHINE_FAILURES,
        ..plain("com.vmware.vcenter.VM", operation, text, length, 6)
    }
}

/// An operation of vLCM on a cluster; its captured descriptions are all the same.
const fn vlcm(
    service: &'static str,
    operation: &'static str,
    length: (u32, u32),
    weight: u32,
    subtasks: usize,
) -> Recipe {
    Recipe {
        target: CLUSTER,
        cancelable: subtasks > 0,
        subtasks,
        failures: VLCM_FAILURES,
        ..plain(
            service,
            operation,
            "Task created by VMware vSphere Lifecycle Manager",
            length,
            weight,
        )
    }
}

/// The operations of a busy vCenter.
const RECIPES: &[Recipe] = &[
    machine("clone", "Clone a virtual machine", (10, 30)),
    machine("relocate", "Relocate a virtual machine", (8, 40)),
    vlcm(CLUSTER_SOFTWARE, "scan", (6, 15), 4, 0),
    vlcm(CLUSTER_SOFTWARE, "check", (8, 20), 3, 0),
    vlcm(CLUSTER_SOFTWARE, "stage", (15, 40), 2, 4),
    vlcm(CLUSTER_SOFTWARE, "apply", (30, 90), 3, 4),
    vlcm(
        "com.vmware.esx.settings.clusters.configuration",
        "check_compliance",
        (6, 15),
        3,
        0,
    ),
    vlcm(
        "com.vmware.esx.settings.clusters.configuration",
        "apply",
        (20, 60),
        1,
        4,
    ),
    vlcm("com.vmware.esx.settings.depots", "sync", (10, 25), 1, 0),
    plain(
        "com.vmware.appliance.support_bundle",
        "create",
        "Create a support bundle",
        (20, 60),
        2,
    ),
    plain(
        "com.vmware.appliance.infraprofile.configs",
        "validate",
        "Validate a profile",
        (5, 12),
        1,
    ),
];

/// One of the recipes that some provider keeps the tasks of, by their weights.
pub(super) fn pick(options: &VcenterOptions, rng: &mut fastrand::Rng) -> Option<&'static Recipe> {
    let kept = || {
        let recipes = RECIPES.iter();
        recipes.filter(|recipe| options.provider_of(recipe.service).is_some())
    };
    let weights = kept().map(|recipe| recipe.weight).sum::<u32>();
    let mut drawn = rng.u32(..weights.max(1));
    kept().find(|recipe| {
        let found = drawn < recipe.weight;
        drawn = drawn.saturating_sub(recipe.weight);
        found
    })
}

impl Recipe {
    /// A pending task.
    pub(super) fn build(&self, rng: &mut fastrand::Rng) -> VcTask {
        let mut task = VcTask::new(self.service, self.operation).description(self.description);
        task.suffixed = task.is_vlcm();
        task.cancelable = self.cancelable;
        if let Some((kind, prefix)) = self.target {
            task = task.target(kind, format!("{prefix}{}", rng.u32(8..=40)));
        }
        // No user was seen in the tasks of the appliance.
        if !self.service.starts_with("com.vmware.appliance.") {
            task = task.user("Administrator@VSPHERE.LOCAL");
        }
        let inside = |_| {
            let host = format!("host-{}", rng.u32(10..=99));
            VcTask::new(self.service, self.operation)
                .suffixed(true)
                .target("HostSystem", host)
        };
        task.subtasks = (0..self.subtasks).map(inside).collect();
        task
    }

    /// One of the ways to fail.
    pub(super) fn failure(&self, rng: &mut fastrand::Rng) -> VcError {
        let (kind, message) = rng.choice(self.failures).copied().unwrap_or(("ERROR", ""));
        VcError::new(kind, message)
    }
}
