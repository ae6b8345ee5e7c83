//! Files: the configuration's own, and those of secrets.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::super::{Config, Secret};
use super::with;

fn file(folder: &TempDir, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn read(path: &Path) -> Result<String, String> {
    let secret = Secret::File(path.to_owned()).read();
    let text = secret.map(|secret| secret.expose_secret().to_owned());
    text.map_err(|error| error.to_string())
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let load = |path: &Path| Config::load(path).unwrap_err().to_string();
    let path = folder.path().join("none.yml");
    let message = "cannot read: No such file or directory (os error 2)";
    assert_eq!(load(&path), format!("{}: {message}", path.display()));
    let message = "cannot read: Is a directory (os error 21)";
    let path = folder.path();
    assert_eq!(load(path), format!("{}: {message}", path.display()));
    for (bytes, place) in [
        (&b"\xff"[..], "1:1"),
        (b"a: \xc3\xa4\n b: \xc3\xa4\xc3(", "2:6"),
    ] {
        let path = file(&folder, bytes, 0o600);
        let message = format!("{}:{place}: is not UTF-8 text", path.display());
        assert_eq!(load(&path), message);
    }
    let path = file(&folder, vec![b'\n'; 16 * 1024 * 1024 + 1], 0o600);
    let message = "cannot read: larger than 16 MiB";
    assert_eq!(load(&path), format!("{}: {message}", path.display()));
    let path = file(&folder, "", 0o600);
    let message = "1:1: sources: at least one source is required";
    assert_eq!(load(&path), format!("{}:{message}", path.display()));
}

#[test]
fn a_secret_that_others_can_read_is_warned_about() {
    let folder = TempDir::new().unwrap();
    let keys = "token: t\nproxy_url: http://u:p@proxy.example\nhttp_headers: {A: {secrets: [s]}}";
    let text = with(keys).replace("  token_file: t\n", "");
    let load = |text: &str, mode| Config::load(&file(&folder, text, mode)).unwrap().warnings;
    let path = folder.path().join("file").display().to_string();
    let warning = "this secret stands in a file that its group or others can read";
    let expected = [
        format!("{path}:5:10: sources[0].token: {warning}"),
        format!("{path}:6:14: sources[0].proxy_url: {warning}"),
        format!("{path}:7:32: sources[0].http_headers.A.secrets[0]: {warning}"),
    ];
    assert_eq!(load(&text, 0o640), expected);
    assert_eq!(load(&text, 0o604), expected);
    assert!(load(&text, 0o600).is_empty());
    assert!(load(&with(""), 0o644).is_empty());
}

#[test]
fn a_plain_header_is_no_secret_unless_its_name_says_so() {
    let folder = TempDir::new().unwrap();
    let warnings = |header: &str| {
        let text = with(&format!("http_headers: {{{header}: {{values: [v]}}}}"));
        Config::load(&file(&folder, text, 0o644)).unwrap().warnings
    };
    for plain in ["X-Tenant", "Accept-Language", "Origin"] {
        assert_eq!(warnings(plain), [""; 0], "{plain}");
    }
    for telling in ["Cookie", "X-Api-Key", "X-Auth", "X-Session-TOKEN"] {
        assert_eq!(warnings(telling).len(), 1, "{telling}");
    }
}

#[test]
fn a_secret_file_is_read_anew_each_time() {
    let folder = TempDir::new().unwrap();
    for (content, secret) in [
        ("one", "one"),
        ("two\n", "two"),
        ("three\r\n", "three"),
        ("four\n\n", "four\n"),
        ("five\r", "five\r"),
        (" six ", " six "),
    ] {
        let path = file(&folder, content, 0o600);
        assert_eq!(read(&path).as_deref(), Ok(secret));
    }
}

#[test]
fn a_secret_file_is_refused_by_its_name_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let name = path.display().to_string();
    let message = format!("cannot read {name}: No such file or directory (os error 2)");
    assert_eq!(read(&path), Err(message));
    let large = "x".repeat(64 * 1024 + 1);
    let cases: [(&[u8], &str); 5] = [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\r\n", "is empty"),
        (b"hunter2\xff", "is not UTF-8 text"),
        (large.as_bytes(), "is too large for a secret"),
    ];
    for (content, rule) in cases {
        file(&folder, content, 0o600);
        assert_eq!(read(&path), Err(format!("{name} {rule}")));
    }
}
