//! Clients that behave badly, in a time that passes at once.

mod others;

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/// Longer than anybody is waited for.
const AGES: Duration = Duration::from_secs(3600);

/// How a connection went.
#[derive(Debug)]
struct Held {
    took: Duration,
    answers: usize,
}

/// Serves one connection whose answers have so many bytes to `client`, who
/// never hangs up, and says how long that took.
async fn served<S: Secure>(
    size: usize,
    secure: S,
    client: impl AsyncFnOnce(&mut DuplexStream),
) -> Held {
    let (mut near, far) = duplex(1024);
    let answers = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answers);
    let answer = move |_: Request<Incoming>| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { Response::new(full(vec![b'x'; size])) }
    };
    let guest = Seats::new(1).take().await;
    let began = Instant::now();
    let connection = connection(
        far,
        &secure,
        answer,
        (Limits::default(), &guest),
        CancellationToken::new(),
    );
    let connection = async {
        // One that is never let go is a failure, and not for ever.
        drop(tokio::time::timeout(AGES, connection).await);
        began.elapsed()
    };
    let (took, ()) = tokio::join!(connection, client(&mut near));
    Held {
        took,
        answers: answers.load(Ordering::Relaxed),
    }
}

async fn plain(size: usize, client: impl AsyncFnOnce(&mut DuplexStream)) -> Held {
    served(size, Plain, client).await
}

#[track_caller]
fn let_go(held: &Held, seconds: u64) {
    assert!(held.took <= Duration::from_secs(seconds), "{held:?}");
}

