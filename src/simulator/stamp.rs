//! The form of the API's timestamps: UTC, three digits of milliseconds and `Z`.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde::Serializer;

/// Length of every stamp in bytes.
pub(super) const STAMP_LENGTH: usize = 24;

/// Appends `time` as `2026-11-20T15:00:00.000Z`; years from 0 to 9999.
pub(super) fn push_stamp(out: &mut String, time: Timestamp) {
    // A page of history holds over a thousand stamps: a general formatter is too slow here.
    let time = Offset::UTC.to_datetime(time);
    let fields = [
        (time.year().unsigned_abs(), 1000, '-'),
        (time.month().unsigned_abs().into(), 10, '-'),
        (time.day().unsigned_abs().into(), 10, 'T'),
        (time.hour().unsigned_abs().into(), 10, ':'),
        (time.minute().unsigned_abs().into(), 10, ':'),
        (time.second().unsigned_abs().into(), 10, '.'),
        (time.millisecond().unsigned_abs(), 100, 'Z'),
    ];
    for (value, place, end) in fields {
        push_digits(out, value, place);
        out.push(end);
    }
}

/// Appends `value` with leading zeros; `place` is the worth of the first digit.
fn push_digits(out: &mut String, value: u16, mut place: u16) {
    while place > 0 {
        let digit = u32::from(value / place % 10);
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
        place /= 10;
    }
}

/// `time` moved by milliseconds, held within what a timestamp can say.
pub(super) fn later(time: Timestamp, millis: i64) -> Timestamp {
    let edge = if millis < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    time.checked_add(SignedDuration::from_millis(millis))
        .unwrap_or(edge)
}

/// `time` as a stamp.
pub(super) fn stamp(time: Timestamp) -> String {
    let mut out = String::with_capacity(STAMP_LENGTH);
    push_stamp(&mut out, time);
    out
}

/// `time` as the `Date` header has it.
pub(super) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Serializes a time as a stamp.
pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&stamp(*time))
}

/// Serializes an optional time; the absent one is left out by its field.
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn serialize_option<S: Serializer>(
    time: &Option<Timestamp>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, to),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_have_three_digits_and_a_z() {
        let time: Timestamp = "2026-11-20T15:00:00.007Z".parse().unwrap();
        assert_eq!(stamp(time), "2026-11-20T15:00:00.007Z");
        assert_eq!(stamp(Timestamp::UNIX_EPOCH).len(), STAMP_LENGTH);
    }
}
