use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{PATIENCE, Program, Scratch};

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

async fn program() -> Program {
    Scratch::source("http://127.0.0.1:1", "").serve(&[]).await
}

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.address()).await.unwrap()
}

/// Connections that sent these bytes and stay.
async fn held(program: &Program, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = connect(program).await;
        stream.write_all(bytes).await.unwrap();
        held.push(stream);
    }
    held
}

/// A scrape is answered before bad clients are let go, which is after 30 s.
async fn serves(program: &Program) {
    let scrape = tokio::time::timeout(PATIENCE / 4, program.scrape());
    scrape.await.expect("a scrape in time");
}

#[tokio::test]
async fn five_hundred_idle_connections_stop_no_scrape() {
    let program = program().await;
    let _idle = held(&program, 500, b"").await;
    serves(&program).await;
}

#[tokio::test]
async fn half_heads_stop_no_scrape() {
    let program = program().await;
    let _slow = held(&program, 300, b"GET /metrics HTTP/1.1\r\nX: ").await;
    let _bodies = held(
        &program,
        100,
        b"POST /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
    )
    .await;
    serves(&program).await;
}

#[tokio::test]
async fn clients_that_read_no_answer_stop_no_scrape() {
    let program = program().await;
    let _unread = held(&program, 100, GET).await;
    serves(&program).await;
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_turn() {
    let program = program().await;
    let mut stream = connect(&program).await;
    let healthy = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let together = [healthy.repeat(20), last.to_vec()].concat();
    stream.write_all(&together).await.unwrap();
    let mut answers = String::new();
    let read = stream.read_to_string(&mut answers);
    tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 20);
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 1);
    assert!(answers.rfind("404").unwrap() > answers.rfind("200 OK").unwrap());
}

#[tokio::test]
async fn many_at_once_are_all_answered() {
    let program = program().await;
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let mut stream = connect(&program).await;
        clients.spawn(async move {
            let request = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        });
    }
    let all = tokio::time::timeout(PATIENCE, clients.join_all()).await;
    for answer in all.expect("all answers") {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn bad_clients_do_not_hold_up_the_end() {
    let program = program().await;
    let _idle = held(&program, 50, b"").await;
    let _slow = held(&program, 50, b"GET /metrics HTTP/1.1\r\nX: ").await;
    let _unread = held(&program, 50, GET).await;
    serves(&program).await;
    program.signal(Signal::TERM);
    let over = tokio::time::timeout(PATIENCE / 3, program.over());
    let (status, log) = over.await.expect("the end in time");
    assert_eq!(status.code(), Some(0), "{log:?}");
}
