use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use reqwest::{Certificate, Client, Identity};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Program, Scratch};

/// The rules of a server that identifies itself.
const SERVER: &str = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";

/// Two authorities, and a folder with the files of a server of the first.
struct Ground {
    scratch: Scratch,
    ours: CertifiedIssuer<'static, KeyPair>,
    other: CertifiedIssuer<'static, KeyPair>,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The certificate and the key of a name, as PEM.
fn identity(issuer: &CertifiedIssuer<'static, KeyPair>, name: SanType) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![name];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.to_owned().try_into().unwrap())
}

impl Ground {
    fn new() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let scratch = Scratch::source("http://127.0.0.1:1", "");
        let (ours, other) = (authority(), authority());
        let ground = Self {
            scratch,
            ours,
            other,
        };
        ground.serves_as(&ground.ours);
        ground.scratch.write("ca.pem", &ground.ours.pem());
        ground
    }

    /// Writes the server's files, of this authority.
    fn serves_as(&self, issuer: &CertifiedIssuer<'static, KeyPair>) {
        let (cert, key) = identity(issuer, SanType::IpAddress([127, 0, 0, 1].into()));
        self.scratch.write("cert.pem", &cert);
        self.scratch.write("key.pem", &key);
    }

    async fn serve(&self, further: &str) -> Program {
        self.scratch.write("web.yml", &format!("{SERVER}{further}"));
        self.scratch.serve(&["--web.config.file=web.yml"]).await
    }
}

/// Whether a new client that trusts `issuer` gets an answer.
async fn trusts(
    program: &Program,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    identity: Option<&(String, String)>,
) -> bool {
    let root = Certificate::from_pem(issuer.pem().as_bytes()).unwrap();
    let mut client = Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .tls_certs_only([root]);
    if let Some((cert, key)) = identity {
        client = client.identity(Identity::from_pem(format!("{key}{cert}").as_bytes()).unwrap());
    }
    let url = format!("https://{}/metrics", program.address());
    let answer = client.build().unwrap().get(url).send().await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn the_certificate_is_the_configured_one_and_changes_without_a_restart() {
    let ground = Ground::new();
    let program = ground.serve("").await;
    assert!(trusts(&program, &ground.ours, None).await);
    assert!(!trusts(&program, &ground.other, None).await);
    ground.serves_as(&ground.other);
    assert!(!trusts(&program, &ground.ours, None).await);
    assert!(trusts(&program, &ground.other, None).await);
    // Half renewed it fits no key: nobody is served until it does.
    let (cert, key) = identity(&ground.ours, SanType::IpAddress([127, 0, 0, 1].into()));
    ground.scratch.write("cert.pem", &cert);
    assert!(!trusts(&program, &ground.ours, None).await);
    assert!(!trusts(&program, &ground.other, None).await);
    ground.scratch.write("key.pem", &key);
    assert!(trusts(&program, &ground.ours, None).await);
}

#[tokio::test]
async fn plain_http_gets_nothing_where_tls_is_asked_for() {
    let ground = Ground::new();
    let program = ground.serve("").await;
    let mut stream = TcpStream::connect(program.address()).await.unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // A reset is a refusal too.
    stream.read_to_end(&mut answer).await.unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    assert!(
        !answer.contains("HTTP/1.1") && !answer.contains("virt_"),
        "{answer}"
    );
    assert!(trusts(&program, &ground.ours, None).await);
}

#[tokio::test]
async fn silent_handshakes_block_nobody() {
    let ground = Ground::new();
    let program = ground.serve("").await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(program.address()).await.unwrap());
    }
    assert!(trusts(&program, &ground.ours, None).await);
    // Each is closed, and long before an idle connection would be.
    let mut answer = Vec::new();
    let closed = silent[0].read_to_end(&mut answer);
    tokio::time::timeout(PATIENCE, closed)
        .await
        .unwrap()
        .unwrap_or_default();
}

#[rstest]
#[case::not_asked("NoClientCert", [true, true, true])]
#[case::verified_if_given("VerifyClientCertIfGiven", [true, true, false])]
#[case::required("RequireAndVerifyClientCert", [false, true, false])]
#[tokio::test]
async fn certificates_of_clients_are_asked_for(#[case] mode: &str, #[case] expected: [bool; 3]) {
    let ground = Ground::new();
    let ca = if mode == "NoClientCert" {
        ""
    } else {
        "  client_ca_file: ca.pem\n"
    };
    let program = ground
        .serve(&format!("  client_auth_type: {mode}\n{ca}"))
        .await;
    let (known, stranger) = (
        identity(&ground.ours, dns("a")),
        identity(&ground.other, dns("a")),
    );
    let tried = [None, Some(&known), Some(&stranger)];
    for (identity, expected) in tried.into_iter().zip(expected) {
        assert_eq!(trusts(&program, &ground.ours, identity).await, expected);
    }
}

#[tokio::test]
async fn only_named_clients_are_let_in() {
    let ground = Ground::new();
    let program = ground
        .serve(
            "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n  \
             client_allowed_sans: [prometheus.example, 10.0.0.1, 'spiffe://x/y', a@b.example]\n",
        )
        .await;
    let uri = |text: &str| SanType::URI(text.to_owned().try_into().unwrap());
    let mail = |text: &str| SanType::Rfc822Name(text.to_owned().try_into().unwrap());
    for (name, expected) in [
        (dns("prometheus.example"), true),
        (dns("sub.prometheus.example"), false),
        (dns("*.example"), false),
        (SanType::IpAddress([10, 0, 0, 1].into()), true),
        (SanType::IpAddress([10, 0, 0, 2].into()), false),
        (uri("spiffe://x/y"), true),
        (uri("spiffe://x/z"), false),
        (mail("a@b.example"), true),
    ] {
        let identity = identity(&ground.ours, name.clone());
        let let_in = trusts(&program, &ground.ours, Some(&identity)).await;
        assert_eq!(let_in, expected, "{name:?}");
    }
}

#[rstest]
#[case::typed_in("min_version: TLS13")]
#[case::old_alone("max_version: TLS12")]
#[case::one_cipher(
    "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  max_version: TLS12"
)]
#[case::one_curve("curve_preferences: [CurveP384]")]
#[case::the_clients_order("prefer_server_cipher_suites: false")]
#[tokio::test]
async fn what_is_chosen_works(#[case] keys: &str) {
    let ground = Ground::new();
    let program = ground.serve(&format!("  {keys}\n")).await;
    assert!(trusts(&program, &ground.ours, None).await);
}
