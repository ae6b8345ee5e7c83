use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Client, Method};
use rstest::rstest;
use rustix::process::Signal;

use crate::support::{PATIENCE, Program, Scratch, Stub, answer, json};

/// What every secret of these tests has in it.
const MARK: &str = "s3cretive-mark";

/// The mark, and what becomes of it in base64 at each of its three offsets.
fn needles() -> Vec<String> {
    let encoded = |offset: usize| {
        let text = BASE64_STANDARD.encode("x".repeat(offset) + MARK);
        // The ends depend on what stands beside it.
        text.get(4..text.len() - 4).unwrap().to_owned()
    };
    let mut all = vec![MARK.to_owned()];
    all.extend((0..3).map(encoded));
    all
}

#[track_caller]
fn clean(place: &str, seen: &str) {
    let mut needles = needles();
    needles.extend(["$2b$04$".to_owned(), "Bearer ".to_owned()]);
    for needle in needles {
        if let Some(at) = seen.find(&needle) {
            let from = seen.floor_char_boundary(at.saturating_sub(200));
            let to = seen.ceil_char_boundary((at + 200).min(seen.len()));
            let around = seen.get(from..to).unwrap();
            panic!("{needle} is in {place}: … {around} …");
        }
    }
}

/// How a server answers whatever it is asked, with all that it was told.
#[derive(Debug, Clone, Copy)]
enum Echo {
    Status(&'static str),
    Redirect,
    Garbage,
}

const ECHOES: [Echo; 7] = [
    Echo::Status("400 Bad Request"),
    Echo::Status("401 Unauthorized"),
    Echo::Status("403 Forbidden"),
    Echo::Status("429 Too Many Requests"),
    Echo::Status("500 Internal Server Error"),
    Echo::Redirect,
    Echo::Garbage,
];

impl Echo {
    fn of(self, request: &str) -> Vec<u8> {
        let told = request.replace(['\r', '\n', '"', '\\'], " ");
        let body = format!(r#"{{"errorCode":"{told}","message":"{told}","value":"{told}"}}"#);
        let headers = format!("Content-Type: application/json\r\nX-Told: {told}\r\n");
        let location = format!("Location: http://127.0.0.1:1/{MARK}\r\n{headers}");
        match self {
            Self::Status(status) => answer(status, &headers, body),
            Self::Redirect => answer("302 Found", &location, body),
            Self::Garbage => answer("200 OK", &headers, told),
        }
    }

    /// A server that answers so; if `open`, only once somebody has logged in.
    async fn serve(self, open: bool) -> Stub {
        Stub::headed(move |request| {
            let line = request.lines().next().unwrap_or_default();
            let session = format!("\"{MARK}-session\"");
            match line.split(' ').nth(1).unwrap_or_default() {
                "/v1/tokens" if open => json(&format!(
                    r#"{{"accessToken":"{MARK}-access","refreshToken":{{"id":"{MARK}-refresh"}}}}"#
                )),
                "/api/session" if open => answer("201 Created", "", session),
                "/rest/com/vmware/cis/session" if open => {
                    json(&format!(r#"{{"value":{session}}}"#))
                }
                _ => self.of(request),
            }
        })
        .await
    }
}

/// Every way to prove who one is: the system and the keys for it.
fn logins(scratch: &Scratch) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let file = |name: &str| {
        let file = scratch.write(name, &format!("{MARK}-{name}\n"));
        file.display().to_string()
    };
    let (password, key, token) = (file("password"), file("api-key"), file("token"));
    let header = format!(
        "http_headers: {{X-Key: {{secrets: [{MARK}-header], files: [{}]}}}}",
        file("header")
    );
    for keys in [
        format!("username: u, password: {MARK}-inline"),
        format!("username: u, password_file: {password}"),
    ] {
        all.push(("vcenter", keys.clone() + ", dialect: rest"));
        all.push(("vcenter", keys.clone() + ", dialect: api"));
        all.push((
            "sddc_manager",
            format!(
                "{keys}, {header}, restores: [{}], restores_auth: basic",
                "r-1"
            ),
        ));
    }
    for keys in [
        format!("api_key: {MARK}-key"),
        format!("api_key_file: {key}"),
        format!("token: {MARK}-token"),
        format!("token_file: {token}"),
    ] {
        all.push(("sddc_manager", keys));
    }
    let (credentials, secret) = (file("credentials"), file("hmac"));
    for authorization in [
        format!("{{type: header, credentials: {MARK}-credentials}}"),
        format!("{{type: header, credentials_file: {credentials}}}"),
        format!("{{type: hmac, user_id: u, secret: {MARK}-hmac}}"),
        format!("{{type: hmac, user_id: u, secret_file: {secret}}}"),
    ] {
        all.push((
            "virtshell",
            format!("authorization: {authorization}, {header}"),
        ));
    }
    all
}

/// A configuration with each login at each server, at a proxy and at nobody.
async fn world(scratch: &Scratch) -> Vec<Stub> {
    let (mut stubs, mut places) = (Vec::new(), Vec::new());
    for echo in ECHOES {
        for open in [true, false] {
            let stub = echo.serve(open).await;
            places.push(format!("url: '{}'", stub.url));
            stubs.push(stub);
        }
    }
    places.push("url: 'http://127.0.0.1:1'".to_owned());
    let proxy = Echo::Status("407 Proxy Authentication Required")
        .serve(false)
        .await;
    for url in [proxy.url.as_str(), "http://127.0.0.1:1"] {
        let proxied = url.replace("//", &format!("//u:{MARK}-proxy@"));
        for target in ["http", "https"] {
            places.push(format!(
                "url: '{target}://target.invalid', proxy_url: '{proxied}'"
            ));
        }
    }
    stubs.push(proxy);
    let mut text = "sources:\n".to_owned();
    for (number, (system, keys)) in logins(scratch).into_iter().enumerate() {
        for (at, place) in places.iter().enumerate() {
            let source = format!("name: s{number}-{at}, system: {system}, {place}, {keys}");
            writeln!(text, "  - {{{source}}}").unwrap();
        }
    }
    scratch.write("virt-task-exporter.yml", &text);
    let hash = bcrypt::hash(format!("{MARK}-client"), 4).unwrap();
    scratch.write(
        "web.yml",
        &format!("basic_auth_users: {{alice: '{hash}'}}\n"),
    );
    stubs
}

async fn ask(program: &Program, method: Method, path: &str, password: &str) -> (u16, String) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::builder().no_proxy().timeout(PATIENCE).build();
    let url = format!("http://{}{path}", program.address());
    let request = client.unwrap().request(method, url);
    let answer = request
        .basic_auth("alice", Some(password))
        .send()
        .await
        .unwrap();
    let head = format!("{:?}", answer.headers());
    (
        answer.status().as_u16(),
        head + &answer.text().await.unwrap(),
    )
}

/// All that lies in a folder and below.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            all.push((
                path.display().to_string(),
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
        }
    }
    all
}

