//! Who keeps the tasks of which services.

use std::time::Duration;

/// A provider of tasks: all services named in one list call must be its own.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name, which no call shows.
    pub name: String,
    /// The services whose tasks it keeps.
    pub services: Vec<String>,
    /// How well it is.
    pub state: ProviderState,
    /// How long it keeps ended tasks; what the options say when not set.
    pub retention: Option<Duration>,
}

/// How well a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderState {
    /// It answers.
    Working,
    /// Every call ends with `service_unavailable`.
    Unavailable,
    /// Every list ends with `internal_server_error`, as the SDK's task
    /// manager for Go answers lists with a filter; a task by its id is found.
    Broken,
    /// Every call ends with `unauthorized`.
    Forbidden,
}

impl Provider {
    /// A working provider of some services.
    pub fn new<S: Into<String>>(
        name: impl Into<String>,
        services: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            name: name.into(),
            services: services.into_iter().map(Into::into).collect(),
            state: ProviderState::Working,
            retention: None,
        }
    }

    /// With a time of its own for which ended tasks are kept.
    #[must_use]
    pub fn retention(mut self, keep: Duration) -> Self {
        self.retention = Some(keep);
        self
    }

    pub(super) fn has(&self, service: &str) -> bool {
        self.services.iter().any(|own| own == service)
    }
}

/// Three providers with some of the services whose operations are tasks.
pub(super) fn usual() -> Vec<Provider> {
    let seven_minutes = Duration::from_secs(7 * 60);
    vec![
        Provider::new(
            "vlcm",
            [
                "com.vmware.esx.settings.clusters.software",
                "com.vmware.esx.settings.clusters.software.drafts",
                "com.vmware.esx.settings.clusters.configuration",
                "com.vmware.esx.settings.hosts.software",
                "com.vmware.esx.settings.inventory",
                "com.vmware.esx.settings.depots",
                "com.vmware.esx.settings.depots.offline",
                "com.vmware.esx.hcl.hosts.compatibility_report",
            ],
        ),
        Provider::new(
            "vpxd",
            [
                "com.vmware.vcenter.VM",
                "com.vmware.vcenter.vm.guest.customization_live",
                "com.vmware.vcenter.cluster.evc_mode",
                "com.vmware.vcenter.evc_modes",
                "com.vmware.vcenter.vcha.cluster",
                "com.vmware.vcenter.lcm.update.precheck_report",
            ],
        ),
        // The SDK's task manager for Go forgets ended tasks so soon.
        Provider::new(
            "appliance",
            [
                "com.vmware.appliance.networking",
                "com.vmware.appliance.support_bundle",
                "com.vmware.appliance.infraprofile.configs",
            ],
        )
        .retention(seven_minutes),
    ]
}
