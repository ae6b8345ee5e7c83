//! Lines as they are written.

use std::backtrace::Backtrace;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::{debug, error, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;

use super::{Format, Level, layer};
use crate::panics::Report;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(level: Level, format: Format, events: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let (layer, _dial) = layer(level, format, move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, events);
    let bytes = lines.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The only line, without its time, which is checked to be the first field.
#[track_caller]
fn logfmt(events: impl FnOnce()) -> String {
    let lines = logged(Level::Debug, Format::Logfmt, events);
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    let (time, rest) = line.split_once(' ').unwrap();
    let time = time.strip_prefix("ts=").unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    rest.to_owned()
}

#[test]
fn logfmt_has_time_level_message_and_fields() {
    let line = logfmt(|| info!(tasks = 3, source = "a", ratio = 0.5, "polled"));
    assert_eq!(line, "level=info message=polled tasks=3 source=a ratio=0.5");
    let line = logfmt(|| {
        let _span = info_span!("poll", source = "a b").entered();
        warn!("failed");
    });
    assert_eq!(line, "level=warn message=failed source=\"a b\"");
}

#[test]
fn logfmt_stays_one_line_without_control_characters() {
    let cases = [
        ("a\nb", r#""a\nb""#),
        ("a\r\tb", r#""a\r\tb""#),
        ("a \"b\" c", r#""a \"b\" c""#),
        ("a=b", r#""a=b""#),
        ("\u{1b}[31mred", r#""\u{1b}[31mred""#),
        ("\0", r#""\0""#),
        ("\u{7f}", r"\u007f"),
        ("\u{9b}31mred", r"\u009b31mred"),
        ("\u{85}", r"\u0085"),
        ("a\u{202e}b", r"a\u202eb"),
        ("a\u{2028}b", r"a\u2028b"),
        ("ä€🦀", "ä€🦀"),
    ];
    for (value, written) in cases {
        let line = logfmt(|| info!(value, "x"));
        assert_eq!(line, format!("level=info message=x value={written}"));
        let line = logfmt(|| info!(value = %value, "x"));
        assert_eq!(line, format!("level=info message=x value={written}"));
        let line = logfmt(|| {
            let _span = info_span!("s", value).entered();
            info!("x");
        });
        assert_eq!(line, format!("level=info message=x value={written}"));
        let line = logfmt(|| info!("{value}"));
        assert_eq!(line, format!("level=info message={written}"));
    }
}

#[test]
fn json_is_one_object_a_line() {
    let value = "a\n\u{1b}\u{7f}\u{9b}\u{202e}\"b";
    let lines = logged(Level::Info, Format::Json, || {
        let _span = info_span!("poll", source = value).entered();
        info!(value, tasks = 3, "polled");
    });
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert!(!line.contains(char::is_control), "{line}");
    let object: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(object["level"], "INFO");
    assert_eq!(object["message"], "polled");
    assert_eq!(object["tasks"], 3);
    assert_eq!(object["value"], value);
    assert_eq!(object["span"]["source"], value);
    let time = object["timestamp"].as_str().unwrap();
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
}

#[test]
fn libraries_are_quiet_below_warn() {
    let events = || {
        debug!("debug");
        info!("info");
        warn!("warn");
        error!("error");
        debug!(target: "hyper", "secret");
        info!(target: "reqwest::connect", "secret");
        warn!(target: "hyper", "their-warn");
        error!(target: "hyper", "their-error");
    };
    let cases: [(Level, &[&str]); 4] = [
        (
            Level::Debug,
            &[
                "debug",
                "info",
                "warn",
                "error",
                "their-warn",
                "their-error",
            ],
        ),
        (
            Level::Info,
            &["info", "warn", "error", "their-warn", "their-error"],
        ),
        (Level::Warn, &["warn", "error", "their-warn", "their-error"]),
        (Level::Error, &["error", "their-error"]),
    ];
    for (level, expected) in cases {
        let lines = logged(level, Format::Logfmt, events);
        let messages: Vec<_> = lines
            .iter()
            .map(|line| line.split_once("message=").unwrap().1)
            .collect();
        assert_eq!(messages, expected, "{level:?}");
    }
}

#[test]
fn the_level_follows_the_dial_and_goes_back() {
    let lines = Lines::default();
    let writer = lines.clone();
    let (layer, dial) = layer(Level::Warn, Format::Logfmt, move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        // The same call each time: whether it is enabled is remembered.
        for (number, level) in [None, Some(Level::Debug), None, Some(Level::Info)]
            .into_iter()
            .enumerate()
        {
            dial.set(level);
            debug!(number, "x");
            debug!(target: "hyper", "secret");
        }
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("number=1"), "{text}");
}

#[test]
fn a_panic_is_one_line_as_any_event() {
    let text = "two\nlines \u{1b}[31m\u{202e}";
    let report = Report::new(text, Some(&"src/a.rs:1:2"), &Backtrace::disabled());
    let line = logfmt(|| report.log());
    let (rest, thread) = line.split_once(" thread=").unwrap();
    assert_eq!(
        rest,
        "level=error message=panicked panic=\"two\\\\nlines \\\\u001b[31m\\\\u202e\" location=src/a.rs:1:2"
    );
    assert!(!thread.contains("backtrace"), "{thread}");
    let report = Report::new(text, None, &Backtrace::force_capture());
    let line = logfmt(|| report.log());
    assert!(line.contains(" backtrace="), "{line}");
}
