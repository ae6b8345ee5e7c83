use reqwest::Method;
use rstest::rstest;

use super::support::{Bench, REST_SESSION, VM, of, send};

#[tokio::test]
async fn a_login_answers_as_its_dialect_does() {
    let bench = Bench::new(|_| {}).await;
    let rest = bench.login(REST_SESSION, "VMware123!").await;
    assert_eq!(rest.code, 200);
    let token = rest.json()["value"].as_str().unwrap().to_owned();
    let cookie = rest.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with(&format!("vmware-api-session-id={token};Path=/rest")));
    let api = bench.login("/api/session", "VMware123!").await;
    assert_eq!(api.code, 201);
    assert!(api.json().is_string(), "{}", api.text);
    assert!(!api.headers.contains_key("set-cookie"));
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (3, 3));
}

#[tokio::test]
async fn a_header_turns_the_cookie_off() {
    let bench = Bench::new(|_| {}).await;
    let call = bench.bare(Method::POST, REST_SESSION);
    let call = call.basic_auth("administrator@vsphere.local", Some("VMware123!"));
    let answer = send(call.header("vmware-use-header-authn", "test")).await;
    assert_eq!(answer.code, 200);
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[rstest]
#[case("/api/session")]
#[case(REST_SESSION)]
#[tokio::test]
async fn wrong_credentials_are_unauthenticated(#[case] path: &str) {
    let bench = Bench::new(|_| {}).await;
    let error = (401, "UNAUTHENTICATED".to_owned());
    assert_eq!(bench.login(path, "wrong").await.error(), error);
    let none = send(bench.bare(Method::POST, path)).await;
    assert_eq!(none.error(), error);
    assert_eq!(
        none.headers.contains_key("www-authenticate"),
        path.starts_with("/api")
    );
    assert_eq!(bench.sim.sessions(), 1);
}

#[tokio::test]
async fn a_full_table_refuses_logins() {
    let bench = Bench::new(|options| options.session_limit = 2).await;
    bench.log_in(REST_SESSION).await;
    for path in ["/api/session", REST_SESSION] {
        let answer = bench.login(path, "VMware123!").await;
        assert_eq!(answer.error(), (503, "SERVICE_UNAVAILABLE".to_owned()));
        assert_eq!(
            answer.message_id(),
            "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached"
        );
    }
    bench.clock.pass(120 * 60);
    assert_eq!(bench.login(REST_SESSION, "VMware123!").await.code, 200);
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (1, 3));
}

#[tokio::test]
async fn one_token_serves_both_dialects() {
    let bench = Bench::new(|_| {}).await;
    for path in [REST_SESSION, "/api/session"] {
        let token = bench.log_in(path).await;
        for list in ["/rest/cis/tasks/x", "/api/cis/tasks/x"] {
            let call = bench.bare(Method::GET, list);
            let answer = send(call.header("vmware-api-session-id", &token)).await;
            assert_eq!(answer.code, 404, "{path} {list}");
        }
    }
}

#[tokio::test]
async fn calls_without_a_session_are_unauthenticated() {
    let bench = Bench::new(|_| {}).await;
    let paths = [
        "/rest/cis/tasks",
        "/rest/cis/tasks/x",
        "/api/cis/tasks/x",
        "/api/session",
    ];
    for path in paths {
        let answer = send(bench.bare(Method::GET, path)).await;
        assert_eq!(
            answer.error(),
            (401, "UNAUTHENTICATED".to_owned()),
            "{path}"
        );
        let asked = answer.headers.contains_key("www-authenticate");
        assert_eq!(asked, path.starts_with("/api"), "{path}");
    }
    let dead = bench.bare(Method::GET, "/rest/cis/tasks");
    let dead = dead.header("vmware-api-session-id", "0123");
    assert_eq!(send(dead).await.code, 401);
    bench.sim.expire_sessions();
    assert_eq!(bench.api(&of(VM)).await.code, 401);
    assert_eq!(bench.sim.sessions(), 0);
}

#[tokio::test]
async fn the_cookie_comes_before_the_header() {
    let bench = Bench::new(|_| {}).await;
    let token = bench.log_in(REST_SESSION).await;
    let call = bench.bare(Method::GET, "/rest/cis/tasks/x");
    let cookie = format!("other=1; vmware-api-session-id={token}");
    let by_cookie = call.try_clone().unwrap().header("cookie", cookie);
    assert_eq!(send(by_cookie).await.code, 404);
    let dead = call.header("cookie", "vmware-api-session-id=dead");
    let dead = dead.header("vmware-api-session-id", &token);
    assert_eq!(send(dead).await.code, 401);
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_lives_on() {
    let bench = Bench::new(|_| {}).await;
    for _ in 0..3 {
        bench.clock.pass(120 * 60 - 1);
        assert_eq!(bench.get("/api/session").await.code, 200);
    }
    bench.clock.pass(120 * 60);
    assert_eq!(bench.sim.sessions(), 0);
    assert_eq!(bench.get("/api/session").await.code, 401);
}

#[tokio::test]
async fn a_session_says_who_it_is_of() {
    let bench = Bench::new(|_| {}).await;
    bench.clock.pass(60);
    let api = bench.get("/api/session").await.good();
    assert_eq!(api["user"], "administrator@vsphere.local");
    assert_eq!(api["created_time"], "2026-11-20T15:00:00.000Z");
    assert_eq!(api["last_accessed_time"], "2026-11-20T15:01:00.000Z");
    let path = format!("{REST_SESSION}?~action=get");
    let rest = send(bench.call(Method::POST, &path)).await.good();
    assert_eq!(rest["value"], api);
}

#[rstest]
#[case("/api/session", 204)]
#[case(REST_SESSION, 200)]
#[tokio::test]
async fn a_session_is_ended_by_its_header(#[case] path: &str, #[case] code: u16) {
    let bench = Bench::new(|_| {}).await;
    let token = bench.log_in(path).await;
    let call = || bench.bare(Method::DELETE, path);
    let cookie = format!("vmware-api-session-id={token}");
    assert_eq!(send(call().header("cookie", cookie)).await.code, 401);
    assert_eq!(bench.sim.sessions(), 2);
    let end = || call().header("vmware-api-session-id", &token);
    assert_eq!(send(end()).await.code, code);
    assert_eq!(send(end()).await.code, 401);
    assert_eq!((bench.sim.sessions(), bench.sim.logins()), (1, 2));
}
