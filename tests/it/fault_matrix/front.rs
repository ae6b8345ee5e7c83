//! What stands between an exporter and its system: a door that may be shut, and a
//! host that is none of theirs.

use std::io::ErrorKind;
use std::net::SocketAddr;

use rcgen::date_time_ymd;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use virt_task_exporter::simulator::FaultKind;

use crate::support::Scratch;
use crate::tls::{Authority, trusting};

/// How a door behaves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Manner {
    Good,
    Refused,
    WrongName,
    Expired,
    Untrusted,
}

/// An https server that hands all requests on to a system.
pub(super) struct Front {
    pub(super) url: String,
    address: SocketAddr,
    system: String,
    trusted: Authority,
    scratch: Scratch,
    running: JoinSet<()>,
}

impl Front {
    pub(super) async fn new(system: &str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut front = Self {
            url: format!("https://{address}"),
            address,
            system: system.strip_prefix("http://").unwrap().to_owned(),
            trusted: Authority::new(),
            scratch: Scratch::new(""),
            running: JoinSet::new(),
        };
        front.open(listener, Manner::Good);
        front
    }

    /// What to configure to trust it.
    pub(super) fn keys(&self) -> String {
        format!("tls_config: {{{}}}", trusting(&self.scratch, &self.trusted))
    }

    /// Hangs up, and behaves otherwise from now on.
    pub(super) async fn turn(&mut self, manner: Manner) {
        self.running.shutdown().await;
        if !matches!(manner, Manner::Refused) {
            let listener = TcpListener::bind(self.address).await.unwrap();
            self.open(listener, manner);
        }
    }

    fn open(&mut self, listener: TcpListener, manner: Manner) {
        let (acceptor, system) = (self.acceptor(manner), self.system.clone());
        self.running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(hand_on(stream, acceptor.clone(), system.clone()));
            }
        });
    }

    fn acceptor(&self, manner: Manner) -> TlsAcceptor {
        let host = "127.0.0.1";
        let identity = match manner {
            Manner::Good | Manner::Refused => self.trusted.sign(host, |_| {}),
            Manner::WrongName => self.trusted.sign("another.example", |_| {}),
            Manner::Expired => self.trusted.sign(host, |params| {
                params.not_before = date_time_ymd(2020, 1, 1);
                params.not_after = date_time_ymd(2021, 1, 1);
            }),
            Manner::Untrusted => Authority::new().sign(host, |_| {}),
        };
        identity.acceptor(ServerConfig::builder().with_no_client_auth())
    }
}

/// Hands one request on, so that the next one comes by another connection.
async fn hand_on(stream: TcpStream, acceptor: TlsAcceptor, system: String) {
    // A client that does not trust us ends the handshake.
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut head = Vec::new();
    let line = loop {
        if let Some(end) = head.windows(2).position(|bytes| bytes == b"\r\n") {
            break end + 2;
        }
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return;
        }
    };
    let (line, rest) = head.split_at(line);
    let head = [line, b"Connection: close\r\n", rest].concat();
    let mut system = TcpStream::connect(system).await.unwrap();
    system.write_all(&head).await.unwrap();
    drop(copy_bidirectional(&mut stream, &mut system).await);
}

/// A host to which no credentials may go, nor anything else.
pub(super) struct Stranger(std::net::TcpListener);

impl Stranger {
    /// The fault, and where it leads if it is a redirect.
    pub(super) fn lure(kind: FaultKind) -> (FaultKind, Self) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/v1/tasks", listener.local_addr().unwrap());
        let kind = match kind {
            FaultKind::Redirect(_) => FaultKind::Redirect(url),
            other => other,
        };
        (kind, Self(listener))
    }

    #[track_caller]
    pub(super) fn met_nobody(&self) {
        let visit = self.0.accept().map_err(|error| error.kind());
        assert!(matches!(visit, Err(ErrorKind::WouldBlock)), "{visit:?}");
    }
}
