//! Values of flags that have rules of their own.

use std::fmt;
use std::str::FromStr;

/// Paths that are something else already; one with a slash at its end stands for all below it.
const TAKEN: [&str; 3] = ["/sd", "/-/", "/api/"];

/// The fastest rate, per second.
const FASTEST: f64 = 100_000.0;

/// Where the metrics are served: begins with a slash, has no blank, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryPath(String);

/// Why a text is not a [`TelemetryPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryPathError {
    /// It does not begin with a slash.
    #[error("must begin with a /")]
    NoSlash,
    /// It has characters that no path in a request has.
    #[error("must consist of letters, digits and /-._~")]
    Characters,
    /// It is something else already.
    #[error("is used for something else")]
    Taken,
}

impl TelemetryPath {
    /// The path, as it stands in a request.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        let below = |taken: &&str| taken.ends_with('/') && text.starts_with(*taken);
        if !text.starts_with('/') {
            return Err(TelemetryPathError::NoSlash);
        }
        if !text.chars().all(plain) {
            return Err(TelemetryPathError::Characters);
        }
        if TAKEN.iter().any(|taken| *taken == text || below(taken)) {
            return Err(TelemetryPathError::Taken);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for TelemetryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How often something happens, per second: from 0 to 100,000.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// Why a text is not a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 0 to 100000")]
pub struct RateError;

impl Rate {
    /// The rate per second; finite and not negative.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rate = text.parse().ok();
        let rate = rate.filter(|rate| (0.0..=FASTEST).contains(rate));
        rate.map(Self).ok_or(RateError)
    }
}

/// Why a text says no number of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a number, or the name of a pod that ends in one, such as exporter-0")]
pub struct ShardError;

/// The number of a shard: itself, or the ordinal at the end of a pod's name, as
/// Kubernetes gives them to the pods of a `StatefulSet`.
pub(super) fn shard_number(text: &str) -> Result<u32, ShardError> {
    let ordinal = match text.rsplit_once('-') {
        Some((name, ordinal)) if name.starts_with(|c: char| c.is_ascii_alphanumeric()) => ordinal,
        _ => text,
    };
    // The standard library takes a sign.
    let digits = ordinal.chars().all(|c| c.is_ascii_digit());
    let number = ordinal.parse().ok().filter(|_| digits);
    number.ok_or(ShardError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ordinal_of_a_pod_is_a_shard() {
        for (text, number) in [("0", 0), ("12", 12), ("exporter-3", 3), ("a-1-10", 10)] {
            assert_eq!(shard_number(text), Ok(number), "{text}");
        }
        for text in [
            "",
            "-1",
            "+1",
            "a",
            "a-",
            "exporter-x",
            "a-4294967296",
            "1.5",
            "-a-1",
        ] {
            assert_eq!(shard_number(text), Err(ShardError), "{text}");
        }
    }

    #[test]
    fn telemetry_paths() {
        use TelemetryPathError::{Characters, NoSlash, Taken};
        for text in ["/", "/metrics", "/a/b.c-d_e~f", "/sdx", "/apis"] {
            assert_eq!(text.parse::<TelemetryPath>().unwrap().as_str(), text);
        }
        for (text, error) in [
            ("", NoSlash),
            ("metrics", NoSlash),
            ("/a b", Characters),
            ("/a?b", Characters),
            ("/a#b", Characters),
            ("/ä", Characters),
            ("/sd", Taken),
            ("/-/ready", Taken),
            ("/api/v1/status", Taken),
        ] {
            assert_eq!(text.parse::<TelemetryPath>(), Err(error), "{text}");
        }
    }

    #[test]
    fn rates() {
        for (text, rate) in [("0", 0.0), ("0.1", 0.1), ("100000", 100_000.0)] {
            assert_eq!(text.parse(), Ok(Rate(rate)));
        }
        for text in ["", "x", "-1", "NaN", "inf", "100001", "1s"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError), "{text}");
        }
    }
}
