//! YAML and types.

use super::{parse, refused, source, with};

#[test]
fn wrong_yaml_is_refused_where_it_is_wrong() {
    let none = "1:1: sources: at least one source is required";
    let cases = [
        ("", none),
        ("# nothing\n", none),
        ("~", none),
        ("global: {}", none),
        ("sources:", none),
        ("sources: []", none),
        ("- a", "1:1: must be a mapping"),
        ("hello", "1:1: must be a mapping"),
        (
            "source: []",
            "1:1: source: unknown key, did you mean sources?",
        ),
        (
            "targets: []",
            "1:1: targets: unknown key, known are global, sources",
        ),
        ("sources: 3", "1:10: sources: must be a list"),
        ("sources: [3]", "1:11: sources[0]: must be a mapping"),
        ("global: 3", "1:9: global: must be a mapping"),
        (
            "global: {}\nglobal: {}",
            "2:1: global: this key stands twice",
        ),
        (
            "global: {}\n---\nsources: []",
            "3:1: only one YAML document may be given",
        ),
        (
            "global: {poll_interval: *x}",
            "1:25: global: this alias has no anchor before it",
        ),
        (
            "sources: &a [*a]",
            "1:14: sources: this alias stands within its own anchor",
        ),
        ("global: {<<: 3}", "1:14: global: << needs a mapping"),
        ("global: {[a]: 2}", "1:10: global: must be a text"),
        (
            "sources:\n\t- name: a",
            "2:2: is not YAML: tabs disallowed within this context (block indentation)",
        ),
        ("\0", "1:1: is not YAML: unexpected character: `\\u{0}'"),
        (
            "global: \"\\q\"",
            "1:9: is not YAML: while parsing a quoted scalar, found unknown escape character",
        ),
    ];
    for (text, message) in cases {
        refused(text, message);
    }
}

#[test]
fn wrong_types_are_refused_by_their_path() {
    let cases = [
        ("url: [x]", "6:3: sources[0].url: this key stands twice"),
        (
            "usrname: x",
            "6:3: sources[0].usrname: unknown key, did you mean username?",
        ),
        ("restores: x", "6:13: sources[0].restores: must be a list"),
        (
            "restores: [a, [b]]",
            "6:17: sources[0].restores[1]: must be a text",
        ),
        (
            "follow_redirects: maybe",
            "6:21: sources[0].follow_redirects: must be true or false",
        ),
        (
            "tls_config: x",
            "6:15: sources[0].tls_config: must be a mapping",
        ),
        (
            "tls_config: {ca: x}",
            "6:16: sources[0].tls_config.ca: unknown key, known are ca_file, cert_file, insecure_skip_verify, key_file, server_name",
        ),
        (
            "http_headers: {X-A: {value: [x]}}",
            "6:24: sources[0].http_headers.X-A: unknown key, did you mean values?",
        ),
        (
            "operation_rules: [{regexp: a}]",
            "6:22: sources[0].operation_rules[0].regexp: unknown key, did you mean regex?",
        ),
    ];
    for (keys, message) in cases {
        refused(&with(keys), message);
    }
}

#[test]
fn an_unknown_key_far_from_all_lists_all() {
    let message = parse(&with("verbose: yes")).unwrap_err();
    let known = "api_key, api_key_file, authorization, counter_birth_hold, dialect, failure_open_for, follow_redirects, \
        full_poll_interval, full_poll_timeout, http_headers, ledger_retention, max_error_codes, \
        max_open_failures, max_open_tasks, max_operations, max_requests_per_second, max_subtask_names, name, operation_rules, \
        password, password_file, poll_interval, poll_timeout, proxy_url, request_timeout, restores, \
        restores_auth, services, stale_after, status_map, system, tls_config, token, token_file, url, username";
    let start = "/etc/vte/vte.yml:6:3: sources[0].verbose: unknown key, known are";
    assert_eq!(message, format!("{start} {known}"));
}

#[test]
fn no_message_repeats_a_secret() {
    let cases = [
        (
            "password: [hunter2]",
            "6:13: sources[0].password: must be a text",
        ),
        (
            "password: {hunter2: 1}",
            "6:13: sources[0].password: must be a text",
        ),
        (
            "password: !!binary _hunter2",
            "6:22: sources[0].password: must be a text",
        ),
        (
            "password: !!int hunter2",
            "6:19: sources[0].password: must be a text",
        ),
        (
            "password:hunter2",
            "6:3: sources[0]: is not YAML: simple key expected ':'",
        ),
        (
            "password: 'hunter2",
            "7:1: sources[0]: is not YAML: invalid indentation in multiline quoted scalar",
        ),
        (
            "password: *hunter2",
            "6:13: sources[0]: this alias has no anchor before it",
        ),
    ];
    for (keys, message) in cases {
        refused(&with(keys), message);
    }
}

