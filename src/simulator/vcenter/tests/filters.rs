use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Bench, SOFTWARE, VM, of};
use crate::simulator::{VcError, VcTask};

/// Three tasks: `a` runs as `check$task`, `b` waits as `check`, `c` has failed.
async fn filled() -> Bench {
    let bench = Bench::new(|_| {}).await;
    let task =
        |id: &str, operation: &str| VcTask::new(SOFTWARE, operation).id(format!("{id}:{SOFTWARE}"));
    let a = task("a", "check").suffixed(true).running().user("root");
    bench
        .sim
        .add(a.target("ClusterComputeResource", "domain-c9"));
    bench.sim.add(task("b", "check"));
    bench
        .sim
        .add(task("c", "apply").failed(VcError::new("ERROR", "no")));
    bench
}

fn first(id: &str) -> char {
    id.chars().next().unwrap()
}

/// The letters of the tasks in an answer.
fn letters(list: &Value) -> String {
    let keys = list.as_object().unwrap().keys();
    keys.map(|key| first(key)).collect()
}

#[rstest]
#[case(json!({}), "abc")]
#[case(json!({"status": []}), "abc")]
#[case(json!({"status": null}), "abc")]
#[case(json!({"status": ["PENDING", "RUNNING"]}), "ab")]
#[case(json!({"status": ["SUCCEEDED"]}), "")]
#[case(json!({"operations": ["check"]}), "b")]
#[case(json!({"operations": ["check$task"]}), "a")]
#[case(json!({"operations": ["check", "check$task"]}), "ab")]
#[case(json!({"operations": ["check", "apply"], "status": ["FAILED"]}), "c")]
#[case(json!({"users": ["root"]}), "a")]
#[case(json!({"targets": [{"type": "ClusterComputeResource", "id": "domain-c9"}]}), "a")]
#[case(json!({"targets": [{"type": "HostSystem", "id": "domain-c9"}]}), "")]
#[case(json!({"tasks": [format!("b:{SOFTWARE}"), format!("x:{SOFTWARE}")]}), "b")]
#[tokio::test]
async fn all_members_must_match(#[case] members: Value, #[case] expected: &str) {
    let bench = filled().await;
    let mut body = of(SOFTWARE);
    let filter = body["filter_spec"].as_object_mut().unwrap();
    filter.extend(members.as_object().unwrap().clone());
    assert_eq!(letters(&bench.api(&body).await.good()), expected);
}

#[tokio::test]
async fn tasks_alone_are_a_filter() {
    let bench = filled().await;
    let body = json!({"filter_spec": {"tasks": [format!("c:{SOFTWARE}")]}});
    assert_eq!(letters(&bench.api(&body).await.good()), "c");
}

#[rstest]
#[case("filter_spec.services.1=S", "abc")]
#[case("filter_spec.services.1=S&filter_spec.services.2=D", "abc")]
#[case("filter_spec.services.2=D&filter_spec.services.1=S", "abc")]
#[case("filter_spec.services=S&filter_spec.services=D", "abc")]
#[case("filter_spec.services.1=S&filter_spec.status.1=RUNNING", "a")]
#[case("filter_spec.services.1=S&filter_spec.operations.1=check%24task", "a")]
#[case(
    "filter_spec.services.1=S&filter_spec.targets.1.id=domain-c9&\
     filter_spec.targets.1.type=ClusterComputeResource",
    "a"
)]
#[case("filter_spec.services.1=S&result_spec.return_all=true&other=1", "abc")]
#[tokio::test]
async fn lists_in_a_query_are_indexed(#[case] query: &str, #[case] expected: &str) {
    let bench = filled().await;
    let list = bench.rest(&named(query)).await.good();
    let pairs = list["value"].as_array().unwrap();
    let found: String = pairs
        .iter()
        .map(|pair| first(pair["key"].as_str().unwrap()))
        .collect();
    assert_eq!(found, expected);
}

#[rstest]
#[case::bare("filter_spec.services=S")]
#[case::from_zero("filter_spec.services.0=S")]
#[case::gap("filter_spec.services.1=S&filter_spec.services.3=D")]
#[case::mixed("filter_spec.services=S&filter_spec.services.1=D")]
#[case::word("filter_spec.services.1=S&filter_spec.status.1=DONE")]
#[case::member("filter_spec.services.1=S&filter_spec.state.1=RUNNING")]
#[case::target("filter_spec.services.1=S&filter_spec.targets.1.id=domain-c9")]
#[case::boolean("filter_spec.services.1=S&result_spec.exclude_result=yes")]
#[tokio::test]
async fn other_queries_are_refused(#[case] query: &str) {
    let bench = filled().await;
    let answer = bench.rest(&named(query)).await;
    assert_eq!(answer.error(), (400, "INVALID_ARGUMENT".to_owned()));
}

#[rstest]
#[case(json!([]))]
#[case(json!({"filter": {}}))]
#[case(json!({"filter_spec": {"services": VM}}))]
#[case(json!({"filter_spec": {"services": [VM], "status": "RUNNING"}}))]
#[case(json!({"filter_spec": {"services": [VM], "status": ["CANCELED"]}}))]
#[tokio::test]
async fn other_bodies_are_refused(#[case] body: Value) {
    let bench = filled().await;
    let answer = bench.api(&body).await;
    assert_eq!(answer.error(), (400, "INVALID_ARGUMENT".to_owned()));
}

/// A query with the services written out.
fn named(query: &str) -> String {
    query
        .replace("=S", &format!("={SOFTWARE}"))
        .replace("=D", &format!("={SOFTWARE}.drafts"))
}
