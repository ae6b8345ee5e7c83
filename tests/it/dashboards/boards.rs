//! Dashboards for Grafana: what they name is served, and they have what
//! Grafana's dashboard-linter asks for.

use std::collections::BTreeSet;

use promql_parser::label::MatchOp;
use promql_parser::parser::parse;
use serde_json::Value;

use super::expression::{Names, selectors};
use super::files::{all, between, list, string};

/// Panels of Grafana's core.
const CORE: [&str; 7] = [
    "bargauge",
    "heatmap",
    "row",
    "stat",
    "state-timeline",
    "table",
    "timeseries",
];

/// The dashboards, each with the name of its file.
fn boards() -> Vec<(String, Value)> {
    all("", "json")
}

/// The panels of a dashboard but its rows, each with where it is, for messages.
fn panels(name: &str, board: &Value) -> Vec<(String, Value)> {
    let panels = list(&board["panels"]).iter();
    let panels = panels.filter(|panel| panel["type"] != "row");
    let place = |panel: &Value| format!("{name}: {}", string(&panel["title"]));
    panels.map(|panel| (place(panel), panel.clone())).collect()
}

fn annotations(board: &Value) -> impl Iterator<Item = &Value> {
    let annotations = list(&board["annotations"]["list"]).iter();
    annotations.filter(|annotation| annotation["builtIn"] != 1)
}

fn variables(board: &Value) -> &[Value] {
    list(&board["templating"]["list"])
}

/// The expressions of panels and annotations, with where they are.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, board) in boards() {
        for (place, panel) in panels(&name, &board) {
            for target in list(&panel["targets"]) {
                found.push((place.clone(), string(&target["expr"]).to_owned()));
            }
        }
        for annotation in annotations(&board) {
            assert_eq!(annotation["expr"], annotation["target"]["expr"], "{name}");
            found.push((
                format!("{name}: annotation"),
                string(&annotation["expr"]).to_owned(),
            ));
        }
    }
    found
}

/// The expression with a duration in the place of Grafana's.
fn resolved(expression: &str) -> String {
    expression
        .replace("$__rate_interval", "5m")
        .replace("$__range", "6h")
}

#[test]
fn every_expression_is_of_the_catalogue() {
    let names = Names::served();
    for (place, expression) in expressions() {
        let outcome = names.labels(&resolved(&expression));
        outcome.unwrap_or_else(|error| panic!("{place}: {error}\n{expression}"));
    }
}

#[test]
fn what_is_written_beside_a_series_is_a_label_of_it() {
    let names = Names::served();
    for (name, board) in boards() {
        for (place, panel) in panels(&name, &board) {
            let mut columns = BTreeSet::from(["Time".to_owned(), "Value".to_owned()]);
            for target in list(&panel["targets"]) {
                let labels = names.labels(&resolved(string(&target["expr"]))).unwrap();
                for label in between(string(&target["legendFormat"]), "{{", "}}") {
                    assert!(labels.contains(label), "{place}: no label {label}");
                }
                columns.extend(labels);
                columns.insert(format!("Value #{}", string(&target["refId"])));
            }
            for transformation in list(&panel["transformations"]) {
                for part in ["renameByName", "indexByName", "excludeByName"] {
                    let chosen = transformation["options"][part].as_object();
                    for column in chosen.into_iter().flat_map(serde_json::Map::keys) {
                        assert!(columns.contains(column), "{place}: no column {column}");
                    }
                }
            }
        }
        for annotation in annotations(&board) {
            let labels = names
                .labels(&resolved(string(&annotation["expr"])))
                .unwrap();
            let keys = string(&annotation["tagKeys"]).split(',');
            let texts = ["titleFormat", "textFormat"].map(|key| string(&annotation[key]));
            let texts = texts.into_iter().flat_map(|text| between(text, "{{", "}}"));
            for label in keys.chain(texts) {
                assert!(
                    labels.contains(label),
                    "{name}: annotation: no label {label}"
                );
            }
        }
    }
}

#[test]
fn the_variables_choose_in_every_selector() {
    for (place, expression) in expressions() {
        let expression = resolved(&expression);
        let parsed = parse(&expression).unwrap();
        for selector in selectors(&parsed) {
            for name in ["job", "instance"] {
                let chosen = selector.matchers.matchers.iter().any(|matcher| {
                    let regex = matches!(matcher.op, MatchOp::Re(_));
                    regex && matcher.name == name && matcher.value == format!("${name}")
                });
                assert!(chosen, "{place}: {selector} has no {name}=~\"${name}\"");
            }
        }
    }
}

