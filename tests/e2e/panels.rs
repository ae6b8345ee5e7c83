use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Brand, Exporter, Server, eventually, scrapes};

/// A question of a dashboard, and where it stands.
#[derive(Debug)]
struct Question {
    place: String,
    expression: String,
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The questions of all dashboards, as Grafana would ask them with `All` chosen.
fn questions() -> Vec<Question> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let mut questions = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let board: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        let variables = list(&board["templating"]["list"]);
        let mut ask = |place: &str, expression: String| {
            questions.push(Question {
                place: format!("{name}: {place}"),
                expression: chosen(expression, variables),
            });
        };
        for panel in list(&board["panels"]) {
            for target in list(&panel["targets"]) {
                ask(string(&panel["title"]), string(&target["expr"]).to_owned());
            }
        }
        for annotation in list(&board["annotations"]["list"]) {
            if let Some(expression) = annotation["expr"].as_str() {
                ask(string(&annotation["name"]), expression.to_owned());
            }
        }
        for variable in variables {
            if let Some(query) = variable["query"]["query"].as_str() {
                ask(string(&variable["name"]), values(query));
            }
        }
    }
    questions
}

/// Puts in what Grafana does for the variables.
fn chosen(mut expression: String, variables: &[Value]) -> String {
    for (name, value) in [("$__rate_interval", "2m"), ("$__range", "10m")] {
        expression = expression.replace(name, value);
    }
    for variable in variables {
        let name = format!("${}", string(&variable["name"]));
        expression = expression.replace(&name, ".+");
    }
    assert!(
        !expression.contains('$'),
        "a variable is left: {expression}"
    );
    expression
}

/// What has the values of `label_values(SELECTOR, LABEL)`.
fn values(query: &str) -> String {
    let inside = query.strip_prefix("label_values(").unwrap();
    let inside = inside.strip_suffix(')').unwrap();
    let (selector, label) = inside.rsplit_once(", ").unwrap();
    format!("count by ({label}) ({selector})")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_of_the_dashboards_has_data_in_the_demo() {
    let questions = questions();
    assert!(questions.len() > 60, "{}", questions.len());
    let folder = tempfile::tempdir().unwrap();
    let listens = "--web.listen-address=127.0.0.1:0";
    let exporter = Exporter::start(folder.path(), &["demo", listens]).await;
    let config = scrapes(exporter.address());
    let prometheus = Server::configured(Brand::Prometheus, folder.path(), &config).await;
    for Question { place, expression } in questions {
        let what = format!("{place}: {expression}");
        let witness = async || exporter.witness().await;
        eventually(&what, witness, async || {
            let answer = prometheus.query(&expression).await?;
            if answer.iter().any(|series| !series.value.is_nan()) {
                return Ok(());
            }
            Err(format!("{answer:?}"))
        })
        .await;
    }
}
