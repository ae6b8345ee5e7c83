//! Who is notified by Alertmanager.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// One message to a webhook, as Alertmanager's documentation has it (version 4).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Notification {
    pub(crate) status: String,
    #[serde(rename = "groupLabels")]
    pub(crate) group: BTreeMap<String, String>,
    pub(crate) alerts: Vec<Alert>,
}

/// One alert in a message.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Alert {
    pub(crate) status: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A webhook that keeps what it is told.
#[derive(Debug)]
pub(crate) struct Receiver {
    address: String,
    received: Arc<Mutex<Vec<Notification>>>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let received = Arc::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::clone(&received)));
        Self {
            address,
            received,
            _server: server,
        }
    }

    /// Where it listens, `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// All that it was told, in order.
    pub(crate) fn received(&self) -> Vec<Notification> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Vec<Notification>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        connections.spawn(async move {
            let answer = service_fn(|request| take(request, &received));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
            // A sender that goes away has said what it wanted.
            drop(connection.await);
        });
    }
}

async fn take(
    request: Request<Incoming>,
    received: &Mutex<Vec<Notification>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let notification = serde_json::from_slice(&body).unwrap();
    received.lock().unwrap().push(notification);
    Ok(Response::default())
}
