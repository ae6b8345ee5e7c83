use reqwest::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Response};
use rstest::rstest;

use crate::support::{PATIENCE, Program, Scratch};

/// `alice` with the password `secret`, and `bob` with `other`.
const USERS: &str = "basic_auth_users:
  alice: $2b$04$Lv8iTo7rbjvEcl8BeabRQOC/ZusTx1IbbMkfjXcxXDB1gXa.FfoIe
  bob: $2b$04$FVpVgjOUuIujQIwNWGfugeUcWZP/nL565KqEezS5c.mwS07jLaXwq
";

/// An exporter with these rules.
async fn ruled(rules: &str) -> (Scratch, Program) {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    scratch.write("web.yml", rules);
    let program = scratch.serve(&["--web.config.file=web.yml"]).await;
    (scratch, program)
}

async fn ask(
    program: &Program,
    (method, path): (Method, &str),
    who: Option<(&str, &str)>,
) -> Response {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().timeout(PATIENCE).build();
    let url = format!("http://{}{path}", program.address());
    let mut request = client.unwrap().request(method, url);
    if let Some((name, password)) = who {
        request = request.basic_auth(name, Some(password));
    }
    request.send().await.unwrap()
}

async fn code(program: &Program, who: Option<(&str, &str)>) -> u16 {
    let answer = ask(program, (Method::GET, "/metrics"), who).await;
    answer.status().as_u16()
}

#[tokio::test]
async fn every_endpoint_asks_who_is_there() {
    let (_scratch, program) = ruled(USERS).await;
    for path in [
        "/metrics",
        "/metrics?source=a",
        "/sd",
        "/",
        "/-/healthy",
        "/-/ready",
        "/-/reload",
        "/nowhere",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let what = format!("{method} {path}");
            let asked = (method, path);
            for who in [None, Some(("alice", "wrong")), Some(("nobody", "secret"))] {
                let answer = ask(&program, asked.clone(), who).await;
                assert_eq!(answer.status(), 401, "{what} {who:?}");
                assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Basic");
                assert!(!answer.headers().contains_key(ALLOW));
                assert!(!answer.text().await.unwrap().contains("virt_"));
            }
            let answer = ask(&program, asked, Some(("alice", "secret"))).await;
            assert_ne!(answer.status(), 401, "{what}");
        }
    }
}

#[rstest]
#[case::alice("alice", "secret", 200)]
#[case::bob("bob", "other", 200)]
#[case::anothers_password("alice", "other", 401)]
#[case::no_password("alice", "", 401)]
#[case::another_case("Alice", "secret", 401)]
#[case::nobody("", "", 401)]
#[tokio::test]
async fn a_name_goes_with_its_password(
    #[case] name: &str,
    #[case] password: &str,
    #[case] expected: u16,
) {
    let (_scratch, program) = ruled(USERS).await;
    // The second time it is remembered, or must not be.
    for _ in 0..2 {
        assert_eq!(code(&program, Some((name, password))).await, expected);
    }
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 200);
}

#[rstest]
#[case("Bearer secret")]
#[case("Basic")]
#[case("Basic !!!")]
#[case("Basic YWxpY2U=")]
#[case("secret")]
#[tokio::test]
async fn what_is_no_basic_authorization_is_401(#[case] authorization: &str) {
    let (_scratch, program) = ruled(USERS).await;
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().timeout(PATIENCE);
    let request = client
        .build()
        .unwrap()
        .get(format!("http://{}/metrics", program.address()));
    let answer = request
        .header("Authorization", authorization)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn users_change_without_a_restart() {
    let (scratch, program) = ruled(USERS).await;
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 200);
    // Somebody else's password from now on, who was let in already.
    let swapped = USERS.replace("alice", "x").replace("bob", "alice");
    scratch.write("web.yml", &swapped);
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 401);
    assert_eq!(code(&program, Some(("alice", "other"))).await, 200);
    // A file that is just being written is empty at first.
    scratch.write("web.yml", "");
    assert_eq!(code(&program, None).await, 500);
    program.logged(&["basic_auth_users is gone"]).await;
    scratch.write("web.yml", "basic_auth_users: {alice: plain}\n");
    for who in [None, Some(("alice", "plain")), Some(("alice", "secret"))] {
        let answer = ask(&program, (Method::GET, "/-/healthy"), who).await;
        assert_eq!(answer.status(), 500);
    }
    program.logged(&["the web configuration is broken"]).await;
    scratch.write("web.yml", USERS);
    assert_eq!(code(&program, None).await, 401);
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 200);
    let log = program.log().join("\n");
    assert!(!log.contains("secret") && !log.contains("plain"), "{log}");
}

#[tokio::test]
async fn headers_stand_on_every_answer() {
    let rules = "http_server_config:
  headers:
    Strict-Transport-Security: max-age=5
    X-Frame-Options: sameorigin
    X-Content-Type-Options: nosniff
";
    let (_scratch, program) = ruled(&format!("{rules}{USERS}")).await;
    for (path, who, status) in [
        ("/metrics", Some(("alice", "secret")), 200),
        ("/nowhere", Some(("alice", "secret")), 404),
        ("/metrics", None, 401),
    ] {
        let answer = ask(&program, (Method::GET, path), who).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=5");
        let frames: Vec<_> = answer.headers().get_all("x-frame-options").iter().collect();
        assert_eq!(frames, ["sameorigin"]);
    }
}

#[tokio::test]
async fn the_rate_limit_holds_for_all_requests_together() {
    let rules = format!("rate_limit: {{interval: 1h, burst: 3}}\n{USERS}");
    let (scratch, program) = ruled(&rules).await;
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 200);
    assert_eq!(code(&program, None).await, 401);
    assert_eq!(code(&program, Some(("bob", "other"))).await, 200);
    let answer = ask(
        &program,
        (Method::GET, "/-/healthy"),
        Some(("alice", "secret")),
    )
    .await;
    assert_eq!(answer.status(), 429);
    assert!(!answer.headers().contains_key(RETRY_AFTER));
    scratch.write("web.yml", USERS);
    assert_eq!(code(&program, Some(("alice", "secret"))).await, 200);
}
