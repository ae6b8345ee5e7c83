//! Who may call.
//!
//! The real server lets everybody; the recipe of the signature is that of the
//! security chapter of the thesis (doc/thesis in janutechnology/VirtShell),
//! after the storage service that it follows: absent headers keep their line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;

use super::call::Call;
use super::options::VsAuth;

/// How far the `Date` of a signed request may be off.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Whether a call may be made; if not, the text of the error.
pub(super) fn check(call: &Call, auth: &VsAuth, now: Timestamp) -> Result<(), &'static str> {
    match auth {
        VsAuth::None => Ok(()),
        VsAuth::Header { name, value } => {
            let given = call.header(name).ok_or("MissingAuthorization")?;
            (given == value).then_some(()).ok_or("AccessDenied")
        }
        VsAuth::Hmac {
            name,
            user_id,
            secret,
        } => {
            let given = call.header(name).ok_or("MissingAuthorization")?;
            let (user, signature) = given.split_once(':').ok_or("AccessDenied")?;
            if user != user_id {
                return Err("AccessDenied");
            }
            dated(call, now)?;
            signed(call, secret, signature)
        }
    }
}

/// Whether the `Date` is there and near.
fn dated(call: &Call, now: Timestamp) -> Result<(), &'static str> {
    let date = call.header("date").and_then(parsed);
    let near = date.is_some_and(|date| now.duration_since(date).abs() <= MOST_SKEW);
    near.then_some(()).ok_or("RequestTimeTooSkewed")
}

fn parsed(date: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(date).ok()
}

/// Whether the signature is that of the user's key.
fn signed(call: &Call, secret: &str, signature: &str) -> Result<(), &'static str> {
    let wrong = "SignatureDoesNotMatch";
    let given = STANDARD.decode(signature).ok().ok_or(wrong)?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let right = hmac::verify(&key, string_to_sign(call).as_bytes(), &given);
    right.ok().ok_or(wrong)
}

/// What is signed: the verb, four headers and the path up to the query.
fn string_to_sign(call: &Call) -> String {
    let header = |name| call.header(name).unwrap_or_default();
    [
        call.method.as_str(),
        header("host"),
        header("content-md5"),
        header("content-type"),
        header("date"),
        &call.path,
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::Method;
    use hyper::header::{HeaderMap, HeaderValue};

    /// A signed call of the list.
    fn call(changed: &[(&'static str, &'static str)]) -> Call {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "vs.example:80"),
            ("date", "Fri, 20 Nov 2026 15:00:00 GMT"),
            ("authorization", "user:QTuTncmSQ4GGt01WCWLkFQci/tc="),
        ]
        .iter()
        .chain(changed)
        {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        Call {
            method: Method::GET,
            path: "/tasks/".to_owned(),
            headers,
            body: Bytes::new(),
        }
    }

    fn checked(call: &Call) -> Result<(), &'static str> {
        let auth = VsAuth::Hmac {
            name: "Authorization".to_owned(),
            user_id: "user".to_owned(),
            secret: "secret".to_owned(),
        };
        check(call, &auth, "2026-11-20T15:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_signature_made_elsewhere_is_right() {
        assert_eq!(checked(&call(&[])), Ok(()));
    }

    #[test]
    fn all_that_is_signed_counts() {
        let wrong = Err("SignatureDoesNotMatch");
        for changed in [
            ("host", "vs.example"),
            ("content-type", "text/plain"),
            ("content-md5", "x"),
            ("date", "Fri, 20 Nov 2026 15:00:01 GMT"),
            ("authorization", "user:!"),
        ] {
            assert_eq!(checked(&call(&[changed])), wrong, "{changed:?}");
        }
        let other = Call {
            method: Method::POST,
            ..call(&[])
        };
        assert_eq!(checked(&other), wrong);
        let other = Call {
            path: "/tasks/status/".to_owned(),
            ..call(&[])
        };
        assert_eq!(checked(&other), wrong);
    }
}
