use std::sync::Arc;

use futures_util::FutureExt as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rstest::rstest;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{WantsServerCert, WebPkiClientVerifier};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use virt_task_exporter::sources::Reason;

use crate::support::{HeldClock, Scratch, Stub, Watch, answer, json};

/// An authority that signs what a test needs.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { certificate, key }
    }
}

impl Identity {
    /// A server's end of TLS that shows it.
    pub(crate) fn acceptor(
        &self,
        builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    ) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let chain = vec![self.certificate.der().clone()];
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))
    }
}

/// An https server that lists nothing.
struct Server {
    url: String,
    _running: JoinSet<()>,
}

impl Server {
    /// One that asks for a certificate of `clients`, if there is such an authority.
    async fn new(identity: &Identity, clients: Option<&Authority>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = match clients {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(CertificateDer::from(authority.0.der().to_vec()))
                    .unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots))
                    .build()
                    .unwrap();
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let acceptor = identity.acceptor(builder);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // A client that does not trust us ends the handshake.
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut request = [0; 8192];
                    drop(stream.read(&mut request).await);
                    let page = json(r#"{"accessToken":"t","elements":[]}"#);
                    drop(stream.write_all(&page).await);
                    drop(stream.shutdown().await);
                });
            }
        });
        Self {
            url,
            _running: running,
        }
    }
}

/// The reason why polling fails, or nothing.
async fn polled(url: &str, tls: &str) -> Option<Reason> {
    let keys = format!("tls_config: {{{tls}}}");
    let mut watch = Watch::new(url, &keys, HeldClock::new().clock());
    let page = watch.page();
    page.metric("virt_source_up").is_absent();
    match watch.try_poll().await {
        Ok(()) => None,
        Err(error) => {
            watch
                .page()
                .metric("virt_source_poll_failures_total")
                .with("reason", error.reason())
                .is(1);
            Some(error.reason)
        }
    }
}

pub(crate) fn trusting(scratch: &Scratch, authority: &Authority) -> String {
    format!(
        "ca_file: {}",
        scratch.write("ca.pem", &authority.0.pem()).display()
    )
}

#[tokio::test]
async fn a_server_of_the_given_authority_is_trusted_and_no_other() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::new(&authority.sign("127.0.0.1", |_| {}), None).await;
    let scratch = Scratch::new("");
    assert_eq!(
        polled(&server.url, &trusting(&scratch, &authority)).await,
        None
    );
    assert_eq!(
        polled(&server.url, &trusting(&scratch, &other)).await,
        Some(Reason::Tls)
    );
    assert_eq!(polled(&server.url, "").await, Some(Reason::Tls));
    assert_eq!(
        polled(&server.url, "insecure_skip_verify: true").await,
        None
    );
}

#[tokio::test]
async fn the_name_is_the_hosts_or_the_one_given() {
    let authority = Authority::new();
    let server = Server::new(&authority.sign("sddc.example", |_| {}), None).await;
    let scratch = Scratch::new("");
    let ca = trusting(&scratch, &authority);
    assert_eq!(polled(&server.url, &ca).await, Some(Reason::Tls));
    assert_eq!(
        polled(&server.url, &format!("{ca}, server_name: sddc.example")).await,
        None
    );
    let wrong = format!("{ca}, server_name: other.example");
    assert_eq!(polled(&server.url, &wrong).await, Some(Reason::Tls));
}

#[tokio::test]
async fn a_server_name_sends_nothing_to_another_host() {
    let stub = Stub::new(|_| json(r#"{"elements":[]}"#)).await;
    let other = stub.url.replace("127.0.0.1", "127.0.0.2");
    let port = other.rsplit(':').next().unwrap();
    let listener = TcpListener::bind(format!("127.0.0.2:{port}"))
        .await
        .unwrap();
    // Nothing is encrypted, so there is no certificate to check.
    assert_eq!(polled(&stub.url, "server_name: 127.0.0.2").await, None);
    assert_eq!(polled(&stub.url, "server_name: other.example").await, None);
    assert!(listener.accept().now_or_never().is_none());
    assert!(!stub.requests().is_empty());
}

#[rstest]
#[case::address("server_name: 127.0.0.2", "", "must be a host name")]
#[case::short_address("server_name: '127.2'", "", "must be a host name")]
#[case::proxy(
    "server_name: a.example",
    "proxy_url: 'http://127.0.0.1:1'",
    "proxy_url"
)]
#[tokio::test]
async fn a_server_name_that_somebody_else_would_look_for_is_refused(
    #[case] tls: &str,
    #[case] proxy: &str,
    #[case] rule: &str,
) {
    let source = "name: a, system: virtshell, url: 'https://vs.example'";
    let scratch = Scratch::new(&format!(
        "sources:\n  - {{{source}, tls_config: {{{tls}}}, {proxy}}}\n"
    ));
    let ended = scratch.run(&["check"], &[]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("tls_config.server_name"), "{said}");
    assert!(said.contains(rule), "{said}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let expired = authority.sign("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let server = Server::new(&expired, None).await;
    let scratch = Scratch::new("");
    assert_eq!(
        polled(&server.url, &trusting(&scratch, &authority)).await,
        Some(Reason::Tls)
    );
    assert_eq!(
        polled(&server.url, "insecure_skip_verify: true").await,
        None
    );
}

#[tokio::test]
async fn we_identify_ourselves_where_a_certificate_is_asked_for() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = Server::new(&authority.sign("127.0.0.1", |_| {}), Some(&clients)).await;
    let scratch = Scratch::new("");
    let ca = trusting(&scratch, &authority);
    let identified = |identity: &Identity| {
        let cert = scratch.write("cert.pem", &identity.certificate.pem());
        let key = scratch.write("key.pem", &identity.key.serialize_pem());
        format!(
            "{ca}, cert_file: {}, key_file: {}",
            cert.display(),
            key.display()
        )
    };
    let ours = identified(&clients.sign("exporter", |_| {}));
    assert_eq!(polled(&server.url, &ours).await, None);
    let stranger = identified(&authority.sign("exporter", |_| {}));
    assert_eq!(polled(&server.url, &stranger).await, Some(Reason::Tls));
    assert_eq!(polled(&server.url, &ca).await, Some(Reason::Tls));
}

#[tokio::test]
async fn plain_http_is_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let mut running = JoinSet::new();
    running.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let refusal = answer("400 Bad Request", "", "speak HTTP");
            drop(stream.write_all(&refusal).await);
            drop(stream.read(&mut [0; 8192]).await);
        }
    });
    let reason = polled(&url, "insecure_skip_verify: true").await;
    assert_eq!(reason, Some(Reason::Tls));
}
