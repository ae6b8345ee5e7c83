//! Whoever was let in is answered, whatever becomes of others.

use super::*;

const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

/// The beginning of the next answer.
async fn status(client: &mut TcpStream) -> String {
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(10), client.read_exact(&mut answer));
    read.await.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn who_was_let_in_keeps_waiting_while_another_one_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let asked = Arc::new(tokio::sync::Notify::new());
    let asks = Arc::clone(&asked);
    let answer = move |request: Request<Incoming>| {
        let asks = Arc::clone(&asks);
        async move {
            if request.uri().path() == "/wait" {
                asks.notify_one();
                std::future::pending::<()>().await;
            }
            Response::new(full("x"))
        }
    };
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let mut server = JoinSet::new();
    server.spawn(serve(listener, answer, limits, stop.clone()));
    // Which of two things is seen first is a matter of luck.
    for _ in 0..30 {
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(WAIT).await.unwrap();
        asked.notified().await;
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(GET).await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        drop(first);
        assert_eq!(status(&mut second).await, "HTTP/1.1 200");
    }
    stop.cancel();
    server.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_costs_one_answer_and_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let answer = |request: Request<Incoming>| {
        assert_ne!(request.method(), "PUT", "scripted");
        async move {
            assert_ne!(request.method(), "POST", "scripted");
            Response::new(full(""))
        }
    };
    let mut server = JoinSet::new();
    server.spawn(serve(listener, answer, Limits::default(), stop.clone()));
    for method in ["PUT", "POST"] {
        let mut other = TcpStream::connect(address).await.unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let bad = format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n");
        client.write_all(bad.as_bytes()).await.unwrap();
        assert_eq!(status(&mut client).await, "HTTP/1.1 500");
        other.write_all(GET).await.unwrap();
        assert_eq!(status(&mut other).await, "HTTP/1.1 200");
    }
    stop.cancel();
    server.join_next().await.unwrap().unwrap();
}
