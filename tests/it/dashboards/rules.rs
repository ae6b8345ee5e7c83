//! Rules for Prometheus: promtool says whether they work, these tests whether
//! they are ours, whole and of one kind.

use std::collections::BTreeSet;

use promql_parser::parser::{Expr, parse};
use serde_json::Value;

use super::expression::{Labels, Names, selectors};
use super::files::{all, between, list, string, text};

/// The rules of all files.
fn rules() -> Vec<Value> {
    let files = all("rules", "yml");
    let groups = files.iter().flat_map(|(_, file)| list(&file["groups"]));
    groups
        .flat_map(|group| list(&group["rules"]).to_vec())
        .collect()
}

/// The name of an alert; `None` for a rule that records.
fn alert(rule: &Value) -> Option<&str> {
    rule["alert"].as_str()
}

fn expression(rule: &Value) -> String {
    let expression = &rule["expr"];
    expression
        .as_str()
        .map_or_else(|| expression.to_string(), str::to_owned)
}

/// The names that alerts can use.
fn names() -> Names {
    let mut names = Names::served();
    for rule in rules() {
        if let Some(name) = rule["record"].as_str() {
            let outcome = names.record(name, &expression(&rule));
            outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    names
}

/// The alerts, each with its name and the labels of its result.
fn alerts() -> Vec<(String, Value, Labels)> {
    let names = names();
    let rules = rules().into_iter();
    let alerts = rules.filter_map(|rule| {
        let name = alert(&rule)?.to_owned();
        let labels = names.labels(&expression(&rule));
        let labels = labels.unwrap_or_else(|error| panic!("{name}: {error}"));
        Some((name, rule, labels))
    });
    alerts.collect()
}

#[test]
fn every_rule_is_of_the_catalogue_and_stands_once() {
    let (mut titles, mut expressions) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules() {
        let title = alert(&rule)
            .or_else(|| rule["record"].as_str())
            .unwrap()
            .to_owned();
        assert!(titles.insert(title.clone()), "{title} stands twice");
        let new = title.starts_with("virt_threshold:") || expressions.insert(expression(&rule));
        assert!(new, "{title} repeats another");
    }
    assert!(alerts().len() > 10);
}

#[test]
fn recorded_names_have_a_level_and_an_operation() {
    for rule in rules() {
        if let Some(name) = rule["record"].as_str() {
            let parts: Vec<_> = name.split(':').collect();
            assert!(parts.len() == 3 && !name.contains("_total"), "{name}");
        }
    }
}

#[test]
fn every_alert_compares() {
    for (name, rule, _) in alerts() {
        let expression = parse(&expression(&rule)).unwrap();
        assert!(compares(&expression), "{name}: {expression}");
        let absent = matches!(&expression, Expr::Call(call) if call.func.name == "absent");
        let waits = string(&rule["for"]);
        assert!(!absent || waits.ends_with('m'), "{name}: for: {waits:?}");
        assert!(
            !waits.starts_with('0'),
            "{name}: for: {waits:?} is redundant"
        );
    }
}

/// Whether an alert can end while its series are there, or is about their absence.
fn compares(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => compares(&paren.expr),
        Expr::Call(call) => call.func.name == "absent",
        Expr::Binary(binary) if binary.op.is_comparison_operator() => true,
        Expr::Binary(binary) if binary.op.is_set_operator() => {
            compares(&binary.lhs) || compares(&binary.rhs)
        }
        _ => false,
    }
}

#[test]
fn thresholds_are_series_at_the_head_and_each_is_used() {
    let thresholds: BTreeSet<_> = rules()
        .iter()
        .filter_map(|rule| rule["record"].as_str().map(str::to_owned))
        .filter(|name| name.starts_with("virt_threshold:"))
        .collect();
    let mut used = BTreeSet::new();
    for rule in rules() {
        let parsed = parse(&expression(&rule)).unwrap();
        let selected = selectors(&parsed).into_iter();
        used.extend(selected.filter_map(|selector| selector.name.clone()));
    }
    assert!(thresholds.is_subset(&used), "{thresholds:?} {used:?}");
    let alerts = text("rules/alerts.yml");
    let head = alerts.find("virt_threshold:").unwrap();
    assert!(head < alerts.find("alert:").unwrap());
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    let runbook = text("runbook.md");
    let readme = text("README.md");
    for (name, rule, labels) in alerts() {
        assert!(name.starts_with("Virt"), "{name}");
        let severity = string(&rule["labels"]["severity"]);
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: {severity:?}"
        );
        assert!(
            !rule["labels"].to_string().contains('$'),
            "{name}: a label that changes"
        );
        let [summary, description, runbook_url] =
            ["summary", "description", "runbook_url"].map(|key| string(&rule["annotations"][key]));
        assert!(
            summary.ends_with('.') && !summary.contains('{'),
            "{name}: {summary:?}"
        );
        assert!(
            description.contains("{{") || labels.is_empty(),
            "{name}: {description:?}"
        );
        for label in between(description, "$labels.", "}}") {
            assert!(
                labels.contains(label),
                "{name}: {label:?} is not among {labels:?}"
            );
        }
        let counts = expression(&rule).contains("increase(");
        for value in between(description, "$value", "}}") {
            assert!(
                !counts || value.contains("humanize"),
                "{name}: a raw {value:?}"
            );
        }
        let anchor = format!("runbook.md#{}", name.to_lowercase());
        assert!(runbook_url.ends_with(&anchor), "{name}: {runbook_url}");
        assert!(
            runbook.contains(&format!("\n## {name}\n")),
            "{name}: not in the runbook"
        );
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "{name}: not in the README"
        );
    }
    let sections = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## Virt"));
    assert_eq!(
        sections.count(),
        alerts().len(),
        "a section of an alert that is gone"
    );
}

#[test]
fn every_rule_is_tested_by_promtool() {
    let files = all("rules/tests", "yml");
    let tests = files.iter().flat_map(|(_, file)| list(&file["tests"]));
    let tests: Vec<_> = tests.collect();
    for (name, _, _) in alerts() {
        let cases = tests.iter().flat_map(|test| list(&test["alert_rule_test"]));
        let cases: Vec<_> = cases
            .filter(|case| case["alertname"] == name.as_str())
            .collect();
        let loud = |case: &&Value| !list(&case["exp_alerts"]).is_empty();
        let fired = cases.iter().position(loud);
        let last = cases.iter().rposition(|case| !loud(case));
        assert!(
            fired.is_some_and(|at| at > 0),
            "{name}: fires at once, or never"
        );
        assert!(last > fired, "{name}: never resolves");
    }
    let text = serde_json::to_string(&tests).unwrap();
    for rule in rules() {
        let record = rule["record"].as_str().unwrap_or_default();
        let own = rule["alert"].is_null() && !record.starts_with("virt_threshold:");
        let held = record.ends_with(":held");
        assert!(
            !own || held || text.contains(record),
            "{record} is not tested"
        );
    }
}
