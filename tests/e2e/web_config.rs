use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Brand, Exporter, Server, eventually, readme_blocks};

const HASH: &str = "$2b$04$Lv8iTo7rbjvEcl8BeabRQOC/ZusTx1IbbMkfjXcxXDB1gXa.FfoIe";

/// The files that the cases below name, and a configuration.
fn fill(folder: &Path) {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("cert.pem", &signed.cert.pem());
    write("key.pem", &signed.signing_key.serialize_pem());
    write("other.pem", &other.signing_key.serialize_pem());
    write(
        "virt-task-exporter.yml",
        "sources: [{name: a, system: sddc_manager, url: 'http://127.0.0.1:1', token: t}]",
    );
}

/// Whether a program takes `web.yml`, and what it says.
fn takes(folder: &Path, program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

fn tls(keys: &str) -> String {
    format!("tls_server_config: {{cert_file: cert.pem, key_file: key.pem, {keys}}}")
}

fn good() -> Vec<String> {
    let mut cases: Vec<_> = [
        "",
        "min_version: TLS12",
        "min_version: TLS12, max_version: TLS13",
        "prefer_server_cipher_suites: false",
        "cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]",
        "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]",
        "curve_preferences: [CurveP256, CurveP384, X25519]",
        "client_auth_type: NoClientCert",
        "client_auth_type: RequireAndVerifyClientCert, client_ca_file: cert.pem",
        "client_auth_type: VerifyClientCertIfGiven, client_ca_file: cert.pem",
    ]
    .map(tls)
    .into();
    cases.extend(
        readme_blocks("yaml")
            .filter(|block| block.contains("basic_auth_users"))
            .map(
                // What this promtool is too old for.
                |block| {
                    block
                        .split("rate_limit:")
                        .next()
                        .unwrap()
                        .replace("/etc/ssl/", "")
                },
            ),
    );
    cases.push(String::new());
    cases.push(format!("basic_auth_users: {{a: '{HASH}'}}"));
    cases.extend(
        [
            "http2: false",
            "headers: {X-Frame-Options: deny, X-Content-Type-Options: nosniff}",
            "headers: {Strict-Transport-Security: x, X-XSS-Protection: y, Content-Security-Policy: z}",
        ]
        .map(|keys| format!("http_server_config: {{{keys}}}")),
    );
    cases
}

fn bad() -> Vec<String> {
    let mut cases: Vec<_> = [
        "min_version: TLS14",
        "max_version: SSL3",
        "cipher_suites: [TLS_NONE]",
        "curve_preferences: [CurveP1]",
        "client_auth_type: Always",
        "client_ca_file: cert.pem",
        "client_ca_file: nowhere.pem, client_auth_type: RequireAndVerifyClientCert",
        "unknown: 1",
    ]
    .map(tls)
    .into();
    cases.extend(
        [
            "tls: {}",
            "tls_server_config: {cert_file: cert.pem}",
            "tls_server_config: {key_file: key.pem}",
            "tls_server_config: {cert_file: nowhere.pem, key_file: key.pem}",
            "tls_server_config: {cert_file: cert.pem, key_file: other.pem}",
            "tls_server_config: {cert_file: key.pem, key_file: cert.pem}",
            "basic_auth_users: {a: secret}",
            "basic_auth_users: {a: $2b$04$short}",
            "basic_auth_users: [a]",
            "http_server_config: {headers: {Server: x}}",
            "http_server_config: {headers: {x-frame-options: deny}}",
            "http_server_config: {headers: {X-Frame-Options: DENY}}",
            "http_server_config: {http3: true}",
            "- a",
            "{",
        ]
        .map(str::to_owned),
    );
    cases
}

#[test]
fn promtool_and_the_exporter_judge_alike() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fill(folder);
    let cases = good().into_iter().map(|case| (case, true));
    let cases = cases.chain(bad().into_iter().map(|case| (case, false)));
    for (case, expected) in cases {
        fs::write(folder.join("web.yml"), &case).unwrap();
        let (taken, said) = takes(folder, "promtool", &["check", "web-config", "web.yml"]);
        assert_eq!(taken, expected, "promtool: {case}\n{said}");
        let ours = env!("CARGO_BIN_EXE_virt-task-exporter");
        let (taken, said) = takes(folder, ours, &["check", "--web.config.file=web.yml"]);
        assert_eq!(taken, expected, "ours: {case}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_know_the_password_read_the_encrypted_page() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let rules = format!("{}\nbasic_auth_users: {{prometheus: '{HASH}'}}\n", tls(""));
    fs::write(folder.path().join("web.yml"), rules).unwrap();
    let arguments = [
        "--web.listen-address=127.0.0.1:0",
        "--web.config.file=web.yml",
    ];
    let exporter = Exporter::start(folder.path(), &arguments).await;
    let job = |name: &str, password: &str| {
        format!(
            "  - job_name: {name}\n    scheme: https\n    \
             tls_config: {{ca_file: {}}}\n    \
             basic_auth: {{username: prometheus, password: {password}}}\n    \
             static_configs: [{{targets: ['{}']}}]\n",
            folder.path().join("cert.pem").display(),
            exporter.address(),
        )
    };
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}{}",
        job("knows", "secret"),
        job("guesses", "guess")
    );
    for brand in [Brand::Prometheus, Brand::VictoriaMetrics] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::configured(brand, folder.path(), &config).await;
        for (job, up) in [("knows", 1.0), ("guesses", 0.0)] {
            let query = format!("up{{job=\"{job}\"}}");
            let what = format!("{brand:?}: {query} is {up}");
            let log = async || exporter.log();
            eventually(&what, log, async || {
                let answer = server.query(&query).await?;
                match answer.as_slice() {
                    [one] if one.value.total_cmp(&up).is_eq() => Ok(()),
                    _ => Err(format!("{answer:#?}")),
                }
            })
            .await;
        }
    }
}