#[test]
fn no_message_repeats_a_secret_under_another_key() {
    let cases = [
        (
            "tls_config: hunter2",
            "6:15: sources[0].tls_config: must be a mapping",
        ),
        (
            "follow_redirects: hunter2",
            "6:21: sources[0].follow_redirects: must be true or false",
        ),
        (
            "poll_interval: hunter2",
            "6:18: sources[0].poll_interval: must be a duration such as 500ms, 30s, 1m30s, 1h or 30d",
        ),
        (
            "max_operations: hunter2",
            "6:19: sources[0].max_operations: must be a whole number from 1 to 100000",
        ),
        (
            "restores_auth: hunter2",
            "6:18: sources[0].restores_auth: must be bearer or basic",
        ),
        (
            "restores: [hunter2+]",
            "6:14: sources[0].restores[0]: must consist of letters, digits and :._- and not be . or ..",
        ),
        (
            "proxy_url: hunter2",
            "6:14: sources[0].proxy_url: must be an absolute URL, such as http://proxy.example:3128",
        ),
        (
            "password: hunter2\nusrname: x",
            "7:3: sources[0].usrname: unknown key, did you mean username?",
        ),
        (
            "http_headers: {'A: hunter2': {values: [x]}}",
            "6:32: sources[0].http_headers: the key must be a header name",
        ),
        (
            "http_headers: {A: {hunter2: [x]}}",
            "6:22: sources[0].http_headers.A.hunter2: unknown key, known are files, secrets, values",
        ),
    ];
    for (keys, message) in cases {
        refused(&with(keys), message);
    }
    refused(
        "sources:\n- {name: a, password:hunter2}",
        "2:13: sources[0]: unknown key; a blank must follow the colon",
    );
    let twice = with("? {hunter2: 1}\n: 1\n? {hunter2: 1}\n: 1");
    assert!(!parse(&twice).unwrap_err().contains("hunter2"));
}

#[test]
fn habits_of_yaml_work() {
    for yes in ["yes", "on", "true", "True"] {
        let text = with(&format!("tls_config: {{insecure_skip_verify: {yes}}}"));
        assert!(source(&text).http.tls.insecure_skip_verify, "{yes}");
    }
    let quoted = with("\"max_operations\": '7'\npoll_interval: \"1m\"");
    assert_eq!(source(&quoted).settings.max_operations, 7);
    let bom = format!("\u{feff}{}", with(""));
    assert_eq!(source(&bom).name, "a");
    let windows = with("").replace('\n', "\r\n");
    assert_eq!(source(&windows).name, "a");
}

#[test]
fn anchors_and_merges_work() {
    let text = "sources:
- &base {name: a, system: sddc_manager, url: 'https://a.example', token_file: t, poll_interval: 1m}
- {<<: *base, name: b}
- {<<: *base, name: c, poll_interval: 7s}
";
    let config = parse(text).unwrap();
    let intervals: Vec<_> = config
        .sources
        .iter()
        .map(|source| {
            (
                source.name.as_str(),
                source.settings.poll_interval.as_secs(),
            )
        })
        .collect();
    assert_eq!(intervals, [("a", 60), ("b", 60), ("c", 7)]);
    // What is wrong in a merged value is wrong where it is typed.
    let wrong = text.replace("poll_interval: 1m", "poll_interval: 1");
    refused(
        &wrong,
        "2:97: sources[0].poll_interval: a bare number is no duration, add a unit, such as 30s",
    );
}

#[test]
fn bombs_and_deep_nesting_end_in_an_error() {
    let deep = format!("sources: {}", "[".repeat(20_000));
    refused(
        &deep,
        "1:265: sources: is not YAML: recursion limit exceeded",
    );
    let mut merges = "sources:\n- &a0 {name: a}\n".to_owned();
    for i in 1..40 {
        let before = format!("*a{0}, *a{0}, *a{0}, *a{0}", i - 1);
        merges = format!("{merges}- &a{i} {{<<: [{before}]}}\n");
    }
    let error = parse(&merges).unwrap_err();
    let rule = "sources[8]: is too large, too deeply nested or has too many aliases";
    assert_eq!(error, format!("/etc/vte/vte.yml:3:8: {rule}"));
    let long = format!("global: {{{}: 1}}", "k".repeat(1_000_000));
    let error = parse(&long).unwrap_err();
    assert!(error.len() < 500, "{error}");
}
