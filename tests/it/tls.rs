use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, pki_types::PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use virt_task_exporter::sources::Reason;

use crate::support::{HeldClock, Scratch, Watch, json};

/// A certificate authority of our own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
struct Certificate {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certificate { certificate, key }
    }

    fn pem(&self) -> String {
        self.0.pem()
    }
}

/// Serves an empty task list by HTTPS; with `clients`, to those alone that have
/// a certificate of that authority.
async fn serve(certificate: Certificate, clients: Option<&Authority>) -> (u16, JoinSet<()>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let builder = ServerConfig::builder();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots));
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(certificate.key.serialize_der()).unwrap();
    let chain = vec![certificate.certificate.der().clone()];
    let config = builder.with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = acceptor.accept(stream);
            connections.spawn(async move {
                let Ok(mut stream) = accepted.await else {
                    return;
                };
                let mut head = [0; 16 * 1024];
                if let Ok(read @ 1..) = stream.read(&mut head).await {
                    let login = head[..read].starts_with(b"POST");
                    let body = if login {
                        r#"{"accessToken":"opaque"}"#
                    } else {
                        r#"{"elements":[]}"#
                    };
                    drop(stream.write_all(&json(body)).await);
                    drop(stream.shutdown().await);
                }
            });
        }
    });
    (port, server)
}

/// Polls `https://HOST:PORT` once with these `tls_config` keys; the reason if it failed.
async fn poll(host: &str, port: u16, keys: &str) -> Option<Reason> {
    let keys = format!("tls_config: {{{keys}}}\n");
    let url = format!("https://{host}:{port}");
    // A certificate's dates are compared with the system's clock.
    let mut watch = Watch::new(&url, &keys, HeldClock::new().clock());
    watch.try_poll().await.err().map(|error| error.reason)
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.issue("localhost", |_| {}), None).await;
    let scratch = Scratch::new("");
    let file = scratch.write("ca.pem", &authority.pem());
    let keys = format!("ca_file: {}", file.display());
    assert_eq!(poll("localhost", port, &keys).await, None);
}

#[tokio::test]
async fn an_untrusted_authority_is_refused_unless_checking_is_off() {
    let (port, _server) = serve(Authority::new().issue("localhost", |_| {}), None).await;
    let scratch = Scratch::new("");
    let other = scratch.write("ca.pem", &Authority::new().pem());
    let keys = format!("ca_file: {}", other.display());
    assert_eq!(poll("localhost", port, &keys).await, Some(Reason::Tls));
    assert_eq!(
        poll("localhost", port, "insecure_skip_verify: true").await,
        None
    );
}

#[tokio::test]
async fn another_name_is_refused_unless_it_is_the_configured_one() {
    let authority = Authority::new();
    let certificate = authority.issue("sfo-vcf01.rainpole.io", |_| {});
    let (port, _server) = serve(certificate, None).await;
    let scratch = Scratch::new("");
    let file = scratch.write("ca.pem", &authority.pem());
    let keys = format!("ca_file: {}", file.display());
    assert_eq!(poll("localhost", port, &keys).await, Some(Reason::Tls));
    assert_eq!(poll("127.0.0.1", port, &keys).await, Some(Reason::Tls));
    let named = format!("{keys}, server_name: sfo-vcf01.rainpole.io");
    assert_eq!(poll("localhost", port, &named).await, None);
    assert_eq!(poll("127.0.0.1", port, &named).await, None);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let expired = authority.issue("localhost", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let (port, _server) = serve(expired, None).await;
    let scratch = Scratch::new("");
    let file = scratch.write("ca.pem", &authority.pem());
    let keys = format!("ca_file: {}", file.display());
    assert_eq!(poll("localhost", port, &keys).await, Some(Reason::Tls));
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_wanted() {
    let authority = Authority::new();
    let certificate = authority.issue("localhost", |_| {});
    let (port, _server) = serve(certificate, Some(&authority)).await;
    let client = authority.issue("exporter", |_| {});
    let scratch = Scratch::new("");
    let ca = scratch.write("ca.pem", &authority.pem());
    let certificate = scratch.write("client.pem", &client.certificate.pem());
    let key = scratch.write("client.key", &client.key.serialize_pem());
    let keys = format!("ca_file: {}", ca.display());
    assert_ne!(poll("localhost", port, &keys).await, None);
    let keys = format!(
        "{keys}, cert_file: {}, key_file: {}",
        certificate.display(),
        key.display()
    );
    assert_eq!(poll("localhost", port, &keys).await, None);
}
