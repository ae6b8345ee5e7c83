//! How long ago something was, in words.

use jiff::Timestamp;

/// A span of whole seconds as people say it, in two units at most.
pub(super) fn span(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let two = |count: u64, unit: &str, rest: u64, small: &str| match rest {
        0 => format!("{count} {unit}"),
        rest => format!("{count} {unit} {rest} {small}"),
    };
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => two(seconds / HOUR, "h", seconds % HOUR / MINUTE, "min"),
        _ => two(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

/// Whole seconds from `then` to `now`; none if `then` is to come.
pub(super) fn seconds(then: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(then).as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_two_units_at_most() {
        for (seconds, said) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (5_460, "1 h 31 min"),
            (86_400, "1 d"),
            (100_000, "1 d 3 h"),
            (86_400 * 400 + 3_600 * 23, "400 d 23 h"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }

    #[test]
    fn what_is_to_come_is_now() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = Timestamp::from_second(1_800_000_009).unwrap();
        assert_eq!(seconds(later, now), 0);
        assert_eq!(seconds(now, later), 9);
    }
}
