use reqwest::header::CONTENT_TYPE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Bench, Page, Program, Scratch, options, task};

const LOGIN: &str = "username: u, password: p, poll_interval: 100ms";

/// An exporter of these sources, none of which can be reached.
async fn exporter_of(names: &[&str], arguments: &[&str]) -> Program {
    let rows = names.iter().map(|name| {
        let name = json!(name);
        format!("  - {{name: {name}, system: sddc_manager, url: 'http://127.0.0.1:1', {LOGIN}}}\n")
    });
    let rows: String = rows.collect();
    let config = format!(
        "sources:\n{rows}  - {{name: vc, system: vcenter, url: 'http://127.0.0.1:1', {LOGIN}}}\n"
    );
    Scratch::new(&config).serve(arguments).await
}

async fn page(program: &Program, query: &str) -> Page {
    let answer = program.get(&format!("/metrics?{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    Page::read(&answer.text().await.unwrap())
}

/// The sources of a page, in their order.
fn sources(page: &Page) -> Vec<String> {
    let infos = page.family("virt_source_info", &[]).into_iter();
    infos.map(|info| info.labels["source"].clone()).collect()
}

#[rstest]
#[case::one("source=b", &["b"])]
#[case::several_in_their_own_order("source=vc&source=a", &["a", "vc"])]
#[case::one_twice("source=a&source=a", &["a"])]
#[case::with_blanks_and_signs("source=c+%26%20d", &["c & d"])]
#[case::beside_other_parameters("x=y&source=a&source[]=b", &["a"])]
#[tokio::test]
async fn sources_are_served_alone(#[case] query: &str, #[case] expected: &[&str]) {
    let program = exporter_of(&["b", "a", "c & d"], &[]).await;
    let page = page(&program, query).await;
    assert_eq!(sources(&page), expected);
    for sample in page.family("", &[]) {
        let source = sample.labels.get("source").map(String::as_str);
        assert!(
            source.is_some_and(|name| expected.contains(&name)),
            "{sample:?}"
        );
        assert!(!sample.name.starts_with("virt_exporter_"), "{sample:?}");
    }
}

#[tokio::test]
async fn single_sources_say_what_the_whole_page_says() {
    let program = exporter_of(&["a"], &[]).await;
    let tried = |page: &Page| page.metric("virt_source_up").sum() < 0.5;
    program.scraped("a poll of both", tried).await;
    let names = |page: &Page| {
        let mut samples: Vec<_> = page.family("", &[]).into_iter().collect();
        samples.retain(|sample| {
            !sample.name.starts_with("virt_exporter_") && !sample.name.starts_with("process_")
        });
        let mut names: Vec<_> = (samples.into_iter())
            .map(|sample| format!("{} {:?}", sample.name, sample.labels))
            .collect();
        names.sort();
        names
    };
    let whole = names(&program.scrape().await);
    let mut parts = names(&page(&program, "source=a").await);
    parts.extend(names(&page(&program, "source=vc").await));
    parts.sort();
    assert_eq!(parts, whole);
}

#[rstest]
#[case::unknown("source=nobody")]
#[case::one_of_two("source=a&source=nobody")]
#[case::empty("source=")]
#[case::another_case("source=A")]
#[case::a_control_character("source=%0Aa")]
#[tokio::test]
async fn an_unknown_source_is_404(#[case] query: &str) {
    let program = exporter_of(&["a"], &[]).await;
    let answer = program.get(&format!("/metrics?{query}")).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    let body = answer.text().await.unwrap();
    assert!(body.starts_with("No source is called \""), "{body:?}");
    assert_eq!(body.lines().count(), 1, "{body:?}");
}

#[tokio::test]
async fn discovery_names_each_source_and_its_system() {
    let program = exporter_of(&["b", "a \"x\""], &[]).await;
    let answer = program.get("/sd").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    let found: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let group = |name: &str, system: &str| json!({"targets": [name], "labels": {"__meta_virt_system": system}});
    let expected = json!([
        group("a \"x\"", "sddc_manager"),
        group("b", "sddc_manager"),
        group("vc", "vcenter"),
    ]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_shard_discovers_and_serves_its_own_sources_alone() {
    let mut found = Vec::new();
    for shard in ["--shard=0", "--shard=1"] {
        let program = exporter_of(&["a", "b", "c"], &[shard, "--total-shards=2"]).await;
        let list = program.get("/sd").await.text().await.unwrap();
        let list: Vec<Value> = serde_json::from_str(&list).unwrap();
        let names: Vec<_> = list
            .iter()
            .map(|group| group["targets"][0].clone())
            .collect();
        for name in ["a", "b", "c", "vc"] {
            let code = program
                .get(&format!("/metrics?source={name}"))
                .await
                .status();
            let ours = names.contains(&json!(name));
            assert_eq!(code, if ours { 200 } else { 404 }, "{name}");
        }
        found.extend(names);
    }
    found.sort_by_key(Value::to_string);
    assert_eq!(json!(found), json!(["a", "b", "c", "vc"]));
}

#[tokio::test]
async fn a_scrape_of_one_source_is_no_scrape_of_another() {
    // A counter is held from its first scrape on: held for long, it tells which was scraped.
    let mut real = options();
    real.clock_skew = None;
    let bench = Bench::real_time(real).await;
    let rows = ["a", "b"].map(|name| {
        let login = "username: administrator@vsphere.local, password: 'VMware123!'";
        format!(
            "  - {{name: {name}, system: sddc_manager, url: '{}', {login}, \
             poll_interval: 100ms, counter_birth_hold: 300ms}}\n",
            bench.url
        )
    });
    let config = format!("sources:\n{}", rows.concat());
    let program = Scratch::new(&config).serve(&[]).await;
    let waits = async |name: &str, metric: &str, value: f64| {
        let query = format!("source={name}");
        let waiting = async {
            while (page(&program, &query).await.metric(metric).sum() - value).abs() > 0.5 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(crate::support::PATIENCE, waiting)
            .await
            .unwrap_or_else(|_late| panic!("{name}: {metric} is never {value}"));
    };
    waits("a", "virt_source_up", 1.0).await;
    bench.sim.add(task("new"));
    waits("a", "virt_task_started_total", 1.0).await;
    // Born when the other was, and as old; but nobody has scraped it.
    page(&program, "source=b")
        .await
        .metric("virt_task_started_total")
        .sums_to(0);
    waits("b", "virt_task_started_total", 1.0).await;
}
