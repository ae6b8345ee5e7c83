use rcgen::{CertifiedKey, KeyPair};
use rstest::rstest;

use crate::support::Scratch;

/// A folder with a certificate and its key, another key, and files that are neither.
fn scratch(config: &str) -> Scratch {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    let scratch = Scratch::new(config);
    scratch.write("cert.pem", &cert.pem());
    scratch.write("key.pem", &signing_key.serialize_pem());
    let other = KeyPair::generate().unwrap();
    scratch.write("other.pem", &other.serialize_pem());
    scratch.write("text", "one\ntwo\n");
    scratch.write("empty", "");
    scratch
}

/// What `check` says on standard error, in one line.
async fn said(scratch: &Scratch, arguments: &[&str]) -> String {
    let ended = scratch.run(&[&["check"], arguments].concat(), &[]).await;
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    let said = String::from_utf8(ended.stderr).unwrap();
    let line = said.strip_suffix('\n');
    assert!(
        line.is_some_and(|line| !line.contains(char::is_control)),
        "{said:?}"
    );
    said
}

#[rstest]
#[case::no_ca(
    "tls_config: {ca_file: nowhere}",
    "6:27: sources[0].tls_config.ca_file: cannot read nowhere: "
)]
#[case::ca_without_certificates(
    "tls_config: {ca_file: text}",
    "6:27: sources[0].tls_config.ca_file: text holds no usable certificate in PEM form"
)]
#[case::no_certificate(
    "tls_config: {cert_file: nowhere, key_file: key.pem}",
    "6:29: sources[0].tls_config.cert_file: cannot read nowhere: "
)]
#[case::controls_in_a_name(
    r#"tls_config: {ca_file: "\e[31m\n"}"#,
    r"6:27: sources[0].tls_config.ca_file: cannot read \u001b[31m\n: "
)]
#[case::certificate_without_one(
    "tls_config: {cert_file: text, key_file: key.pem}",
    "6:29: sources[0].tls_config.cert_file: text holds no usable certificate in PEM form"
)]
#[case::no_key(
    "tls_config: {cert_file: cert.pem, key_file: nowhere}",
    "6:49: sources[0].tls_config.key_file: cannot read nowhere: "
)]
#[case::key_without_one(
    "tls_config: {cert_file: cert.pem, key_file: text}",
    "6:49: sources[0].tls_config.key_file: text holds no usable private key in PEM form"
)]
#[case::another_key(
    "tls_config: {cert_file: cert.pem, key_file: other.pem}",
    "6:49: sources[0].tls_config.key_file: other.pem is not the key of the certificate in cert_file"
)]
#[case::no_header(
    "http_headers: {X-A: {values: [a], files: [empty]}}",
    "6:47: sources[0].http_headers.X-A.files[0]: empty is empty"
)]
#[case::header_of_two_lines(
    "http_headers: {X-A: {files: [key.pem, text]}}",
    "6:34: sources[0].http_headers.X-A.files[0]: the value has characters"
)]
#[tokio::test]
async fn a_source_that_cannot_be_put_to_work_is_told_by_line_and_key(
    #[case] line: &str,
    #[case] told: &str,
) {
    let source = "sources:\n  - name: a\n    system: virtshell\n    url: https://a.example\n";
    let scratch = scratch(&format!("{source}    max_open_tasks: 7\n    {line}\n"));
    let said = said(&scratch, &[]).await;
    let expected = format!("virt-task-exporter.yml:{told}");
    assert!(said.starts_with(&expected), "{said}");
}

#[rstest]
#[case::certificate_alone(
    "cert_file: cert.pem",
    "2:14: tls_server_config.cert_file: needs a key_file"
)]
#[case::key_alone(
    "key_file: key.pem",
    "2:13: tls_server_config.key_file: needs a cert_file"
)]
#[case::neither(
    "min_version: TLS13",
    "2:3: tls_server_config: needs cert_file and key_file"
)]
#[case::another_key(
    "cert_file: cert.pem\n  key_file: other.pem",
    "3:13: tls_server_config.key_file: is not the key of the certificate"
)]
#[case::no_private_key(
    "cert_file: cert.pem\n  key_file: text",
    "3:13: tls_server_config.key_file: has no private key in PEM"
)]
#[case::typed_key(
    "cert_file: cert.pem\n  key: text",
    "3:8: tls_server_config.key: has no private key in PEM"
)]
#[case::no_certificate(
    "cert_file: text\n  key_file: key.pem",
    "2:14: tls_server_config.cert_file: has no certificate in PEM"
)]
#[case::controls_in_a_name(
    r#"cert_file: "two\nlines"
  key_file: key.pem"#,
    r"2:14: tls_server_config.cert_file: cannot read two\nlines: "
)]
#[case::crossed(
    "cert_file: cert.pem\n  key_file: key.pem\n  min_version: TLS13\n  max_version: TLS12",
    "4:16: tls_server_config.min_version: must not be newer than max_version"
)]
#[case::authority_alone(
    "cert_file: cert.pem\n  key_file: key.pem\n  client_ca_file: cert.pem",
    "4:19: tls_server_config.client_ca_file: needs a client_auth_type"
)]
#[case::names_alone(
    "cert_file: cert.pem\n  key_file: key.pem\n  client_allowed_sans: [a]",
    "4:25: tls_server_config.client_allowed_sans: needs a client_auth_type"
)]
#[case::no_authority(
    "cert_file: cert.pem\n  key_file: key.pem\n  client_auth_type: RequireAndVerifyClientCert",
    "4:21: tls_server_config.client_auth_type: needs a client_ca_file"
)]
#[case::authority_without_certificates(
    "cert_file: cert.pem\n  key_file: key.pem\n  client_ca_file: text\n  client_auth_type: VerifyClientCertIfGiven",
    "4:19: tls_server_config.client_ca_file: has no certificate in PEM"
)]
#[case::ciphers_of_another_version(
    "cert_file: cert.pem\n  key_file: key.pem\n  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]",
    "5:19: tls_server_config.cipher_suites: "
)]
#[tokio::test]
async fn tls_that_cannot_be_served_is_told_by_line_and_key(#[case] keys: &str, #[case] told: &str) {
    let source = "sources: [{name: a, system: virtshell, url: 'https://a.example'}]\n";
    let scratch = scratch(source);
    scratch.write("web.yml", &format!("tls_server_config:\n  {keys}\n"));
    let said = said(&scratch, &["--web.config.file=web.yml"]).await;
    let expected = format!("--web.config.file: web.yml:{told}");
    assert!(said.starts_with(&expected), "{said}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_told_by_their_line() {
    let scratch = scratch("sources: [{name: a, system: virtshell, url: 'https://a.example'}]\n");
    std::fs::write(scratch.path("web.yml"), b"# \xc3\xa4\n# \xc3\xa4\xe4\n").unwrap();
    let told = said(&scratch, &["--web.config.file=web.yml"]).await;
    assert_eq!(told, "--web.config.file: web.yml:2:4: is not UTF-8 text\n");
    std::fs::rename(
        scratch.path("web.yml"),
        scratch.path("virt-task-exporter.yml"),
    )
    .unwrap();
    let told = said(&scratch, &[]).await;
    assert_eq!(told, "virt-task-exporter.yml:2:4: is not UTF-8 text\n");
}
