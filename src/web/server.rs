//! The HTTP/1 server: accepting, limits and the clean stop.
//!
//! It knows nothing of what is served, so the simulator stands on it too.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::Full;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::deadline::Deadline;
use super::seats::{Guest, Seats};
use crate::panics::{caught, caught_in};

/// A body that is whole, or comes in pieces and may break off.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A body that is known at once.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// What one listener bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; for a further one the one that is waited for longest is closed.
    pub connections: usize,
    /// How long a client may be silent, slow with its headers, or not read.
    pub patience: Duration,
    /// How long requests under way may take after the stop was asked for.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            patience: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Whether connections are encrypted, and how.
pub trait Secure: Clone + Send + Sync + 'static {
    /// TLS for the next connection; `None` for plain HTTP, and an error if it
    /// is to be refused.
    fn encryption(&self) -> impl Future<Output = io::Result<Option<Arc<ServerConfig>>>> + Send;
}

/// No connection is encrypted.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Secure for Plain {
    async fn encryption(&self) -> io::Result<Option<Arc<ServerConfig>>> {
        Ok(None)
    }
}

/// Answers the requests of one listener in plain HTTP, as [`serve_secure`].
pub async fn serve<A, F>(listener: TcpListener, answer: A, limits: Limits, stop: CancellationToken)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    serve_secure(listener, Plain, answer, limits, stop).await;
}

/// Answers the requests of one listener until `stop` is cancelled, then lets
/// the requests under way end within [`Limits::grace`].
pub async fn serve_secure<S, A, F>(
    listener: TcpListener,
    secure: S,
    answer: A,
    limits: Limits,
    stop: CancellationToken,
) where
    S: Secure,
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let seats = Seats::new(limits.connections);
    let mut connections = JoinSet::new();
    // It is kept here while it waits for a place, as whatever else happens
    // meanwhile gives the waiting up.
    let mut accepted = None;
    loop {
        let guest = tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            stream = accept(&listener), if accepted.is_none() => {
                accepted = Some(stream);
                continue;
            }
            guest = seats.take(), if accepted.is_some() => guest,
        };
        let Some(stream) = accepted.take() else {
            continue;
        };
        let (secure, answer, stop) = (secure.clone(), answer.clone(), stop.clone());
        connections.spawn(async move {
            let served = connection(stream, &secure, answer, (limits, &guest), stop);
            tokio::select! {
                served = served => if let Err(error) = served {
                    debug!(%error, "a connection was refused");
                },
                () = guest.is_sent_away() => debug!("a connection gave way to another one"),
            }
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.grace, drained).await.is_err() {
        warn!("requests under way were cut off at the end of the grace period");
    }
}

/// The next connection; a slot for it is held by the caller.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    debug!(%error, "cannot set TCP_NODELAY");
                }
                return stream;
            }
            Err(error) => {
                // Out of descriptors, most likely: accepting again at once would spin.
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves one connection to its end, encrypted or not.
async fn connection<T, S, A, F>(
    stream: T,
    secure: &S,
    answer: A,
    (limits, guest): (Limits, &Guest),
    stop: CancellationToken,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send,
    S: Secure,
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // hyper bounds reading a head, and nothing bounds a client that never reads its answer.
    let stream = Deadline::new(stream, limits.patience, guest.place().clone());
    let opened = tokio::select! {
        opened = tokio::time::timeout(HANDSHAKE, open(stream, secure)) => opened??,
        () = stop.cancelled() => return Ok(()),
    };
    speak(opened, answer, (limits, guest), stop).await;
    Ok(())
}

/// The connection as HTTP is spoken over it.
async fn open<T, S>(stream: T, secure: &S) -> io::Result<Either<T, Box<TlsStream<T>>>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send,
    S: Secure,
{
    let Some(tls) = secure.encryption().await? else {
        return Ok(Either::Left(stream));
    };
    let stream = TlsAcceptor::from(tls).accept(stream).await?;
    Ok(Either::Right(Box::new(stream)))
}

/// Speaks HTTP/1 until the connection ends.
async fn speak<T, A, F>(
    stream: T,
    answer: A,
    (limits, guest): (Limits, &Guest),
    stop: CancellationToken,
) where
    T: AsyncRead + AsyncWrite + Unpin + Send,
    A: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let service = service_fn(|mut request: Request<Incoming>| {
        guest.place().is_served();
        request.extensions_mut().insert(guest.place().clone());
        // A panic costs no more than the answer.
        let response = caught(|| answer(request));
        async move {
            let response = match response {
                Ok(response) => caught_in(response).await,
                Err(panic) => Err(panic),
            };
            let response = response.unwrap_or_else(|_logged| broken());
            guest.place().is_answered();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.patience)
        .max_headers(64)
        .max_buf_size(64 * 1024)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

/// The answer where making one panicked.
fn broken() -> Response<Body> {
    let mut response = Response::new(full("The answer could not be made\n"));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

#[cfg(test)]
mod tests;
