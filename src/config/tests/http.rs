//! The rules of the keys that say how a source is reached.

use super::super::Config;
use super::{parse, table, with};

#[test]
fn keys_of_http() {
    let scheme = "6:14: sources[0].proxy_url: must begin with http:// or https://";
    let host = "must be a host name or an address";
    table(
        with,
        &[
            (
                "follow_redirects: true",
                "6:21: sources[0].follow_redirects: must be false, redirects are never followed",
            ),
            (
                "tls_config: {cert_file: c}",
                "6:27: sources[0].tls_config.cert_file: needs a key_file",
            ),
            (
                "tls_config: {key_file: k}",
                "6:26: sources[0].tls_config.key_file: needs a cert_file",
            ),
            (
                "tls_config: {ca_file: ''}",
                "6:25: sources[0].tls_config.ca_file: must not be empty",
            ),
            (
                "tls_config: {server_name: ''}",
                &format!("6:29: sources[0].tls_config.server_name: {host}"),
            ),
            (
                "tls_config: {server_name: a b}",
                &format!("6:29: sources[0].tls_config.server_name: {host}"),
            ),
            ("proxy_url: socks5://u:hunter2@p", scheme),
            ("proxy_url: p:3128", scheme),
            (
                "proxy_url: http://p/x",
                "6:14: sources[0].proxy_url: must not have a path, a query or a fragment",
            ),
        ],
    );
}

#[test]
fn headers() {
    table(
        with,
        &[
            (
                "http_headers: {Authorization: {values: [x]}}",
                "6:33: sources[0].http_headers.Authorization: this header is the client's own",
            ),
            (
                "http_headers: {HOST: {values: [x]}}",
                "6:24: sources[0].http_headers.HOST: this header is the client's own",
            ),
            (
                "http_headers: {content-length: {values: [x]}}",
                "6:34: sources[0].http_headers.content-length: this header is the client's own",
            ),
            (
                "http_headers: {X-A: {values: [x]}, x-a: {values: [y]}}",
                "6:43: sources[0].http_headers.x-a: this header is given twice",
            ),
            (
                "http_headers: {X-A: {}}",
                "6:23: sources[0].http_headers.X-A: needs values, secrets or files",
            ),
            (
                "http_headers: {X-A: {values: []}}",
                "6:23: sources[0].http_headers.X-A: needs values, secrets or files",
            ),
            (
                "http_headers: {X-A: {secrets: [x, \"a\\nb\"]}}",
                "6:37: sources[0].http_headers.X-A.secrets[1]: must be a valid header value",
            ),
            (
                "http_headers: {X-A: {files: ['']}}",
                "6:32: sources[0].http_headers.X-A.files[0]: must not be empty",
            ),
        ],
    );
}

#[test]
fn a_login_without_tls_is_warned_about_unless_it_stays_on_this_machine() {
    let warnings = |text: &str| parse(text).map(|config: Config| config.warnings);
    let at = |url: &str| warnings(&with("").replace("https://a.example", url)).unwrap();
    let warning = "/etc/vte/vte.yml:4:8: sources[0].url: \
                   http sends the secret of the login so that others can read it on its way";
    assert_eq!(at("http://a.example"), [warning]);
    assert_eq!(at("http://10.11.10.1:8080"), [warning]);
    for url in [
        "https://a.example",
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://[::1]",
    ] {
        assert_eq!(at(url), [""; 0], "{url}");
    }
    let virtshell = |keys| {
        let source = "sources: [{name: a, system: virtshell, url: 'http://a.example'";
        warnings(&format!("{source}, authorization: {keys}}}]")).unwrap()
    };
    assert_eq!(virtshell("{type: none}"), [""; 0]);
    let hmac = "{type: hmac, user_id: u, secret_file: s}";
    assert_eq!(virtshell(hmac), [""; 0]);
    let header = "{type: header, credentials_file: c}";
    assert_eq!(virtshell(header).len(), 1);
}
