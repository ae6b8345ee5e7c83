use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use super::support::{Bench, task};
use crate::simulator::{Endpoint, NaturalOrder, OrderBy, Paging, Resource, SimTask, TaskStatus};

#[rstest]
#[case::from_zero(Paging::FromZero, 0, true)]
#[case::from_one(Paging::FromOne, 1, true)]
#[case::bare_from_zero(Paging::NoMetadata { first: 0 }, 0, false)]
#[case::bare_from_one(Paging::NoMetadata { first: 1 }, 1, false)]
#[tokio::test]
async fn pages_follow_each_other(#[case] paging: Paging, #[case] first: u32, #[case] meta: bool) {
    let bench = Bench::new(|options| options.paging = paging).await;
    bench.add_many(5);
    let page = async |number| {
        let query = format!("?pageNumber={number}&pageSize=2");
        bench.ids(&query).await
    };
    assert_eq!(page(first).await, ["t1", "t2"]);
    assert_eq!(page(first + 2).await, ["t5"]);
    assert!(page(first + 3).await.is_empty());
    let path = format!("/v1/tasks?pageNumber={}&pageSize=2", first + 1);
    let metadata = bench.json(&path).await.get("pageMetadata").cloned();
    let expected = json!({
        "pageNumber": first + 1, "pageSize": 2, "totalElements": 5, "totalPages": 3,
    });
    assert_eq!(metadata, meta.then_some(expected));
}

#[tokio::test]
async fn an_old_manager_gives_everything_at_once() {
    let bench = Bench::new(|options| options.paging = Paging::None).await;
    bench.add_many(5);
    let path = "/v1/tasks?pageNumber=9&pageSize=2&orderBy=x&taskName=none";
    let list = bench.json(path).await;
    assert_eq!(list["elements"].as_array().unwrap().len(), 5);
    assert!(list.get("pageMetadata").is_none());
    assert_eq!(bench.ids("?limit=3").await, ["t1", "t2", "t3"]);
}

#[tokio::test]
async fn a_bare_call_has_a_page_size_of_its_own() {
    let bench = Bench::new(|options| options.default_page_size = Some(10)).await;
    bench.add_many(12);
    let list = bench.json("/v1/tasks").await;
    assert_eq!(list["elements"].as_array().unwrap().len(), 10);
    assert_eq!(list["pageMetadata"]["totalPages"], 2);
    assert_eq!(bench.ids("?limit=2000").await.len(), 12);
    assert_eq!(bench.ids("?limit=11&pageNumber=2").await, ["t11"]);
}

#[tokio::test]
async fn pages_have_a_hundred_elements_at_most() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.history(250);
    let list = bench.json("/v1/tasks?pageNumber=1&pageSize=1000").await;
    assert_eq!(list["elements"].as_array().unwrap().len(), 100);
    assert_eq!(list["pageMetadata"]["totalPages"], 3);
}

#[rstest]
#[case("limit=x")]
#[case("limit=-1")]
#[case("pageNumber=99999999999")]
#[case("pageSize=")]
#[case("completedAfter=yesterday")]
#[case("orderBy=colour")]
#[tokio::test]
async fn wrong_parameters_are_refused(#[case] query: &str) {
    let bench = Bench::new(|_| {}).await;
    let path = format!("/v1/tasks?{query}");
    assert_eq!(bench.code(Method::GET, &path).await, 400);
}

