//! The rules of a VirtShell's keys.

use std::time::Duration;

use super::{parse, source, table, with};
use crate::config::{Authorization, SourceConfig, SystemConfig, VirtShellConfig};
use crate::task::Status;

/// A VirtShell that is right, with `keys` added, one line each.
fn virtshell(keys: &str) -> String {
    with(keys)
        .replace("sddc_manager", "virtshell")
        .replace("  token_file: t\n", "")
}

fn resolved(keys: &str) -> (VirtShellConfig, SourceConfig) {
    let source = source(&virtshell(keys));
    match source.system.clone() {
        SystemConfig::VirtShell(config) => (config, source),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_virtshell_needs_no_more_than_its_url() {
    let (config, source) = resolved("");
    assert!(matches!(config.authorization, Authorization::None));
    assert!(config.status_map.is_empty());
    assert!(source.system.secret().is_none());
}

#[test]
fn the_ways_to_authorize() {
    let way = |keys: &str| {
        resolved(&format!("authorization: {{{keys}}}"))
            .0
            .authorization
    };
    assert!(matches!(way("type: none"), Authorization::None));
    match way("type: header, credentials: 'u:s'") {
        Authorization::Header { name, .. } => assert_eq!(name, "x-virtshell-authorization"),
        other => panic!("{other:?}"),
    }
    match way("type: hmac, header_name: Authorization, user_id: u-1, secret_file: s") {
        Authorization::Hmac { name, user_id, .. } => {
            assert_eq!((name.as_str(), user_id.as_str()), ("authorization", "u-1"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn authorization_by_half_is_refused() {
    let way = |keys: &str| virtshell(&format!("authorization: {{{keys}}}"));
    let header =
        "5:18: sources[0].authorization: header takes credentials(_file), and may take header_name";
    let hmac = "5:18: sources[0].authorization: hmac takes user_id and secret(_file), and may take header_name";
    let none = "5:18: sources[0].authorization: none takes no other key";
    table(
        way,
        &[
            ("", "5:18: sources[0].authorization.type: is required"),
            (
                "type: basic",
                "5:25: sources[0].authorization.type: must be none, header or hmac",
            ),
            ("type: none, header_name: X", none),
            ("type: none, credentials: x", none),
            ("type: header", header),
            ("type: header, credentials: x, user_id: u", header),
            ("type: hmac, user_id: u", hmac),
            ("type: hmac, secret: s", hmac),
            (
                "type: hmac, user_id: 'a:b', secret: s",
                "5:40: sources[0].authorization.user_id: must be of visible characters without a colon",
            ),
            (
                "type: header, credentials: x, header_name: 'a b'",
                "5:62: sources[0].authorization.header_name: must be the name of a header",
            ),
            (
                "type: header, credentials: x, credentials_file: y",
                "5:67: sources[0].authorization.credentials_file: only one of credentials and credentials_file may be given",
            ),
        ],
    );
}

#[test]
fn further_words_for_a_status() {
    let (config, _) = resolved("status_map: {'Archived now': succeeded, gone: cancelled}");
    let expected = [
        ("archivednow", Status::Succeeded),
        ("gone", Status::Cancelled),
    ];
    let expected = expected.map(|(word, status)| (word.to_owned(), status));
    assert_eq!(config.status_map, expected.into());
    table(
        virtshell,
        &[
            (
                "status_map: {done: ok}",
                "5:22: sources[0].status_map.done: must be one of: pending, running, blocked, succeeded, \
                 warning, failed, cancelled, skipped, unknown",
            ),
            (
                "status_map: {set up: running, set_up: pending}",
                "5:41: sources[0].status_map.set_up: is given twice, in another spelling",
            ),
        ],
    );
}

#[test]
fn what_acts_on_a_terminal_is_shown_as_its_number_in_a_key() {
    table(
        virtshell,
        &[(
            r#"status_map: {"a\tb\u009bc": ok}"#,
            "5:31: sources[0].status_map.a\\u0009b\\u009bc: must be one of: pending, running, blocked, \
             succeeded, warning, failed, cancelled, skipped, unknown",
        )],
    );
}

#[test]
fn keys_of_one_system_mean_nothing_to_another() {
    table(
        virtshell,
        &[
            (
                "username: u",
                "5:13: sources[0].username: is a key of another system",
            ),
            (
                "token_file: x",
                "5:15: sources[0].token_file: is a key of another system",
            ),
            (
                "services: [a]",
                "5:13: sources[0].services: is a key of another system",
            ),
        ],
    );
    table(
        with,
        &[
            (
                "authorization: {type: none}",
                "6:18: sources[0].authorization: is a key of another system",
            ),
            (
                "status_map: {a: failed}",
                "6:15: sources[0].status_map: is a key of another system",
            ),
        ],
    );
}

#[test]
fn a_call_is_given_up_before_the_server_is_done_hanging() {
    let timeout = |keys: &str| resolved(keys).1.http.request_timeout;
    assert_eq!(timeout(""), Duration::from_secs(25));
    assert_eq!(timeout("request_timeout: 5s"), Duration::from_secs(5));
    assert_eq!(timeout("request_timeout: 1m"), Duration::from_secs(25));
    assert_eq!(
        parse(&virtshell("request_timeout: 1m")).unwrap().warnings,
        [
            "/etc/vte/vte.yml:2:3: sources[0]: request_timeout is taken as 25s, as a VirtShell may hang for 30s"
        ]
    );
}
