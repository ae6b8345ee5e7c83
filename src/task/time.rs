//! Times as sources write them, and which of them can be believed.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A time in any form that a source was seen or is likely to use: RFC 3339 with
/// any offset and fraction, the same without an offset (taken as UTC), and
/// seconds or milliseconds since 1970 as digits.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(number) = text.parse::<i64>() {
        return epoch(number);
    }
    let civil = text.parse::<DateTime>().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Seconds since 1970, or milliseconds where seconds would lie beyond the year 5000.
fn epoch(number: i64) -> Option<Timestamp> {
    const SECONDS_AT_MOST: i64 = 100_000_000_000;
    if number.abs() < SECONDS_AT_MOST {
        Timestamp::from_second(number).ok()
    } else {
        Timestamp::from_millisecond(number).ok()
    }
}

/// A time in milliseconds since 1970, or none, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment(i64);

impl Moment {
    /// No time.
    pub const NONE: Self = Self(i64::MIN);

    /// The time, if there is one.
    pub fn get(self) -> Option<Timestamp> {
        if self == Self::NONE {
            return None;
        }
        Timestamp::from_millisecond(self.0).ok()
    }
}

impl From<Option<Timestamp>> for Moment {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or(Self::NONE, |time| Self(time.as_millisecond()))
    }
}

/// The times that can be right: after 2010, and at most a day ahead of the
/// source's clock.
#[derive(Debug, Clone, Copy)]
pub struct TimeFrame {
    latest: Timestamp,
}

/// When a task began and ended, as far as it can be believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended; never before it began.
    pub ended: Option<Timestamp>,
    /// Whether a time was given that cannot be right.
    pub invalid: bool,
}

impl TimeFrame {
    /// The frame at `now` of the source's clock.
    pub fn new(now: Timestamp) -> Self {
        let day = SignedDuration::from_hours(24);
        Self {
            latest: now.checked_add(day).unwrap_or(Timestamp::MAX),
        }
    }

    /// The time, if it is sane.
    pub fn sane(&self, time: Timestamp) -> Option<Timestamp> {
        /// 2010-01-01T00:00:00Z, in seconds.
        const EARLIEST: i64 = 1_262_304_000;
        (time.as_second() >= EARLIEST && time <= self.latest).then_some(time)
    }

    /// The time in the text, if there is one and it is sane.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        parse_time(text).and_then(|time| self.sane(time))
    }

    /// Both ends of a task; an empty text is a missing time.
    pub fn read_both(&self, started: Option<&str>, ended: Option<&str>) -> Times {
        let given = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        let start = started.and_then(|text| self.read(text));
        let end = ended.and_then(|text| self.read(text));
        let in_order = end.filter(|end| start.is_none_or(|start| *end >= start));
        Times {
            started: start,
            ended: in_order,
            invalid: (given(started) && start.is_none()) || (given(ended) && in_order.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let expected: Timestamp = "2019-06-20T12:03:18Z".parse().unwrap();
        for text in [
            "2019-06-20T12:03:18Z",
            "2019-06-20T12:03:18.000Z",
            "2019-06-20T12:03:18.000000000Z",
            "2019-06-20T14:03:18+02:00",
            "2019-06-20T12:03:18+0000",
            "2019-06-20T12:03:18.000",
            "2019-06-20 12:03:18",
            " 2019-06-20T12:03:18Z ",
            "1561032198",
            "1561032198000",
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        for text in ["", "string", "12:03:18.5", "2019-13-20T12:03:18Z", "null"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn only_sane_times_in_order_are_believed() {
        let frame = TimeFrame::new("2026-11-20T00:00:00Z".parse().unwrap());
        let both = |started, ended| frame.read_both(Some(started), Some(ended));
        let good = both("2026-11-19T10:00:00Z", "2026-11-19T11:00:00Z");
        assert!(good.started.is_some() && good.ended.is_some() && !good.invalid);

        let january_1970 = both("1970-01-20T01:47:10.561Z", "2026-11-19T11:00:00Z");
        assert_eq!(january_1970.started, None);
        assert!(january_1970.ended.is_some() && january_1970.invalid);

        let reversed = both("2026-11-19T10:00:00Z", "2026-11-19T09:59:59Z");
        assert_eq!(reversed.ended, None);
        assert!(reversed.started.is_some() && reversed.invalid);

        let future = both("2026-11-22T00:00:01Z", "");
        assert!(future.started.is_none() && future.invalid);

        assert_eq!(frame.read_both(None, Some("")), Times::default());
    }
}
