use reqwest::Method;
use serde_json::json;

use super::support::{API_LIST, BUNDLE, Bench, SOFTWARE, VM, clone_task, of, send};
use crate::simulator::{Endpoint, Provider, ProviderState, VcError, VcTask};

#[tokio::test]
async fn rest_writes_maps_as_pairs_at_every_level() {
    let bench = Bench::new(|_| {}).await;
    assert_eq!(
        bench
            .rest(&format!("filter_spec.services.1={SOFTWARE}"))
            .await
            .good(),
        json!({"value": []})
    );
    let inside = VcTask::new(SOFTWARE, "apply").id("inner").running();
    bench.sim.add(
        VcTask::new(SOFTWARE, "apply")
            .id("outer")
            .running()
            .subtask(inside),
    );
    let list = bench
        .rest(&format!("filter_spec.services.1={SOFTWARE}"))
        .await
        .good();
    let pair = &list["value"][0];
    assert_eq!(pair["key"], "outer");
    assert_eq!(pair["value"]["subtasks"][0]["key"], "inner");
    assert_eq!(pair["value"]["subtasks"][0]["value"]["status"], "RUNNING");
    assert_eq!(pair["value"]["result"]["hosts"][0]["key"], "host-1");
    let named = bench.rest("filter_spec.tasks.1=outer").await.good();
    assert_eq!(named, list, "an id need not name its service");
}

#[tokio::test]
async fn api_writes_plain_maps() {
    let bench = Bench::new(|_| {}).await;
    assert_eq!(bench.api(&of(SOFTWARE)).await.good(), json!({}));
    let id = bench.sim.add(VcTask::new(SOFTWARE, "apply").running());
    assert!(id.ends_with(&format!(":{SOFTWARE}")), "{id}");
    let list = bench.api(&of(SOFTWARE)).await.good();
    assert_eq!(list[&id]["operation"], "apply");
    assert!(list[&id]["result"]["hosts"]["host-1"].is_object());
    assert_eq!(bench.task(&id).await, list[&id]);
}

#[tokio::test]
async fn both_dialects_show_the_same_tasks() {
    let bench = Bench::new(|_| {}).await;
    let id = bench.sim.add(clone_task("a").running());
    let list = bench
        .rest(&format!("filter_spec.services.1={VM}"))
        .await
        .good();
    let one = bench.get(&format!("/rest/cis/tasks/{id}")).await.good();
    assert_eq!(one["value"], list["value"][0]["value"]);
    assert_eq!(bench.task(&id).await, one["value"]);
    let escaped = id.replace(':', "%3A");
    assert_eq!(bench.task(&escaped).await, one["value"]);
}

#[tokio::test]
async fn results_are_large_and_can_be_left_out() {
    let bench = Bench::new(|_| {}).await;
    let id = bench.sim.add(VcTask::new(SOFTWARE, "scan").succeeded());
    let full = bench.api(&of(SOFTWARE)).await;
    assert!(full.text.len() > 20_000, "{}", full.text.len());
    let mut body = of(SOFTWARE);
    body["result_spec"] = json!({"exclude_result": true, "return_all": null});
    let small = bench.api(&body).await;
    assert!(small.text.len() < 2_000, "{}", small.text);
    let rest = format!("filter_spec.services.1={SOFTWARE}&result_spec.exclude_result=true");
    let paths = [
        format!("/rest/cis/tasks?{rest}"),
        format!("/rest/cis/tasks/{id}?spec.exclude_result=true"),
        format!("/api/cis/tasks/{id}?exclude_result=true"),
    ];
    for path in paths {
        let answer = bench.get(&path).await;
        assert_eq!(answer.code, 200);
        assert!(answer.text.len() < 2_000, "{path}: {}", answer.text);
    }
    let lists = bench.sim.requests();
    let lists: Vec<bool> = lists
        .iter()
        .filter(|request| request.endpoint == Endpoint::List)
        .map(|request| request.excludes_result)
        .collect();
    assert_eq!(lists, [false, true, true]);
}

#[tokio::test]
async fn a_list_names_one_provider() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.add(clone_task("a"));
    let none = json!({"filter_spec": {"services": []}});
    let two = json!({"filter_spec": {"services": [VM, SOFTWARE]}});
    let mixed = json!({"filter_spec": {"services": [VM], "tasks": [format!("x:{SOFTWARE}")]}});
    for body in [json!({}), json!({"filter_spec": null}), none, two, mixed] {
        let answer = bench.api(&body).await;
        assert_eq!(
            answer.error(),
            (400, "INVALID_ARGUMENT".to_owned()),
            "{body}"
        );
    }
    for query in ["", "filter_spec.status.1=RUNNING"] {
        let answer = bench.rest(query).await;
        assert_eq!(
            answer.error(),
            (400, "INVALID_ARGUMENT".to_owned()),
            "{query}"
        );
    }
    let same = [VM, "com.vmware.vcenter.cluster.evc_mode"];
    assert_eq!(bench.ids(&same).await, [format!("a:{VM}")]);
}

