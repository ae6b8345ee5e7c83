//! Durations as Prometheus writes them: `500ms`, `30s`, `1m30s`, `1h`, `30d`, `1w`, `1y`.

use std::time::Duration;

/// The units from the longest to the shortest, in milliseconds; a year has 365 days, as in Prometheus.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest duration: sums of it and a time stay far from any overflow.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DurationError {
    /// A number alone.
    #[error("a bare number is no duration, add a unit, such as 30s")]
    NoUnit,
    /// Anything else.
    #[error("must be a duration such as 500ms, 30s, 1m30s, 1h or 30d")]
    Malformed,
    /// Beyond [`LONGEST`].
    #[error("must be at most 100y")]
    TooLong,
}

/// Reads a duration; each unit at most once, longer ones first.
pub(super) fn parse(text: &str) -> Result<Duration, DurationError> {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    if number.parse::<f64>().is_ok() {
        return Err(DurationError::NoUnit);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (count, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after, |c| c.is_ascii_lowercase());
        let known = units.find(|(name, _)| *name == unit);
        let (_, millis) = known.ok_or(DurationError::Malformed)?;
        total = add(total, count, *millis)?;
        rest = after;
    }
    match Duration::from_millis(total) {
        _ if text.is_empty() => Err(DurationError::Malformed),
        long if long > LONGEST => Err(DurationError::TooLong),
        duration => Ok(duration),
    }
}

/// Writes a duration as [`parse`] reads it; parts below a millisecond are left out.
pub(super) fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut part = |(unit, millis): (&str, u64)| {
        let count = rest / millis;
        rest %= millis;
        (count > 0).then(|| format!("{count}{unit}"))
    };
    UNITS.into_iter().filter_map(&mut part).collect()
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn add(total: u64, count: &str, millis: u64) -> Result<u64, DurationError> {
    if count.is_empty() {
        return Err(DurationError::Malformed);
    }
    // Digits alone fail to parse only by being too many.
    let count: u64 = count.parse().or(Err(DurationError::TooLong))?;
    let part = count.checked_mul(millis).ok_or(DurationError::TooLong)?;
    total.checked_add(part).ok_or(DurationError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_prometheus_reads() {
        let cases = [
            ("0s", 0),
            ("500ms", 500),
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("90m", 5_400_000),
            ("1h", 3_600_000),
            ("1d12h", 129_600_000),
            ("30d", 2_592_000_000),
            ("1w", 604_800_000),
            ("1y", 31_536_000_000),
            ("1y1w1d1h1m1s1ms", 32_230_861_001),
            ("100y", 3_153_600_000_000),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        use DurationError::{Malformed, NoUnit, TooLong};
        let cases = [
            ("", Malformed),
            ("0", NoUnit),
            ("30", NoUnit),
            ("-1", NoUnit),
            ("1.5", NoUnit),
            ("s", Malformed),
            ("1.5s", Malformed),
            ("-1s", Malformed),
            (" 1s", Malformed),
            ("1s ", Malformed),
            ("30 s", Malformed),
            ("1S", Malformed),
            ("1M", Malformed),
            ("1sec", Malformed),
            ("30s1m", Malformed),
            ("1s1s", Malformed),
            ("1h30", Malformed),
            ("1µs", Malformed),
            ("١s", Malformed),
            ("100y1ms", TooLong),
            ("99999999999999999999s", TooLong),
            ("18446744073709551615y", TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0s", "500ms", "1m30s", "1y1w1d1h1m1s1ms", "5m"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }
}