/// Reads all that comes, until the other side hangs up.
async fn read_on(stream: &mut DuplexStream) -> Vec<u8> {
    let mut read = Vec::new();
    // An error is the end, too.
    drop(stream.read_to_end(&mut read).await);
    read
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_let_go() {
    let held = plain(1, async |_| {}).await;
    let_go(&held, 30);
    assert_eq!(held.answers, 0);
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_head_byte_by_byte_is_let_go() {
    let held = plain(1, async |stream| {
        stream.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    })
    .await;
    let_go(&held, 30);
    assert_eq!(held.answers, 0);
}

#[tokio::test(start_paused = true)]
async fn who_never_reads_the_answer_is_let_go() {
    let held = plain(1_000_000, async |stream| {
        stream.write_all(GET).await.unwrap();
    })
    .await;
    let_go(&held, 31);
    assert_eq!(held.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn who_reads_the_answer_drop_by_drop_is_let_go() {
    let held = plain(1_000_000, async |stream| {
        stream.write_all(GET).await.unwrap();
        let mut some = [0; 512];
        while stream.read(&mut some).await.is_ok_and(|read| read > 0) {
            sleep(Duration::from_secs(5)).await;
        }
    })
    .await;
    let_go(&held, 36);
}

#[tokio::test(start_paused = true)]
async fn who_asks_on_and_on_and_reads_nothing_is_let_go() {
    let held = plain(
        10_000,
        async |stream| {
            while stream.write_all(GET).await.is_ok() {}
        },
    )
    .await;
    let_go(&held, 31);
    assert_eq!(held.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn who_stays_after_an_answer_is_let_go() {
    let held = plain(10, async |stream| {
        stream.write_all(GET).await.unwrap();
        read_on(stream).await;
    })
    .await;
    let_go(&held, 31);
    assert_eq!(held.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn who_never_sends_the_body_is_answered_and_let_go() {
    let held = plain(10, async |stream| {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let answer = read_on(stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 200"));
    })
    .await;
    let_go(&held, 31);
    assert_eq!(held.answers, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_but_in_time_gets_all() {
    let mut got = Vec::new();
    let held = plain(100_000, async |stream| {
        stream
            .write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n")
            .await
            .unwrap();
        sleep(Duration::from_secs(20)).await;
        stream.write_all(b"\r\n").await.unwrap();
        sleep(Duration::from_secs(20)).await;
        got = read_on(stream).await;
    })
    .await;
    assert_eq!(held.answers, 1);
    assert!(got.ends_with(&b"x".repeat(100_000)));
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_refused_at_once() {
    let held = plain(1, async |stream| {
        let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000));
        // The other side does not read to the end.
        drop(stream.write_all(head.as_bytes()).await);
        let answer = read_on(stream).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    })
    .await;
    let_go(&held, 1);
    assert_eq!(held.answers, 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_of_too_many_lines_is_refused_at_once() {
    let held = plain(1, async |stream| {
        let head = format!("GET / HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(65));
        stream.write_all(head.as_bytes()).await.unwrap();
        assert!(read_on(stream).await.starts_with(b"HTTP/1.1 431"));
    })
    .await;
    let_go(&held, 1);
    assert_eq!(held.answers, 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_with_one_half_is_let_go_at_once() {
    let held = plain(10, async |stream| {
        stream.write_all(GET).await.unwrap();
        stream.shutdown().await.unwrap();
        read_on(stream).await;
    })
    .await;
    let_go(&held, 1);
}

/// Encrypts with a certificate of its own.
#[derive(Clone)]
struct Tls(Arc<ServerConfig>);

impl Tls {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key);
        Self(Arc::new(config.unwrap()))
    }
}

impl Secure for Tls {
    async fn encryption(&self) -> io::Result<Option<Arc<ServerConfig>>> {
        Ok(Some(Arc::clone(&self.0)))
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stalls_is_given_up() {
    // The beginning of a record that says hello, and what plain HTTP looks like.
    for hello in [b"".as_slice(), b"\x16\x03\x01\x02\x00\x01"] {
        let held = served(1, Tls::new(), async |stream| {
            stream.write_all(hello).await.unwrap();
        })
        .await;
        let_go(&held, 5);
        assert_eq!(held.answers, 0);
    }
    let held = served(1, Tls::new(), async |stream| {
        stream.write_all(GET).await.unwrap();
    })
    .await;
    let_go(&held, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_who_says_nothing() {
    let (_near, far) = duplex(1024);
    let stop = CancellationToken::new();
    let answer = |_: Request<Incoming>| async { Response::new(full("x")) };
    let began = Instant::now();
    let guest = Seats::new(1).take().await;
    let limits = (Limits::default(), &guest);
    let served = connection(far, &Plain, answer, limits, stop.clone());
    let stopped = async {
        sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(served, stopped);
    ended.unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let answer = |_: Request<Incoming>| async { Response::new(full("x")) };
    let limits = Limits {
        connections: 20,
        ..Limits::default()
    };
    let mut server = JoinSet::new();
    server.spawn(serve(listener, answer, limits, stop.clone()));
    let mut crowd = Vec::new();
    for _ in 0..60 {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(GET).await.unwrap();
        let mut answer = [0; 12];
        let read = client.read_exact(&mut answer);
        tokio::time::timeout(Duration::from_secs(25), read)
            .await
            .expect("an answer before the crowd is let go")
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    stop.cancel();
    server.join_next().await.unwrap().unwrap();
}

/// Serves answers of so many bytes to this many connections at once.
async fn crowded(connections: usize, size: usize) -> (JoinSet<()>, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bytes = Bytes::from(vec![b'x'; size]);
    let answer = move |_: Request<Incoming>| {
        let body = full(bytes.clone());
        async move { Response::new(body) }
    };
    let limits = Limits {
        connections,
        ..Limits::default()
    };
    let mut server = JoinSet::new();
    server.spawn(serve(listener, answer, limits, CancellationToken::new()));
    (server, address)
}

/// Asks, and reads so much of the answer.
async fn begun(address: std::net::SocketAddr, most: usize) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(GET).await.unwrap();
    let mut read = vec![0; most];
    client.read_exact(&mut read).await.unwrap();
    client
}

#[tokio::test]
async fn a_crowd_that_says_nothing_ends_no_answer_in_the_middle() {
    const SIZE: usize = 30_000_000;
    let (_server, address) = crowded(20, SIZE).await;
    let mut reader = begun(address, 12).await;
    let mut crowd = Vec::new();
    for _ in 0..60 {
        crowd.push(TcpStream::connect(address).await.unwrap());
    }
    // Behind all of them.
    let _last = begun(address, 12).await;
    let mut rest = vec![0; SIZE];
    let read = reader.read_exact(&mut rest);
    let read = tokio::time::timeout(Duration::from_secs(25), read).await;
    read.expect("an answer in time").expect("the whole answer");
}

#[tokio::test]
async fn who_has_his_answer_reads_no_more() {
    let (_server, address) = crowded(2, 1).await;
    let mut first = begun(address, 12).await;
    let _silent = TcpStream::connect(address).await.unwrap();
    let _last = begun(address, 12).await;
    let mut rest = Vec::new();
    let read = first.read_to_end(&mut rest);
    let read = tokio::time::timeout(Duration::from_secs(25), read).await;
    drop(read.expect("the end of who is waited for longest"));
}
