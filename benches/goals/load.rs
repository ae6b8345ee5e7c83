//! Clients that ask one after the other, as fast as they are answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use tokio::time::Instant;

use super::Result;

/// What clients saw.
pub(super) struct Seen {
    /// Answers a second.
    pub(super) rate: f64,
    /// The time that 99 of 100 answers stayed below.
    pub(super) p99: Duration,
    /// Bytes of an answer's body.
    pub(super) bytes: usize,
}

/// Asks for a path over some connections for a while.
pub(super) fn load(address: &str, path: &str, span: Duration) -> Result<Seen> {
    const CLIENTS: usize = 4;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let began = Instant::now();
    let seen = std::thread::scope(|scope| {
        let clients =
            [(); CLIENTS].map(|()| scope.spawn(|| client(address, &request, began + span)));
        let joined = clients.into_iter().map(|client| {
            let seen = client.join().map_err(|_panic| "a client panicked")?;
            seen.map_err(|error| error.to_string().into())
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let bytes = seen.first().map_or(0, |(_, bytes)| *bytes);
    let mut times: Vec<_> = seen.into_iter().flat_map(|(times, _)| times).collect();
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied();
    Ok(Seen {
        rate: times.len() as f64 / seconds,
        p99: p99.ok_or("no answers")?,
        bytes,
    })
}

type Error = Box<dyn std::error::Error + Send + Sync>;

fn client(
    address: &str,
    request: &str,
    until: Instant,
) -> std::result::Result<(Vec<Duration>, usize), Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 20];
    let (mut times, mut bytes) = (Vec::new(), 0);
    while Instant::now() < until {
        let began = Instant::now();
        stream.write_all(request.as_bytes())?;
        bytes = answer(&mut stream, &mut buffer)?;
        times.push(began.elapsed());
    }
    Ok((times, bytes))
}

/// Reads an answer to its end, and returns the length of its body.
fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> std::result::Result<usize, Error> {
    let mut head = Vec::new();
    let (length, mut rest) = loop {
        let read = stream.read(buffer)?;
        head.extend(buffer.get(..read).ok_or("no bytes")?);
        if read == 0 {
            return Err("the connection was closed".into());
        }
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if let Some(end) = end {
            let text = String::from_utf8_lossy(head.get(..end).ok_or("no head")?).to_lowercase();
            let mut lines = text.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("no length")?.trim().parse()?;
            break (length, (length + end + 4) - head.len());
        }
    };
    while rest > 0 {
        let most = rest.min(buffer.len());
        let read = stream.read(buffer.get_mut(..most).ok_or("no room")?)?;
        if read == 0 {
            return Err("the answer is cut off".into());
        }
        rest -= read;
    }
    Ok(length)
}
