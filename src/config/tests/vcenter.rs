//! The rules of a vCenter's keys.

use super::{parse, source, table, with};
use crate::config::{DialectChoice, SystemConfig, VcenterConfig};

/// A vCenter that is right, with `keys` added, one line each.
fn vcenter(keys: &str) -> String {
    let login = format!("username: u\npassword: p\n{keys}");
    with(&login)
        .replace("sddc_manager", "vcenter")
        .replace("  token_file: t\n", "")
}

fn resolved(keys: &str) -> VcenterConfig {
    match source(&vcenter(keys)).system {
        SystemConfig::Vcenter(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_vcenter_needs_no_more_than_a_login() {
    let config = resolved("");
    assert_eq!(config.username, "u");
    assert_eq!(config.dialect, DialectChoice::Auto);
    assert_eq!(config.services, None);
}

#[test]
fn the_login_is_a_name_and_a_password() {
    let with_login = |keys: &str| {
        with(keys)
            .replace("sddc_manager", "vcenter")
            .replace("  token_file: t\n", "")
    };
    let needs = "2:3: sources[0]: vcenter needs username and password(_file)";
    table(
        with_login,
        &[
            ("token: t", needs),
            ("api_key: k", needs),
            (
                "username: a:b\npassword: p",
                "2:3: sources[0]: username cannot have a colon, as vcenter takes basic authentication",
            ),
        ],
    );
}

#[test]
fn dialects() {
    for (word, dialect) in [
        ("auto", DialectChoice::Auto),
        ("rest", DialectChoice::Rest),
        ("api", DialectChoice::Api),
    ] {
        assert_eq!(resolved(&format!("dialect: {word}")).dialect, dialect);
    }
    let rule = "7:12: sources[0].dialect: must be auto, rest or api";
    table(vcenter, &[("dialect: soap", rule), ("dialect: ''", rule)]);
}

#[test]
fn services() {
    let given = resolved("services: [com.vmware.vcenter.VM, com.vmware.esx.settings.depots]");
    let given = given.services.unwrap();
    assert_eq!(
        given,
        ["com.vmware.vcenter.VM", "com.vmware.esx.settings.depots"]
    );
    let id = "must be a service's id, such as com.vmware.vcenter.VM";
    table(
        vcenter,
        &[
            (
                "services: []",
                "7:13: sources[0].services: must name at least one service",
            ),
            (
                "services: ['']",
                &format!("7:14: sources[0].services[0]: {id}"),
            ),
            (
                "services: [a, 'b c']",
                &format!("7:17: sources[0].services[1]: {id}"),
            ),
            (
                "services: [a, a]",
                "7:17: sources[0].services[1]: is given twice",
            ),
            ("services: a", "7:13: sources[0].services: must be a list"),
        ],
    );
}

#[test]
fn keys_of_one_system_mean_nothing_to_another() {
    table(
        vcenter,
        &[
            (
                "restores: [a]",
                "7:13: sources[0].restores: is a key of another system",
            ),
            (
                "operation_rules: []",
                "7:20: sources[0].operation_rules: is a key of another system",
            ),
        ],
    );
    table(
        with,
        &[
            (
                "dialect: auto",
                "6:12: sources[0].dialect: is a key of another system",
            ),
            (
                "services: [a]",
                "6:13: sources[0].services: is a key of another system",
            ),
        ],
    );
}

#[test]
fn an_interval_in_which_tasks_can_come_and_go_is_warned_about() {
    let warnings = |keys: &str| parse(&vcenter(keys)).unwrap().warnings;
    assert_eq!(warnings("poll_interval: 5m\nstale_after: 1h"), [""; 0]);
    assert_eq!(
        warnings("poll_interval: 301s\nstale_after: 1h"),
        [
            "/etc/vte/vte.yml:2:3: sources[0]: poll_interval is above 5m, but a vCenter may forget a finished task after 7m"
        ]
    );
}
