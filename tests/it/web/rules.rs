use rstest::rstest;

use crate::support::Scratch;

const HASH: &str = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

/// What `check` says of a web configuration.
async fn checked(rules: &str) -> (bool, String) {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    scratch.write("web.yml", rules);
    let ended = scratch
        .run(&["check", "--web.config.file=web.yml"], &[])
        .await;
    let said = String::from_utf8(ended.stderr).unwrap();
    (ended.status.success(), said)
}

#[rstest]
#[case::unknown_key("tls: {}", "tls is an unknown key")]
#[case::unknown_key_within("http_server_config: {http3: true}", "http3 is an unknown key")]
#[case::twice("rate_limit: {}\nrate_limit: {}", "stands twice")]
#[case::no_mapping("[]", "is not YAML")]
#[case::password_in_the_clear("basic_auth_users: {a: hunter2}", "must be a bcrypt hash")]
#[case::half_a_hash(
    "basic_auth_users: {a: $2y$10$mDwo.lAisC94iLAyP81MCe}",
    "must be a bcrypt hash"
)]
#[case::another_header(
    "http_server_config: {headers: {Server: x}}",
    "web.yml:1:40: http_server_config.headers.Server: this header cannot be set"
)]
#[case::no_header_name(
    "http_server_config: {headers: {'a hunter2': x}}",
    "http_server_config.headers: this header cannot be set"
)]
#[case::another_value(
    "http_server_config: {headers: {X-Frame-Options: never}}",
    "must be deny or sameorigin"
)]
#[case::no_header_value(
    "http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}",
    "is not the value of a header"
)]
#[case::no_burst("rate_limit: {interval: 1s}", "needs a burst")]
#[case::burst_of_none("rate_limit: {interval: 1s, burst: 0}", "must be at least 1")]
#[case::no_duration("rate_limit: {interval: soon, burst: 1}", "must be a duration")]
#[case::no_certificate(
    "tls_server_config: {key_file: k}",
    "web.yml:1:31: tls_server_config.key_file: cannot read k: "
)]
#[case::no_key(
    "tls_server_config: {min_version: TLS13}",
    "needs cert_file and key_file"
)]
#[case::both(
    "tls_server_config: {cert: x, cert_file: y}",
    "only one of cert and cert_file"
)]
#[case::no_pem("tls_server_config: {cert: x, key: y}", "has no private key in PEM")]
#[tokio::test]
async fn a_wrong_web_configuration_is_refused_in_one_line(#[case] rules: &str, #[case] why: &str) {
    let (good, said) = checked(rules).await;
    assert!(!good && said.contains(why), "{said}");
    assert!(said.starts_with("--web.config.file: web.yml"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[rstest]
#[case::old("min_version: TLS10", "TLS 1.0 and 1.1 are broken")]
#[case::older("max_version: TLS11", "TLS 1.0 and 1.1 are broken")]
#[case::unknown("min_version: TLS14", "must be TLS12 or TLS13")]
#[case::crossed("min_version: TLS13, max_version: TLS12", "must not be newer")]
#[case::cipher(
    "cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
    "is not supported, only TLS_"
)]
#[case::curve("curve_preferences: [CurveP521]", "is not supported, only CurveP256")]
#[case::asked_only("client_auth_type: RequestClientCert", "verifies nothing")]
#[case::any("client_auth_type: RequireAnyClientCert", "verifies nothing")]
#[case::mode("client_auth_type: Always", "must be NoClientCert")]
#[case::no_authority(
    "client_auth_type: RequireAndVerifyClientCert",
    "needs a client_ca_file"
)]
#[case::no_mode("client_allowed_sans: [a]", "needs a client_auth_type")]
#[case::no_ca(
    "client_ca: x, client_auth_type: VerifyClientCertIfGiven",
    "has no certificate"
)]
#[case::unreadable(
    "client_ca_file: nowhere, client_auth_type: VerifyClientCertIfGiven",
    "tls_server_config.client_ca_file: cannot read nowhere: "
)]
#[tokio::test]
async fn what_cannot_be_done_for_tls_is_said(#[case] keys: &str, #[case] why: &str) {
    let scratch = Scratch::source("http://127.0.0.1:1", "");
    let signed = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    scratch.write("cert.pem", &signed.cert.pem());
    scratch.write("key.pem", &signed.signing_key.serialize_pem());
    let rules = format!("tls_server_config: {{cert_file: cert.pem, key_file: key.pem, {keys}}}");
    scratch.write("web.yml", &rules);
    let ended = scratch
        .run(&["check", "--web.config.file=web.yml"], &[])
        .await;
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && said.contains(why), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // Nothing is half started either.
    let ended = scratch.run(&["--web.config.file=web.yml"], &[]).await;
    assert_eq!(ended.status.code(), Some(2));
}

#[rstest]
#[case::empty("")]
#[case::empty_sections("tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n")]
#[case::empty_tls("tls_server_config: {cert_file: '', key_file: ''}")]
#[case::all_of_tls_empty(
    "tls_server_config: {cert: '', key: '', client_ca: '', cert_file: '', key_file: '', \
     client_ca_file: '', client_auth_type: ''}"
)]
#[case::off("rate_limit: {interval: 0, burst: 0}")]
#[case::http(
    "http_server_config: {http2: false, headers: {Content-Security-Policy: default-src 'self'}}"
)]
#[tokio::test]
async fn what_asks_for_nothing_is_right(#[case] rules: &str) {
    let (good, said) = checked(rules).await;
    assert!(good, "{said}");
}

#[tokio::test]
async fn a_hash_of_each_kind_is_known() {
    for kind in ["2a", "2b", "2y"] {
        let hash = HASH.replace("2y", kind);
        let (good, said) = checked(&format!("basic_auth_users: {{a: {hash}}}")).await;
        assert!(good, "{said}");
    }
}
