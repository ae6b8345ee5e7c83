//! Which sources are the same, whoever wrote them.

use super::{parse, refused, source, with};
use crate::log::Level;

/// A source of each system, without its last bracket.
const SOURCES: [&str; 3] = [
    "sources: [{name: a, system: sddc_manager, url: 'https://a.example'",
    "sources: [{name: a, system: vcenter, url: 'https://a.example', username: u, password: p",
    "sources: [{name: a, system: virtshell, url: 'https://a.example'",
];

#[test]
fn what_says_the_same_is_the_same() {
    for text in [
        format!("{}, token: t}}]", SOURCES[0]),
        format!("{}}}]", SOURCES[1]),
        format!("{}}}]", SOURCES[2]),
    ] {
        assert!(source(&text) == source(&text), "{text}");
        // A default, a key of its own or one of `global`: all the same.
        let own = text.replace("name: a", "name: a, poll_interval: 30s");
        let global = format!("global: {{poll_interval: 30s}}\n{text}");
        assert!(source(&text) == source(&own), "{text}");
        assert!(source(&text) == source(&global), "{text}");
    }
}

#[test]
fn each_key_makes_another_source() {
    let sddc = "token: t";
    let each = [
        "poll_interval: 31s",
        "request_timeout: 24s",
        "max_requests_per_second: 99",
        "counter_birth_hold: 0s",
        "max_operations: 7",
        "proxy_url: 'http://proxy.example:1'",
        "tls_config: {server_name: b.example}",
        "http_headers: {x-a: {values: [a]}}",
        "http_headers: {x-a: {secrets: [b]}}",
        "http_headers: {x-a: {files: [b]}}",
        "http_headers: {x-b: {files: [b]}}",
        "restores: [a]",
        "operation_rules: [{regex: a, operation: b}]",
        "operation_rules: [{regex: b, operation: b}]",
        "operation_rules: [{regex: b, operation: c}]",
    ];
    let mut texts = vec![
        format!("{}, {sddc}}}]", SOURCES[0]),
        format!("{}, token: u}}]", SOURCES[0]),
        format!("{}, token_file: t}}]", SOURCES[0]),
        format!("{}, api_key: t}}]", SOURCES[0]),
        format!("{}, username: u, password: p}}]", SOURCES[0]),
        format!("{}, username: u, password: q}}]", SOURCES[0]),
        format!("{}}}]", SOURCES[1]),
        format!("{}, dialect: api}}]", SOURCES[1]),
        format!("{}, services: [a]}}]", SOURCES[1]),
        format!("{}}}]", SOURCES[2]),
        format!("{}, status_map: {{a: failed}}}}]", SOURCES[2]),
        format!(
            "{}, authorization: {{type: header, credentials: c}}}}]",
            SOURCES[2]
        ),
        format!(
            "{}, token: t}}]",
            SOURCES[0].replace("a.example", "b.example")
        ),
        format!("{}, token: t}}]", SOURCES[0].replace("name: a", "name: b")),
    ];
    texts.extend(each.map(|key| format!("{}, {sddc}, {key}}}]", SOURCES[0])));
    for (index, one) in texts.iter().enumerate() {
        for (other_index, other) in texts.iter().enumerate() {
            let same = source(one) == source(other);
            assert_eq!(same, index == other_index, "{one}\n{other}");
        }
    }
}

#[test]
fn the_level_of_the_log_is_one_of_four_and_of_all_sources() {
    let text = |level: &str| format!("global:\n  log_level: {level}\n{}", with(""));
    assert_eq!(parse(&with("")).unwrap().log_level, None);
    for (word, level) in [
        ("debug", Level::Debug),
        ("info", Level::Info),
        ("warn", Level::Warn),
        ("error", Level::Error),
    ] {
        assert_eq!(parse(&text(word)).unwrap().log_level, Some(level));
    }
    let rule = "2:14: global.log_level: must be debug, info, warn or error";
    for word in ["trace", "INFO", "''", "1"] {
        refused(&text(word), rule);
    }
    let error = parse(&with("log_level: info")).unwrap_err();
    assert!(
        error.contains("sources[0].log_level: unknown key"),
        "{error}"
    );
}
