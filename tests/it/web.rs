/// Which text a client gets, and how it is coded.
mod formats;
/// What a web configuration may say, and what is refused.
mod rules;
/// Single sources: their metrics alone, and their names to discover.
mod sources;
/// Encrypted connections, and the certificates of both sides.
mod tls;
/// Names, passwords, headers and the rate limit.
mod users;

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_TYPE};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use virt_task_exporter::simulator::{Endpoint, Fault, FaultKind};

use crate::support::{Bench, PATIENCE, Page, Program, Scratch, get, options, task};

async fn program(arguments: &[&str]) -> Program {
    // Nothing listens there: the source is tried and fails.
    Scratch::source("http://127.0.0.1:1", "")
        .serve(arguments)
        .await
}

#[rstest]
#[case("/metrics", 200)]
#[case("/", 200)]
#[case("/-/healthy", 200)]
#[case("/sd", 200)]
#[case("/metrics?source=a", 200)]
#[case("/metrics?source=b", 404)]
#[case("/nowhere", 404)]
#[case("/metrics/", 404)]
#[case("//metrics", 404)]
#[case("/-/", 404)]
#[tokio::test]
async fn head_answers_as_get_without_a_body(#[case] path: &str, #[case] code: u16) {
    let program = program(&[]).await;
    let by_get = program.get(path).await;
    let by_head = get(program.address(), Method::HEAD, path).await;
    assert_eq!(by_get.status(), code);
    assert_eq!(by_head.status(), code);
    assert_eq!(
        by_get.headers()[CONTENT_TYPE],
        by_head.headers()[CONTENT_TYPE]
    );
    assert!(!by_get.text().await.unwrap().is_empty());
    assert!(by_head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn other_methods_are_405_and_told_what_is_allowed() {
    let program = program(&[]).await;
    for path in [
        "/metrics",
        "/metrics?source=a",
        "/sd",
        "/",
        "/-/healthy",
        "/-/ready",
    ] {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
        ] {
            let answer = get(program.address(), method.clone(), path).await;
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()[ALLOW], "GET, HEAD");
        }
    }
    assert_eq!(
        get(program.address(), Method::POST, "/nowhere")
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn ready_comes_with_the_first_try_of_every_source() {
    let mut slow = options();
    slow.clock_skew = None;
    let bench = Bench::real_time(slow).await;
    bench
        .sim
        .inject(Fault::new(Endpoint::Any, FaultKind::SlowHead(PATIENCE)));
    let login = "system: sddc_manager, username: u, password: p, poll_interval: 100ms";
    let text = format!(
        "sources:\n  - {{name: slow, url: '{}', {login}}}\n  - {{name: dead, url: 'http://127.0.0.1:1', {login}}}\n",
        bench.url
    );
    let program = Scratch::new(&text).serve(&[]).await;
    let dead_tried = |page: &Page| {
        page.metric("virt_source_up").with("source", "dead").sum() < 0.5
            && page
                .metric("virt_source_poll_failures_total")
                .with("source", "dead")
                .sum()
                > 0.5
    };
    program.scraped("the dead one's try", dead_tried).await;
    let answer = program.get("/-/ready").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.unwrap().contains("slow"));
    assert_eq!(program.get("/-/healthy").await.status(), 200);
    // A try that fails is a try.
    drop(bench);
    let waiting = async {
        while program.get("/-/ready").await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("ready after both were tried");
}

#[tokio::test]
async fn silent_and_slow_clients_block_nobody() {
    let program = program(&[]).await;
    let mut silent = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        if number % 2 == 0 {
            stream
                .write_all(b"GET /metrics HTTP/1.1\r\nHo")
                .await
                .unwrap();
        }
        silent.push(stream);
    }
    for _ in 0..5 {
        program.scrape().await;
    }
    drop(silent);
    assert_eq!(program.get("/-/healthy").await.status(), 200);
}

#[rstest]
#[case::none("HTTP/1.1\r\n", 400)]
#[case::one("HTTP/1.1\r\nHost: x\r\n", 200)]
#[case::an_empty_one("HTTP/1.1\r\nHost:\r\n", 200)]
#[case::two("HTTP/1.1\r\nHost: x\r\nHost: y\r\n", 400)]
#[case::none_in_1_0("HTTP/1.0\r\n", 200)]
#[tokio::test]
async fn a_request_says_for_which_host_it_is(#[case] head: &str, #[case] code: u16) {
    let program = program(&[]).await;
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let request = format!("GET /metrics {head}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap();
    assert_eq!(status, code.to_string(), "{answer}");
}

#[rstest]
#[case::no_request(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")]
#[case::no_version(b"GET /\r\n\r\n")]
#[case::bad_header(b"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n")]
#[case::two_lengths(
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
)]
#[tokio::test]
async fn nonsense_is_refused_and_the_next_client_served(#[case] request: &[u8]) {
    let program = program(&[]).await;
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A reset is a refusal too.
    let read = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        read.is_err() || answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
    assert_eq!(program.get("/-/healthy").await.status(), 200);
}

/// Asks, and reads the status of the answer and no more.
async fn begun(program: &Program, path: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    let status = first.last_chunk::<3>().unwrap();
    (String::from_utf8_lossy(status).into_owned(), stream)
}

#[tokio::test]
async fn clients_that_read_nothing_keep_no_scrape_out() {
    // A page too large for the buffers of a socket whose client does not read.
    let mut real = options();
    real.clock_skew = None;
    let bench = Bench::real_time(real).await;
    for number in 0..20_000 {
        let name = "x".repeat(150);
        let mut task = task(&format!("{number}-{}", "i".repeat(150)));
        task.name = name;
        bench.sim.add(task);
    }
    // Read once, so that what is measured has the machine for itself.
    let keys = "password: VMware123!, poll_interval: 1h, stale_after: 3h, max_open_tasks: 20000";
    let url = &bench.url;
    let scratch = Scratch::new(&format!(
        "sources: [{{name: a, system: sddc_manager, url: '{url}', username: administrator@vsphere.local, {keys}}}]\n"
    ));
    let program = scratch.serve(&["--web.max-requests=2"]).await;
    let full = async {
        loop {
            let length = program.get("/metrics").await.bytes().await.unwrap().len();
            if length > 10_000_000 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, full)
        .await
        .expect("a large page");
    let mut held = Vec::new();
    for path in ["/metrics", "/api/v1/tasks"] {
        let clients = (0..8).map(|_| begun(&program, path));
        held.extend(join_all(clients).await);
    }
    assert_eq!(program.get("/metrics").await.status(), 200);
    // The text of a scrape is there once; those of tasks are as many as clients.
    let (scrapes, tasks) = held.split_at(8);
    let refused = |held: &[(String, TcpStream)]| {
        let refused = held.iter().filter(|(status, _)| status == "503");
        refused.count()
    };
    assert_eq!(refused(scrapes), 0);
    assert!((1..8).contains(&refused(tasks)), "{}", refused(tasks));
    drop(held);
    let free = async {
        while begun(&program, "/api/v1/tasks").await.0 != "200" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, free)
        .await
        .expect("room again");
}
