//! The table of believable operations.

use super::recipe::{FailureRecipe, Recipe, ResourceKind, StepRecipe};
use super::status::StatusCase;

const fn step(name: &'static str, description: &'static str) -> StepRecipe {
    StepRecipe::new(name, description)
}

const fn failure(
    step: &'static str,
    code: &'static str,
    message: &'static str,
    remediation: &'static str,
) -> FailureRecipe {
    FailureRecipe {
        step,
        code,
        message,
        remediation,
    }
}

const VALIDATE_HOSTS: StepRecipe = step(
    "HostValidation",
    "Validate the hosts of the workload domain",
)
.parts(&[
    step(
        "HostVibValidationAction",
        "Validate the hosts for any disallowed VIBs",
    ),
    step(
        "HostMaintenanceModeValidationAction",
        "Verify that none of the hosts is in maintenance mode",
    ),
]);

const DEPLOY_VCENTER: StepRecipe = step(
    "DeployVcenter",
    "Deploy and configure vCenter Server for {domain}",
)
.parts(&[
    step("DeployVcenterAction", "Deploy the vCenter Server appliance").stages(&[
        "Copy the appliance",
        "Power on",
        "First boot",
    ]),
    step(
        "ConfigureVcenterAction",
        "Configure vCenter Server and its licence",
    ),
    step(
        "CreateClusterAction",
        "Create the datacenter and the first cluster",
    ),
]);

const DEPLOY_NSX: StepRecipe = step("DeployNsx", "Deploy the NSX managers for {domain}").parts(&[
    step("DeployNsxtManagersAction", "Deploy three NSX manager nodes").stages(&[
        "Deploy node 1",
        "Deploy node 2",
        "Deploy node 3",
    ]),
    step(
        "PrepareTransportNodesAction",
        "Prepare the hosts as transport nodes",
    ),
]);