#[rstest]
#[case("logfmt")]
#[case("json")]
#[tokio::test]
async fn no_secret_shows_while_serving(#[case] format: &str) {
    let scratch = Scratch::new("");
    let stubs = world(&scratch).await;
    let format = format!("--log.format={format}");
    let arguments = ["--log.level=debug", &format, "--web.config.file=web.yml"];
    let program = scratch.serve(&arguments).await;
    let password = format!("{MARK}-client");
    let ready = async {
        while ask(&program, Method::GET, "/-/ready", &password).await.0 != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready)
        .await
        .expect("every source is tried");
    for path in [
        "/metrics",
        "/metrics?source=s0-0",
        "/sd",
        "/",
        "/-/ready",
        "/-/healthy",
        "/-/reload",
        "/api/v1/status",
        "/api/v1/tasks",
        "/nowhere",
    ] {
        for method in [Method::GET, Method::POST] {
            for password in [&password, &format!("{MARK}-wrong")] {
                let (_, seen) = ask(&program, method.clone(), path, password).await;
                clean(&format!("{method} {path}"), &seen);
            }
        }
    }
    let process = format!("/proc/{}", program.id());
    for file in ["cmdline", "environ"] {
        let bytes = fs::read(format!("{process}/{file}")).unwrap();
        clean(file, &String::from_utf8_lossy(&bytes));
    }
    let children = fs::read_to_string(format!("{process}/task/{}/children", program.id()));
    assert_eq!(children.unwrap_or_default(), "", "it starts nobody");
    program.signal(Signal::TERM);
    let (status, log) = program.over().await;
    assert_eq!(status.code(), Some(0));
    assert!(log.len() > 100, "{log:?}");
    clean("the log", &log.join("\n"));
    for (file, text) in files(&scratch.path("data")) {
        clean(&file, &text);
    }
    // Whom they are meant for has seen them.
    for stub in stubs {
        let told = stub.requests().join("\n");
        assert!(
            needles().iter().any(|needle| told.contains(needle)),
            "{told}"
        );
    }
}

