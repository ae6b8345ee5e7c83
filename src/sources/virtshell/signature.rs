//! The signature of a request, by which VirtShell's thesis knows its users.
//!
//! Base64 of HMAC-SHA1 over verb, host, Content-MD5, Content-Type, date and path,
//! joined by newlines. The empty lines of what is not sent are kept, as in the
//! scheme that it is modelled on; the real server checks nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use secrecy::{ExposeSecret as _, SecretString};
use url::{Position, Url};

/// What is signed of a `GET`.
#[derive(Debug)]
pub(super) struct Signature {
    host: String,
    path: String,
    /// The value of the header `Date`, which must be near the server's clock.
    pub(super) date: String,
}

impl Signature {
    /// Of a request for a path below `base`, at `now` of the server's clock.
    pub(super) fn new(base: &Url, path: &str, now: Timestamp) -> Self {
        let printed = DateTimePrinter::new().timestamp_to_rfc9110_string(&now);
        Self {
            // As in the header `Host`: without a port that is the usual one.
            host: base[Position::BeforeHost..Position::AfterPort].to_owned(),
            path: format!("{}{path}", base.path().trim_end_matches('/')),
            date: printed.expect("a time of a clock has a year of four digits"),
        }
    }

    pub(super) fn sign(&self, secret: &SecretString) -> String {
        let Self { host, path, date } = self;
        let text = format!("GET\n{host}\n\n\n{date}\n{path}");
        let key = Key::new(
            HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            secret.expose_secret().as_bytes(),
        );
        STANDARD.encode(sign(&key, text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_request_has_a_known_signature() {
        let base = "http://vs.example:80/".parse().unwrap();
        let now = "2026-11-20T15:00:00Z".parse().unwrap();
        let mut signature = Signature::new(&base, "/tasks/", now);
        assert_eq!(signature.date, "Fri, 20 Nov 2026 15:00:00 GMT");
        assert_eq!(signature.host, "vs.example");
        signature.host = "vs.example:80".to_owned();
        let signed = signature.sign(&SecretString::from("secret"));
        assert_eq!(signed, "QTuTncmSQ4GGt01WCWLkFQci/tc=");
    }

    #[test]
    fn the_path_is_the_one_that_is_sent() {
        let base = "https://[::1]:8443/api/virtshell/v1/".parse().unwrap();
        let signature = Signature::new(&base, "/tasks/", Timestamp::UNIX_EPOCH);
        assert_eq!(signature.path, "/api/virtshell/v1/tasks/");
        assert_eq!(signature.host, "[::1]:8443");
    }
}
