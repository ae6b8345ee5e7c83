//! The services whose operations create tasks, and those operations.
//!
//! Read off the vendor's Python bindings `vmware-vcenter` 9.1.1.0: every service
//! with methods that end in `$task` (70 services, 151 operations); and one that
//! the API specification 7.0.2 has and the bindings have no more. A list call
//! names services, so a service that stands nowhere here is only read where the
//! configuration names it.

/// A service and its operations, without the `$task` that some providers append.
pub(super) type Service = (&'static str, &'static [&'static str]);

/// The services, those of one provider as far as possible beside each other.
pub(super) const SERVICES: &[Service] = &[
    (
        "com.vmware.appliance.infraprofile.configs",
        &["import_profile", "validate"],
    ),
    ("com.vmware.appliance.networking", &["change"]),
    ("com.vmware.appliance.support_bundle", &["create"]),
    (
        "com.vmware.appliance.tls.manual_parameters.global",
        &["set"],
    ),
    (
        "com.vmware.appliance.tls.manual_parameters.services",
        &["delete", "set"],
    ),
    ("com.vmware.appliance.tls.profiles.global", &["set"]),
    (
        "com.vmware.appliance.vcenter.settings.v1.config",
        &["scan", "scan_desired_state"],
    ),
    ("com.vmware.esx.hcl.compatibility_data", &["update"]),
    ("com.vmware.esx.hcl.hosts.compatibility_report", &["create"]),
    (
        "com.vmware.esx.settings.clusters.configuration",
        &[
            "apply",
            "check_compliance",
            "import_config",
            "precheck",
            "validate",
        ],
    ),
    (
        "com.vmware.esx.settings.clusters.configuration.drafts",
        &[
            "check_compliance",
            "get_available_values",
            "import_config",
            "import_from_host",
            "precheck",
        ],
    ),
    (
        "com.vmware.esx.settings.clusters.enablement.configuration.transition",
        &[
            "check_eligibility",
            "enable",
            "import_from_host",
            "precheck",
            "validate_config",
        ],
    ),
    (
        "com.vmware.esx.settings.clusters.enablement.software",
        &["check", "enable"],
    ),
    (
        "com.vmware.esx.settings.clusters.installed_images",
        &["extract"],
    ),
    (
        "com.vmware.esx.settings.clusters.software",
        &["apply", "check", "scan", "stage"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.drafts",
        &["commit", "scan", "validate"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.recommendations",
        &["generate"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.reports.hardware_compatibility",
        &["check"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.reports.hardware_compatibility.pci_device_overrides.vcg_entries",
        &["update"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.reports.hardware_compatibility.storage_device_overrides.compliance_status",
        &["update"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.reports.hardware_compatibility.storage_device_overrides.vcg_entries",
        &["update"],
    ),
    (
        "com.vmware.esx.settings.clusters.software.solutions",
        &["delete", "set", "update"],
    ),
    (
        "com.vmware.esx.settings.clusters.vms.solutions",
        &["apply", "check_compliance", "delete", "set"],
    ),
    (
        "com.vmware.esx.settings.clusters.vms.transition",
        &["enable", "multi_source_enable", "transition"],
    ),
    ("com.vmware.esx.settings.depots", &["sync"]),
    (
        "com.vmware.esx.settings.depots.offline",
        &["create", "create_from_host", "delete"],
    ),
    (
        "com.vmware.esx.settings.depots.online",
        &["delete", "flush"],
    ),
    ("com.vmware.esx.settings.depots.umds", &["delete"]),
    (
        "com.vmware.esx.settings.hosts.enablement.software",
        &["check", "enable"],
    ),
    (
        "com.vmware.esx.settings.hosts.software",
        &["apply", "check", "scan", "stage"],
    ),
    (
        "com.vmware.esx.settings.hosts.software.drafts",
        &["commit", "scan", "validate"],
    ),
    (
        "com.vmware.esx.settings.hosts.software.recommendations",
        &["generate"],
    ),
    (
        "com.vmware.esx.settings.hosts.software.solutions",
        &["delete", "set"],
    ),
    (
        "com.vmware.esx.settings.inventory",
        &[
            "apply",
            "assign_entities",
            "check",
            "extract_installed_image",
            "scan",
            "stage",
            "transition",
            "update_vum_capability",
        ],
    ),
    (
        "com.vmware.esx.settings.repository.software.drafts",
        &["commit", "validate"],
    ),
    ("com.vmware.vcenter.VM", &["clone", "relocate"]),
    (
        "com.vmware.vcenter.cluster.evc_mode",
        &["check_add_host_evc", "check_set", "set"],
    ),
    (
        "com.vmware.vcenter.confidential_computing.sgx.hosts",
        &["register"],
    ),
    (
        "com.vmware.vcenter.consumption_domains.zones.cluster.associations",
        &["evacuate_and_remove"],
    ),
    ("com.vmware.vcenter.evc_modes", &["create"]),
    (
        "com.vmware.vcenter.host.hardware.direct_path_devices",
        &["configure"],
    ),
    (
        "com.vmware.vcenter.lcm.deployment.migration_upgrade",
        &["check"],
    ),
    (
        "com.vmware.vcenter.lcm.discovery.interop_report",
        &["create"],
    ),
    ("com.vmware.vcenter.lcm.interop.interop_bundle", &["set"]),
    ("com.vmware.vcenter.lcm.update.precheck_report", &["create"]),
    ("com.vmware.vcenter.ovfs", &["deploy"]),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters",
        &["update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.attestation.os.esx.base_images",
        &["delete", "get", "import_from_imgdb", "list"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.attestation.service_status",
        &["get"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.attestation.tpm2.ca_certificates",
        &["create", "delete", "get", "list"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.attestation.tpm2.endorsement_keys",
        &["create", "delete", "get", "list"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.attestation.tpm2.settings",
        &["get", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.consumer_principals",
        &["create", "delete", "get", "list"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers",
        &["create", "delete", "get", "list", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers.client_certificate",
        &["create", "get", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers.client_certificate.csr",
        &["create", "get"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers.credential",
        &["set"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers.current_peer_certificates",
        &["list"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.providers.trusted_peer_certificates",
        &["get", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trust_authority_clusters.kms.service_status",
        &["get"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trusted_clusters.attestation.services",
        &["create", "delete"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trusted_clusters.attestation.services_applied_config",
        &["delete", "get", "list", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trusted_clusters.kms.services",
        &["create", "delete"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trusted_clusters.kms.services_applied_config",
        &["delete", "get", "list", "update"],
    ),
    (
        "com.vmware.vcenter.trusted_infrastructure.trusted_clusters.services_applied_config",
        &["delete", "get", "update"],
    ),
    (
        "com.vmware.vcenter.vcha.cluster",
        &["deploy", "failover", "undeploy"],
    ),
    ("com.vmware.vcenter.vcha.cluster.mode", &["set"]),
    ("com.vmware.vcenter.vcha.cluster.passive", &["redeploy"]),
    ("com.vmware.vcenter.vcha.cluster.witness", &["redeploy"]),
    ("com.vmware.vcenter.vm.evc_mode", &["set"]),
    ("com.vmware.vcenter.vm.guest.customization_live", &["run"]),
];

/// The operations of a service that are known without having met one.
pub(super) fn operations(service: &str) -> &'static [&'static str] {
    let found = SERVICES.iter().find(|(name, _)| *name == service);
    found.map_or(&[], |(_, operations)| operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_one_it_was_read_off() {
        assert_eq!(SERVICES.len(), 71);
        let operations: usize = SERVICES
            .iter()
            .map(|(_, operations)| operations.len())
            .sum();
        assert_eq!(operations, 153);
        assert!(SERVICES.is_sorted_by_key(|(name, _)| name));
    }
}