#[test]
fn counters_are_looked_at_over_what_is_shown() {
    for (place, expression) in expressions() {
        for range in between(&expression, "[", "]") {
            assert!(
                ["$__rate_interval", "$__range"].contains(&range),
                "{place}: [{range}]"
            );
        }
    }
}

#[test]
fn the_dashboards_load_as_they_are() {
    let mut uids = BTreeSet::new();
    for (name, board) in boards() {
        let uid = string(&board["uid"]).to_owned();
        assert!(
            uid.starts_with("virt-task-") && uid.len() <= 40,
            "{name}: {uid:?}"
        );
        assert!(uids.insert(uid), "{name}: its uid stands twice");
        assert_eq!(board["schemaVersion"], 42, "{name}");
        assert_eq!(board["editable"], false, "{name}");
        assert!(
            board["id"].is_null() && board["version"].is_null(),
            "{name}"
        );
        assert!(
            board["__inputs"].is_null() && board["__requires"].is_null(),
            "{name}"
        );
        assert_eq!(
            list(&board["links"][0]["tags"]),
            &list(&board["tags"])[..1],
            "{name}"
        );
        assert!(annotations(&board).count() > 0, "{name}: no annotation");
    }
}

#[test]
fn every_panel_says_what_it_shows() {
    for (name, board) in boards() {
        let mut ids = BTreeSet::new();
        let mut places = Vec::new();
        for panel in list(&board["panels"]) {
            assert!(
                ids.insert(panel["id"].as_u64().unwrap()),
                "{name}: an id stands twice"
            );
            assert!(
                CORE.contains(&string(&panel["type"])),
                "{name}: {}",
                panel["type"]
            );
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
            let apart = |&(a, b, c, d): &(u64, u64, u64, u64)| {
                x >= a + c || a >= x + w || y >= b + d || b >= y + h
            };
            assert!(
                x + w <= 24 && places.iter().all(apart),
                "{name}: {}",
                panel["title"]
            );
            places.push((x, y, w, h));
        }
        for (place, panel) in panels(&name, &board) {
            assert!(!string(&panel["title"]).is_empty(), "{place}");
            assert!(
                string(&panel["description"]).ends_with('.'),
                "{place}: no description"
            );
            assert!(
                panel["fieldConfig"]["defaults"]["unit"].is_string(),
                "{place}: no unit"
            );
            let targets = list(&panel["targets"]);
            assert!(!targets.is_empty(), "{place}: no target");
            for holder in targets.iter().chain([&panel]) {
                assert_eq!(holder["datasource"]["uid"], "${datasource}", "{place}");
            }
        }
    }
}

#[test]
fn the_variables_are_what_the_linter_asks_for() {
    let names = Names::served();
    for (name, board) in boards() {
        let variables = variables(&board);
        let [source, queries @ ..] = variables else {
            panic!("{name}: no variables");
        };
        assert_eq!(source["type"], "datasource", "{name}");
        assert_eq!(source["query"], "prometheus", "{name}");
        assert_eq!(
            (string(&source["name"]), string(&source["label"])),
            ("datasource", "Data source")
        );
        let everything = board["panels"].to_string();
        for variable in queries {
            let key = string(&variable["name"]);
            assert!(
                everything.contains(&format!("${key}")),
                "{name}: ${key} is not used"
            );
            assert_eq!(string(&variable["label"]).to_lowercase(), key, "{name}");
            assert_eq!(
                variable["datasource"]["uid"], "${datasource}",
                "{name}: {key}"
            );
            assert_eq!(variable["multi"], true, "{name}: {key}");
            assert_eq!(variable["allValue"], ".+", "{name}: {key}");
            assert_eq!(variable["refresh"], 2, "{name}: {key}");
            let query = string(&variable["query"]["query"]);
            let inside = between(query, "label_values(", ")")[0];
            let (selector, label) = inside.rsplit_once(", ").unwrap();
            // It looks at labels, so a counter will do.
            let labels = names.labels(&format!("increase({selector}[5m])"));
            assert!(labels.unwrap().contains(label), "{name}: {query}");
        }
        for key in ["job", "instance", "source"] {
            assert!(
                queries.iter().any(|variable| variable["name"] == key),
                "{name}: no {key}"
            );
        }
    }
}