#[rstest]
#[case::check(&["check", "--login"])]
#[case::once(&["once", "--storage.path=ledgers"])]
#[case::table(&["tasks"])]
#[case::object(&["tasks", "--format=json", "--log.format=json"])]
#[tokio::test]
async fn no_secret_shows_in_a_command(#[case] arguments: &[&str]) {
    let scratch = Scratch::new("");
    let _stubs = world(&scratch).await;
    let arguments = [&["--log.level=debug"], arguments].concat();
    let ended = scratch.run(&arguments, &[]).await;
    assert_eq!(ended.status.code(), Some(1));
    for (place, bytes) in [("stdout", ended.stdout), ("stderr", ended.stderr)] {
        assert!(!bytes.is_empty(), "{place}");
        clean(place, &String::from_utf8_lossy(&bytes));
    }
    if scratch.path("ledgers").exists() {
        for (file, text) in files(&scratch.path("ledgers")) {
            clean(&file, &text);
        }
    }
}

#[rstest]
#[case::misspelt("pasword: s3cretive-mark")]
#[case::a_list("password: [s3cretive-mark]")]
#[case::an_object("password: {s3cretive-mark: s3cretive-mark}")]
#[case::twice("password: s3cretive-mark, password: s3cretive-mark")]
#[case::two_ways("token: s3cretive-mark, api_key: s3cretive-mark")]
#[case::no_user("password: s3cretive-mark")]
#[case::in_the_url("url: 'http://u:s3cretive-mark@a.example'")]
#[case::in_a_proxy("proxy_url: 'u:s3cretive-mark@a.example'")]
#[case::in_a_proxy_with_a_path("proxy_url: 'http://u:s3cretive-mark@a.example/path'")]
#[case::in_a_header("http_headers: {X-Key: {secrets: [\"s3cretive-mark\\n\"]}}")]
#[case::as_a_header("http_headers: {'Bearer s3cretive-mark': {values: [x]}}")]
#[case::of_another_system("authorization: {type: header, credentials: s3cretive-mark}")]
#[case::no_yaml("password: \"s3cretive-mark")]
#[tokio::test]
async fn no_secret_shows_in_what_is_wrong_with_a_configuration(#[case] keys: &str) {
    let url = if keys.contains("url: 'http://u:") && !keys.contains("proxy") {
        ""
    } else {
        "url: 'http://a.example', "
    };
    let scratch = Scratch::new(&format!(
        "sources:\n  - {{name: a, system: sddc_manager, {url}{keys}}}\n"
    ));
    for (arguments, code) in [
        (&["check"], 1),
        (&["once"], 2),
        (&["--web.listen-address=127.0.0.1:0"], 2),
    ] {
        let ended = scratch.run(arguments, &[]).await;
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        clean("stderr", &String::from_utf8_lossy(&ended.stderr));
        clean("stdout", &String::from_utf8_lossy(&ended.stdout));
    }
}

#[rstest]
#[case(format!("password={MARK}-inline"))]
#[case(BASE64_STANDARD.encode(format!("u:{MARK}-inline")))]
#[case(BASE64_STANDARD.encode(format!("usr:{MARK}-inline")))]
#[case(BASE64_STANDARD.encode(format!("us:{MARK}-inline")))]
#[should_panic(expected = "is in a log")]
fn a_secret_is_found_in_any_form(#[case] seen: String) {
    clean("a log", &format!("something {seen} else"));
}