#[tokio::test]
async fn a_service_of_no_provider_is_an_error_of_choice() {
    let bench = Bench::new(|_| {}).await;
    let unknown = of("com.vmware.vcenter.vm");
    let answer = bench.api(&unknown).await;
    assert_eq!(answer.error(), (404, "NOT_FOUND".to_owned()));
    assert!(
        answer.text.contains("Cannot find provider"),
        "{}",
        answer.text
    );
    bench.sim.configure(|options| {
        options.unknown_service = VcError::new("INTERNAL_SERVER_ERROR", "Cannot find provider");
    });
    assert_eq!(bench.api(&unknown).await.code, 500);
    let both = json!({"filter_spec": {"services": [VM, "other"]}});
    assert_eq!(bench.api(&both).await.code, 500);
}

#[tokio::test]
async fn more_tasks_than_the_cap_are_an_error() {
    let bench = Bench::new(|options| options.cap = 2).await;
    for id in ["a", "b"] {
        bench.sim.add(clone_task(id).running());
    }
    assert_eq!(bench.ids(&[VM]).await.len(), 2);
    bench.sim.add(clone_task("c"));
    let error = |code| (code, "RESOURCE_INACCESSIBLE".to_owned());
    assert_eq!(bench.api(&of(VM)).await.error(), error(500));
    let rest = format!("filter_spec.services.1={VM}");
    assert_eq!(bench.rest(&rest).await.error(), error(400));
    let running = format!("{rest}&filter_spec.status.1=RUNNING");
    assert_eq!(bench.rest(&running).await.code, 200);
}

#[tokio::test]
async fn providers_fail_on_their_own() {
    let bench = Bench::new(|_| {}).await;
    let id = bench.sim.add(clone_task("a"));
    let path = format!("/api/cis/tasks/{id}");
    let cases = [
        (
            ProviderState::Unavailable,
            (503, "SERVICE_UNAVAILABLE"),
            503,
        ),
        (ProviderState::Broken, (500, "INTERNAL_SERVER_ERROR"), 200),
        (ProviderState::Forbidden, (403, "UNAUTHORIZED"), 403),
        (ProviderState::Working, (200, ""), 200),
    ];
    for (provider_state, (code, kind), by_id) in cases {
        bench.sim.configure(|options| {
            let mut providers = options.providers.iter_mut();
            providers.find(|p| p.name == "vpxd").unwrap().state = provider_state;
        });
        let answer = bench.api(&of(VM)).await;
        assert_eq!(
            answer.error(),
            (code, kind.to_owned()),
            "{provider_state:?}"
        );
        assert_eq!(bench.get(&path).await.code, by_id, "{provider_state:?}");
        assert_eq!(bench.api(&of(SOFTWARE)).await.code, 200);
    }
}

#[tokio::test]
async fn the_body_of_api_is_json() {
    let bench = Bench::new(|_| {}).await;
    let call = || bench.call(Method::POST, API_LIST).body(of(VM).to_string());
    assert_eq!(send(call()).await.code, 415);
    let text = call().header("content-type", "text/plain");
    assert_eq!(send(text).await.code, 415);
    let json = call().header("content-type", "application/json; charset=utf-8");
    assert_eq!(send(json).await.code, 200);
    let broken = bench.call(Method::POST, API_LIST).body("{");
    let broken = broken.header("content-type", "application/json");
    assert_eq!(send(broken).await.error().0, 400);
}

#[tokio::test]
async fn a_hook_sees_every_list_before_its_answer() {
    let bench = Bench::new(|_| {}).await;
    bench.sim.on_list(|sim, number| {
        sim.add(clone_task(&number.to_string()));
    });
    assert_eq!(bench.rest("").await.code, 400);
    let answer = bench.ids(&[VM]).await;
    assert_eq!(answer, [format!("0:{VM}"), format!("1:{VM}")]);
    bench.task(&answer[0]).await;
    assert_eq!(bench.sim.tasks().len(), 2);
}

#[tokio::test]
async fn requests_are_remembered() {
    let bench = Bench::new(|_| {}).await;
    let body = json!({"filter_spec": {
        "services": [BUNDLE], "status": ["FAILED"], "operations": ["create"],
    }});
    bench.api(&body).await;
    bench.rest(&format!("filter_spec.tasks.1=x:{VM}")).await;
    bench.rest("").await;
    let requests = bench.sim.requests();
    assert_eq!(bench.sim.request_count(), 4);
    assert_eq!(requests[0].endpoint, Endpoint::Login);
    let api = &requests[1];
    assert_eq!((api.path.as_str(), api.status), ("/api/cis/tasks", 200));
    assert_eq!(api.method, Method::POST);
    assert_eq!(api.services, [BUNDLE]);
    assert_eq!(api.statuses, ["FAILED"]);
    assert_eq!(api.operations, ["create"]);
    assert_eq!(requests[2].tasks, [format!("x:{VM}")]);
    assert_eq!(requests[3].status, 400);
}

#[tokio::test]
async fn the_first_provider_of_a_service_has_it() {
    let bench = Bench::new(|options| {
        options.providers = vec![
            Provider::new("one", ["a", "b"]),
            Provider::new("two", ["b"]),
        ];
    })
    .await;
    bench.sim.add(VcTask::new("b", "go").id("t:b"));
    assert_eq!(bench.ids(&["a", "b"]).await, ["t:b"]);
}
