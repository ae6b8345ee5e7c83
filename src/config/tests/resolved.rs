//! What a right configuration becomes.

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::super::{Login, RestoresAuth, Secret, Settings};
use super::{parse, sddc_manager, source, with};

#[track_caller]
fn is_file(secret: &Secret, path: &str) {
    match secret {
        Secret::File(file) => assert_eq!(file, Path::new(path)),
        Secret::Inline(_) => panic!("inline"),
    }
}

#[track_caller]
fn is_inline(secret: &Secret, text: &str) {
    match secret {
        Secret::Inline(secret) => assert_eq!(secret.expose_secret(), text),
        Secret::File(file) => panic!("{}", file.display()),
    }
}

#[test]
fn defaults_are_those_of_the_contract() {
    let source = source(&with(""));
    let seconds = Duration::from_secs;
    let expected = Settings {
        poll_interval: seconds(30),
        poll_timeout: seconds(25),
        full_poll_interval: seconds(600),
        full_poll_timeout: seconds(1800),
        stale_after: seconds(300),
        counter_birth_hold: seconds(60),
        ledger_retention: seconds(30 * 86_400),
        failure_open_for: seconds(30 * 86_400),
        max_operations: 200,
        max_subtask_names: 500,
        max_error_codes: 100,
        max_open_tasks: 100,
        max_open_failures: 50,
    };
    assert_eq!(source.settings, expected);
    assert_eq!(source.http.request_timeout, seconds(25));
    assert_eq!(source.http.tls, super::super::TlsConfig::default());
    assert!(source.http.proxy_url.is_none());
    assert!(source.http.headers.is_empty());
    assert_eq!(source.system.word(), "sddc_manager");
    let config = sddc_manager(&with(""));
    assert_eq!(config.restores_auth, RestoresAuth::Bearer);
    assert!(config.restores.is_empty() && config.operation_rules.is_empty());
}

#[test]
fn a_source_wins_over_global() {
    let global = "global: {poll_interval: 1m, max_operations: 5, request_timeout: 3s}\n";
    let source = source(&(global.to_owned() + &with("max_operations: 7\npoll_interval:")));
    assert_eq!(source.settings.poll_interval, Duration::from_secs(60));
    assert_eq!(source.settings.max_operations, 7);
    assert_eq!(source.settings.max_open_tasks, 100);
    assert_eq!(source.http.request_timeout, Duration::from_secs(3));
}

#[test]
fn short_intervals_and_no_hold_are_allowed() {
    let source = source(&with(
        "poll_interval: 1ms\nstale_after: 3ms\ncounter_birth_hold: 0s",
    ));
    assert_eq!(source.settings.poll_interval, Duration::from_millis(1));
    assert_eq!(source.settings.counter_birth_hold, Duration::ZERO);
}

#[test]
fn a_url_keeps_its_path() {
    let text = with("").replace("https://a.example", "http://a.example:8080/proxy/sddc");
    assert_eq!(
        source(&text).url.as_str(),
        "http://a.example:8080/proxy/sddc"
    );
}

#[test]
fn each_way_to_log_in() {
    let login = |keys: &str| {
        let text = with(keys).replace("  token_file: t\n", "");
        sddc_manager(&text).login
    };
    let Login::Password { username, password } = login("username: u\npassword: 0123") else {
        panic!();
    };
    assert_eq!(username, "u");
    is_inline(&password, "0123");
    let Login::Password { password, .. } = login("username: u\npassword_file: ../secret") else {
        panic!();
    };
    is_file(&password, "/etc/vte/../secret");
    let Login::ApiKey(key) = login("api_key: k") else {
        panic!();
    };
    is_inline(&key, "k");
    let Login::Token(token) = login("token_file: /run/token") else {
        panic!();
    };
    is_file(&token, "/run/token");
}

#[test]
fn keys_of_an_sddc_manager() {
    let keys = "username: u
password: p
restores_auth: basic
restores: [39f0ab3c-6bd9-4b64-8bd4-6a1b5d8f1e07, 'a:b._-']
operation_rules: [{regex: '^Commissioning host', operation: HOST_COMMISSION}]";
    let config = sddc_manager(&with(keys).replace("  token_file: t\n", ""));
    assert_eq!(config.restores_auth, RestoresAuth::Basic);
    assert_eq!(
        config.restores,
        ["39f0ab3c-6bd9-4b64-8bd4-6a1b5d8f1e07", "a:b._-"]
    );
    let rule = &config.operation_rules[0];
    assert!(rule.regex.is_match("Commissioning host x"));
    assert_eq!(rule.operation, "HOST_COMMISSION");
}

#[test]
fn keys_of_http() {
    let keys = "follow_redirects: false
proxy_url: http://u:p@proxy.example:3128
tls_config: {ca_file: ca.pem, cert_file: /c, key_file: k, server_name: b.example}
http_headers:
  X-B: {values: [one, two], secrets: [three], files: [four]}
  X-A: {files: [/five]}";
    let http = source(&with(keys)).http;
    assert_eq!(
        http.tls.ca_file.as_deref(),
        Some(Path::new("/etc/vte/ca.pem"))
    );
    assert_eq!(http.tls.cert_file.as_deref(), Some(Path::new("/c")));
    assert_eq!(http.tls.key_file.as_deref(), Some(Path::new("/etc/vte/k")));
    assert_eq!(http.tls.server_name.as_deref(), Some("b.example"));
    assert!(!http.tls.insecure_skip_verify);
    assert_eq!(
        http.proxy_url.unwrap().as_str(),
        "http://u:p@proxy.example:3128/"
    );
    let [a, b] = http.headers.as_slice() else {
        panic!();
    };
    assert_eq!((a.name.as_str(), b.name.as_str()), ("x-a", "x-b"));
    is_file(&a.values[0], "/five");
    is_inline(&b.values[0], "one");
    is_inline(&b.values[1], "two");
    is_inline(&b.values[2], "three");
    is_file(&b.values[3], "/etc/vte/four");
}

#[test]
fn debug_shows_no_secret() {
    let keys = "token: hunter2
proxy_url: http://u:hunter2@proxy.example
http_headers: {X-A: {values: [hunter2], secrets: [hunter2]}}";
    let config = parse(&with(keys).replace("  token_file: t\n", "")).unwrap();
    let text = format!("{config:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("proxy.example"), "{text}");
}

#[test]
fn an_unverified_server_is_warned_about() {
    let config = parse(&with("tls_config: {insecure_skip_verify: true}")).unwrap();
    let place = "/etc/vte/vte.yml:6:38: sources[0].tls_config.insecure_skip_verify";
    assert_eq!(
        config.warnings,
        [format!("{place}: the server's certificate is not verified")]
    );
}
