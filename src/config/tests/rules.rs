//! The rules that hold for every source.

use super::{parse, refused, table, with};

const DURATION: &str = "must be a duration such as 500ms, 30s, 1m30s, 1h or 30d";

const BARE: &str = "a bare number is no duration, add a unit, such as 30s";

const LIMIT: &str = "must be a whole number from 1 to 100000";

#[test]
fn settings() {
    let cases = [
        ("poll_interval", "30", BARE),
        ("poll_interval", "0", BARE),
        ("poll_interval", "0s", "must be more than 0s"),
        ("poll_interval", "soon", DURATION),
        ("poll_interval", "-1s", DURATION),
        ("poll_interval", "''", DURATION),
        ("poll_timeout", "0s", "must be more than 0s"),
        ("request_timeout", "0s", "must be more than 0s"),
        ("full_poll_interval", "0s", "must be more than 0s"),
        ("full_poll_timeout", "0ms", "must be more than 0s"),
        ("stale_after", "0s", "must be more than 0s"),
        ("ledger_retention", "101y", "must be at most 100y"),
        ("failure_open_for", "0d", "must be more than 0s"),
        ("counter_birth_hold", "0", BARE),
        ("max_operations", "0", LIMIT),
        ("max_subtask_names", "-1", LIMIT),
        ("max_error_codes", "1.5", LIMIT),
        ("max_open_tasks", "100001", LIMIT),
        ("max_open_failures", "many", LIMIT),
        ("max_requests_per_second", "0", LIMIT),
    ];
    for (key, value, rule) in cases {
        let column = key.len() + 5;
        refused(
            &with(&format!("{key}: {value}")),
            &format!("6:{column}: sources[0].{key}: {rule}"),
        );
        let text = format!("global:\n  {key}: {value}\n{}", with(""));
        refused(&text, &format!("2:{column}: global.{key}: {rule}"));
        let mended = with(&format!("{key}: 1h"));
        let text = format!("global:\n  {key}: {value}\n{mended}");
        refused(&text, &format!("2:{column}: global.{key}: {rule}"));
    }
}

#[test]
fn stale_after_is_at_least_three_polls() {
    table(
        with,
        &[
            (
                "stale_after: 89s",
                "6:16: sources[0].stale_after: must be at least 3 poll intervals, which are 1m30s",
            ),
            (
                "poll_interval: 2m",
                "6:18: sources[0].poll_interval: needs a stale_after of at least 6m, it is 5m",
            ),
        ],
    );
    let text = format!("global:\n  stale_after: 2m\n{}", with("poll_interval: 1m"));
    refused(
        &text,
        "2:16: global.stale_after: must be at least 3 poll intervals, which are 3m",
    );
    assert!(parse(&with("stale_after: 90s")).is_ok());
    let mended = format!("global:\n  poll_interval: 1h\n{}", with("stale_after: 3h"));
    assert!(parse(&mended).is_ok());
}

#[test]
fn names() {
    let named = |name: &str| with("").replace("name: a", &format!("name: {name}"));
    let long = "x".repeat(201);
    table(
        named,
        &[
            ("", "2:3: sources[0].name: is required"),
            ("''", "2:9: sources[0].name: must not be empty"),
            (".", "2:9: sources[0].name: must not be . or .."),
            ("..", "2:9: sources[0].name: must not be . or .."),
            ("a/b", "2:9: sources[0].name: must not contain a /"),
            (
                "' a'",
                "2:9: sources[0].name: must not begin or end with blanks",
            ),
            (
                "\"a\\u00a0\"",
                "2:9: sources[0].name: must not begin or end with blanks",
            ),
            (
                "\"a\\nb\"",
                "2:9: sources[0].name: must not contain control characters",
            ),
            (
                "\"a\\0b\"",
                "2:9: sources[0].name: must not contain control characters",
            ),
            (
                &long,
                "2:9: sources[0].name: must be at most 200 bytes long",
            ),
        ],
    );
    let one = with("");
    let two = one.clone() + one.strip_prefix("sources:\n").unwrap();
    refused(
        &two,
        "7:9: sources[1].name: is already the name of sources[0]",
    );
    for name in ["x".repeat(200), "ä b".to_owned(), "...".to_owned()] {
        assert!(parse(&named(&name)).is_ok(), "{name}");
    }
}

#[test]
fn systems() {
    let systems = |system: &str| with("").replace("system: sddc_manager", system);
    let rule = "3:11: sources[0].system: must be one of: sddc_manager, vcenter, virtshell";
    let missing = "2:3: sources[0].system: is required";
    table(
        systems,
        &[
            ("system: vcentre", rule),
            ("system: ''", rule),
            ("", missing),
        ],
    );
}

#[test]
fn urls() {
    let urls = |url: &str| with("").replace("https://a.example", url);
    let absolute =
        "4:8: sources[0].url: must be an absolute URL, such as https://sddc-manager.example";
    let http = "4:8: sources[0].url: must begin with http:// or https://";
    let clean = "4:8: sources[0].url: must not have a query or a fragment";
    let credentials = "4:8: sources[0].url: must not carry credentials";
    table(
        urls,
        &[
            ("", "2:3: sources[0].url: is required"),
            ("''", absolute),
            ("a.example", absolute),
            ("/v1", absolute),
            ("https://", absolute),
            ("https://a b", absolute),
            ("https://a:70000", absolute),
            ("ftp://a.example", http),
            ("file:///etc/passwd", http),
            ("https://u:hunter2@a.example", credentials),
            ("https://u@a.example", credentials),
            ("https://a.example?x=1", clean),
            ("'https://a.example#x'", clean),
        ],
    );
}