/// Operations of an SDDC Manager, with believable steps and failures.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        operation: Some("HOST_COMMISSION"),
        name: "Commissioning host(s) {host} to VMware Cloud Foundation",
        steps: &[
            step("ValidateHostsAction", "Validate the input for {host}"),
            step("FetchDnsAndNtpAction", "Fetch DNS and NTP addresses"),
            step("ConfigureHostAction", "Configure DNS and NTP on {host}"),
            step("RotateHostPasswordAction", "Set the password of {host}"),
            step("AddHostToInventoryAction", "Add {host} to the inventory"),
        ],
        length: (8, 25),
        failing: 12,
        failures: &[
            failure(
                "ValidateHostsAction",
                "HOST_VALIDATION_FAILED",
                "The host does not resolve by its name",
                "Check the forward and reverse records of the host and retry",
            ),
            failure(
                "ConfigureHostAction",
                "HOST_NTP_CONFIGURATION_FAILED",
                "Unable to configure NTP on the host",
                "Check that the NTP server answers the host and retry",
            ),
        ],
        resource: ResourceKind::Host,
        weight: 10,
        cancellable: false,
        retryable: true,
        case: StatusCase::Title,
    },
    Recipe {
        operation: Some("HOST_DECOMMISSION"),
        name: "Decommissioning host(s) {host} from VMware Cloud Foundation",
        steps: &[
            step("CheckHostUnassignedAction", "Check that {host} is free"),
            step("CleanHostNetworkAction", "Remove the switches of {host}"),
            step("RemoveHostAction", "Remove {host} from the inventory"),
        ],
        length: (6, 15),
        failing: 6,
        failures: &[failure(
            "CheckHostUnassignedAction",
            "HOST_STILL_ASSIGNED",
            "The host belongs to a cluster",
            "Remove the host from its cluster and retry",
        )],
        resource: ResourceKind::Host,
        weight: 6,
        cancellable: false,
        retryable: true,
        case: StatusCase::Title,
    },
    Recipe {
        operation: Some("SDDCMANAGER_BACKUP"),
        name: "Backup SDDC Manager",
        steps: &[
            step("PrepareBackupAction", "Collect the data of the services"),
            step("EncryptBackupAction", "Encrypt the backup file"),
            step("TransferBackupAction", "Transfer the file to the server"),
        ],
        length: (5, 12),
        failing: 8,
        failures: &[failure(
            "TransferBackupAction",
            "BACKUP_TRANSFER_FAILED",
            "Unable to write to the backup server",
            "Check the address, fingerprint and free space of the server",
        )],
        resource: ResourceKind::SddcManager,
        weight: 12,
        cancellable: false,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("UPGRADE"),
        name: "Upgrade of ESXi hosts in {domain}",
        steps: &[
            step("UpgradePrecheck", "Check {domain} before the upgrade"),
            step("StageUpgrade", "Stage the image on the hosts"),
            step("ApplyUpgrade", "Apply the image host by host").parts(&[
                step("EnterMaintenanceModeAction", "Move the machines away"),
                step("RemediateHostAction", "Remediate the host").stages(&[
                    "Install",
                    "Reboot",
                    "Reconnect",
                ]),
                step("ExitMaintenanceModeAction", "Take the host into service"),
            ]),
            step("UpgradePostcheck", "Check {domain} after the upgrade"),
        ],
        length: (25, 60),
        failing: 20,
        failures: &[
            failure(
                "EnterMaintenanceModeAction",
                "ESX_UPGRADE_MAINTENANCE_MODE_FAILED",
                "A host did not enter maintenance mode",
                "Move or stop the machines that stay on the host and retry",
            ),
            failure(
                "UpgradePrecheck",
                "UPGRADE_PRECHECK_FAILED",
                "Checks before the upgrade found errors",
                "Read the report of the checks, mend what it names and retry",
            ),
        ],
        resource: ResourceKind::Domain,
        weight: 4,
        cancellable: true,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: None,
        name: "Credentials rotate operation",
        steps: &[
            step(
                "sfo-vcf01.rainpole.io:FTP",
                "Password rotate for sfo-vcf01.rainpole.io and credential type FTP",
            ),
            step(
                "{host}:SSH",
                "Password rotate for {host} and credential type SSH",
            ),
        ],
        length: (4, 12),
        failing: 10,
        failures: &[failure(
            "sfo-vcf01.rainpole.io:FTP",
            "PASSWORD_MANAGER_ROTATE_FAILED",
            "Unable to change the password of the account",
            "Remediate the password and retry the credentials task",
        )],
        resource: ResourceKind::Host,
        weight: 12,
        cancellable: false,
        retryable: false,
        case: StatusCase::Title,
    },
    Recipe {
        operation: Some("DOMAIN_CREATE"),
        name: "Vi workload Domain Creation",
        steps: &[
            VALIDATE_HOSTS,
            step("FetchDnsAndNtpAction", "Fetch DNS and NTP addresses"),
            step("ReserveInventoryAction", "Reserve the hosts"),
            DEPLOY_VCENTER,
            DEPLOY_NSX,
            step("EnableVsanAction", "Enable vSAN on the cluster"),
            step("RegisterDomainAction", "Register {domain}"),
        ],
        length: (40, 80),
        failing: 25,
        failures: &[
            failure(
                "HostMaintenanceModeValidationAction",
                "HOST_IN_MAINTENANCE_MODE",
                "A host is in maintenance mode",
                "Take the host out of maintenance mode and retry",
            ),
            failure(
                "DeployNsxtManagersAction",
                "NSXT_MANAGER_DEPLOY_FAILED",
                "An NSX manager did not come up in time",
                "Check the addresses and resources of the managers and retry",
            ),
        ],
        resource: ResourceKind::Domain,
        weight: 2,
        cancellable: true,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("DOMAIN_DELETE"),
        name: "Deleting domain {domain}",
        steps: &[
            step("ValidateDomainDeletionAction", "Check what uses {domain}"),
            step("RemoveNsxAction", "Remove the NSX managers of {domain}"),
            step("RemoveVcenterAction", "Remove the vCenter of {domain}"),
            step("ReleaseHostsAction", "Release the hosts of {domain}"),
        ],
        length: (20, 40),
        failing: 5,
        failures: &[failure(
            "RemoveNsxAction",
            "NSXT_REMOVAL_FAILED",
            "Edge nodes are still attached",
            "Delete the edge cluster of the domain and retry",
        )],
        resource: ResourceKind::Domain,
        weight: 1,
        cancellable: false,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("CLUSTER_EXPANSION"),
        name: "Adding new host(s) {host} to cluster {domain}-cl01",
        steps: &[
            step("ValidateExpansionAction", "Check {host} for the cluster"),
            step("AddHostToClusterAction", "Add {host} to the cluster"),
            step("ConfigureHostNetworkAction", "Attach {host} to the switch"),
            step("AttachVsanAction", "Give the disks of {host} to vSAN"),
        ],
        length: (12, 30),
        failing: 10,
        failures: &[failure(
            "ConfigureHostNetworkAction",
            "HOST_NETWORK_CONFIGURATION_FAILED",
            "The vMotion address does not answer",
            "Check the VLAN and MTU of the vMotion network and retry",
        )],
        resource: ResourceKind::Host,
        weight: 5,
        cancellable: true,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("CERTIFICATE_REPLACE"),
        name: "Replace certificates of {domain}",
        steps: &[
            step("GenerateCsrAction", "Generate the signing requests"),
            step("FetchCertificateAction", "Fetch the certificates"),
            step("InstallVcenterCertificateAction", "Install on vCenter"),
            step("InstallNsxCertificateAction", "Install on NSX"),
            step("RestartServicesAction", "Restart the services"),
        ],
        length: (10, 25),
        failing: 12,
        failures: &[failure(
            "FetchCertificateAction",
            "CERTIFICATE_AUTHORITY_UNREACHABLE",
            "The certificate authority does not answer",
            "Check the address and the account of the authority and retry",
        )],
        resource: ResourceKind::Vcenter,
        weight: 4,
        cancellable: false,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("BUNDLE_DOWNLOAD"),
        name: "Downloading bundle for {domain}",
        steps: &[
            step("FetchManifestAction", "Fetch the manifest"),
            step("DownloadBundleAction", "Download the bundle"),
            step("VerifyBundleAction", "Verify the checksum"),
        ],
        length: (10, 30),
        failing: 10,
        failures: &[failure(
            "DownloadBundleAction",
            "BUNDLE_DOWNLOAD_FAILED",
            "The depot closed the connection",
            "Check the proxy and the depot's account and retry",
        )],
        resource: ResourceKind::SddcManager,
        weight: 5,
        cancellable: true,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("EDGE_CLUSTER_CREATION"),
        name: "Creating NSX edge cluster for {domain}",
        steps: &[
            step("ValidateEdgeInputAction", "Check the edge networks"),
            step("DeployEdgeNodesAction", "Deploy two edge nodes")
                .stages(&["Deploy node 1", "Deploy node 2"]),
            step("ConfigureBgpAction", "Configure BGP on the gateway"),
        ],
        length: (15, 35),
        failing: 15,
        failures: &[failure(
            "ConfigureBgpAction",
            "NSXT_BGP_NEIGHBOUR_DOWN",
            "The BGP neighbour does not come up",
            "Check the uplink VLANs and the neighbour's password and retry",
        )],
        resource: ResourceKind::NsxManager,
        weight: 2,
        cancellable: false,
        retryable: true,
        case: StatusCase::Upper,
    },
    Recipe {
        operation: Some("CEIP_ENABLE"),
        name: "Enable VMware Customer Experience Improvement Program",
        steps: &[
            step(
                "FetchEntitiesForCEIPChangeAction",
                "Obtain the resources for the setting",
            ),
            step("UpdateCeipForEsxiAction", "Set it on the ESXi hosts"),
            step("UpdateCeipOnNsxTAction", "Set it on NSX"),
            step("SaveResourceCeipStatusAction", "Save the setting"),
        ],
        length: (5, 10),
        failing: 10,
        failures: &[failure(
            "UpdateCeipForEsxiAction",
            "VCF_ENABLE_CEIP_ERROR",
            "Unable to modify the CEIP operation",
            "Check that all hosts are connected and try again",
        )],
        resource: ResourceKind::Host,
        weight: 2,
        cancellable: false,
        retryable: true,
        case: StatusCase::Title,
    },
];
