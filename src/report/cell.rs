//! What stands in a cell of the table.

use jiff::fmt::friendly::{Designator, SpanPrinter};
use jiff::{SignedDuration, Timestamp, Unit};

use super::Row;
use crate::task::{Status, Task};

/// A bar for an open task.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the ratio is held between 0 and 1"
)]
pub(super) fn progress(row: &Row) -> Option<String> {
    const LENGTH: usize = 10;
    let ratio = row.task.progress_ratio().filter(|_| row.open)?;
    let ratio = ratio.clamp(0.0, 1.0);
    // Rounded down: only what is all done looks so.
    let percent = (ratio * 100.0) as usize;
    let full = percent * LENGTH / 100;
    let bar = "█".repeat(full) + &"░".repeat(LENGTH - full);
    Some(format!("{bar} {percent:>3}%"))
}

/// How long it took, or takes so far.
pub(super) fn duration(task: &Task, now: Timestamp) -> Option<String> {
    let running = task.status.is_unfinished().then_some(now);
    let took = task.ended.or(running)?.duration_since(task.started?);
    Some(human(took.max(SignedDuration::ZERO)))
}

/// Its two largest units.
fn human(took: SignedDuration) -> String {
    let smallest = match took.as_hours() {
        24.. => Unit::Hour,
        1.. => Unit::Minute,
        _ => Unit::Second,
    };
    let whole = jiff::SpanRound::new()
        .largest(Unit::Day)
        .smallest(smallest)
        .mode(jiff::RoundMode::Trunc)
        .days_are_24_hours();
    let span = jiff::Span::try_from(took).and_then(|span| span.round(whole));
    let printer = SpanPrinter::new().designator(Designator::Compact);
    span.map_or_else(|_| took.to_string(), |span| printer.span_to_string(&span))
}

/// A time to the minute.
pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Where it failed, and with which code.
pub(super) fn failed_at(row: &Row) -> String {
    if row.task.status != Status::Failed {
        return String::new();
    }
    let place = row.failed_at().map(|(path, more)| match more {
        0 => path,
        more => format!("{path} (and {more} more)"),
    });
    let code = row.task.error_code().map(|code| format!("[{code}]"));
    place.into_iter().chain(code).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (3_599, "59m 59s"),
            (3_600, "1h"),
            (7_384, "2h 3m"),
            (86_400 * 40 + 3_700, "40d 1h"),
        ] {
            assert_eq!(human(SignedDuration::from_secs(seconds)), text);
        }
    }
}