#[tokio::test]
async fn filters_choose() {
    let bench = Bench::new(|_| {}).await;
    let now = bench.clock.now();
    bench
        .sim
        .add(task("running").resource(Resource::new("r1", "HOST")));
    bench.sim.add(
        SimTask::new("UPGRADE", "Upgrade of esx")
            .id("good")
            .ended(TaskStatus::Successful, now),
    );
    bench
        .sim
        .add(task("stopped").ended(TaskStatus::Cancelled, now));
    let before = now.as_millisecond() - 1;
    for (query, expected) in [
        ("taskStatus=in+progress".to_owned(), vec!["running"]),
        ("taskType=UPGRADE".to_owned(), vec!["good"]),
        ("resourceId=r1".to_owned(), vec!["running"]),
        ("resourceType=HOST".to_owned(), vec!["running"]),
        ("taskName=of+esx".to_owned(), vec!["good"]),
        (format!("completedAfter={before}"), vec!["good"]),
        (format!("completedAfter={}", before + 1), vec![]),
        ("taskType=UPGRADE&taskStatus=FAILED".to_owned(), vec![]),
    ] {
        assert_eq!(bench.ids(&format!("?{query}")).await, expected, "{query}");
    }
    let record = bench.sim.requests().pop().unwrap();
    assert_eq!(record.endpoint, Endpoint::List);
    assert_eq!(record.parameter("taskStatus"), Some("FAILED"));
}

#[tokio::test]
async fn filters_see_history_too() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.history(400);
    let all: Value = bench.json("/v1/tasks").await;
    let failed = bench.json("/v1/tasks?taskStatus=FAILED").await;
    let count = |list: &Value| list["elements"].as_array().unwrap().len();
    let expected = all["elements"].as_array().unwrap().iter();
    let expected = expected
        .filter(|task| {
            task["status"]
                .as_str()
                .unwrap()
                .eq_ignore_ascii_case("failed")
        })
        .count();
    assert_eq!(count(&failed), expected);
    assert!((1..60).contains(&expected), "{expected}");
}

#[rstest]
#[case::insertion(NaturalOrder::Insertion, ["t1", "t2", "t3"])]
#[case::newest(NaturalOrder::NewestFirst, ["t3", "t2", "t1"])]
#[tokio::test]
async fn a_list_has_a_natural_order(#[case] order: NaturalOrder, #[case] expected: [&str; 3]) {
    let bench = Bench::new(|options| options.natural_order = order).await;
    bench.add_many(3);
    assert_eq!(bench.ids("").await, expected);
    let sorted = bench
        .ids("?orderBy=creationTimestamp&orderDirection=DESC")
        .await;
    assert_eq!(sorted, ["t3", "t2", "t1"]);
    assert_eq!(bench.ids("?orderBy=name").await, ["t1", "t2", "t3"]);
}

#[tokio::test]
async fn a_shuffled_list_stays_as_it_is() {
    let bench = Bench::new(|options| options.natural_order = NaturalOrder::Shuffled).await;
    bench.add_many(30);
    let first = bench.ids("").await;
    bench.sim.set_status("t3", TaskStatus::Failed);
    assert_eq!(bench.ids("").await, first);
    let mut sorted = first.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), 30);
    assert_ne!(first.first().map(String::as_str), Some("t1"));
}

#[tokio::test]
async fn order_by_is_an_option() {
    let bench = Bench::new(|options| options.order_by = OrderBy::Ignored).await;
    bench.add_many(2);
    let query = "?orderBy=creationTimestamp&orderDirection=DESC";
    assert_eq!(bench.ids(query).await, ["t1", "t2"]);
    bench
        .sim
        .configure(|options| options.order_by = OrderBy::Refused);
    let path = format!("/v1/tasks{query}");
    assert_eq!(bench.code(Method::GET, &path).await, 400);
}

#[tokio::test]
async fn the_list_changes_between_pages() {
    let bench = Bench::new(|options| options.natural_order = NaturalOrder::NewestFirst).await;
    bench.add_many(4);
    bench.sim.on_page(|sim, page| {
        if page == 0 {
            sim.add(task("late"));
            sim.remove("t1");
        }
    });
    assert_eq!(bench.ids("?pageNumber=1&pageSize=2").await, ["t4", "t3"]);
    assert_eq!(bench.ids("?pageNumber=2&pageSize=2").await, ["t3", "t2"]);
}
