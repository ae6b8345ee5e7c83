use super::*;

#[test]
fn a_panic_is_caught_with_what_it_says() {
    assert_eq!(caught(|| 1), Ok(1));
    assert_eq!(caught::<()>(|| panic!("at {}", 1)), Err("at 1".to_owned()));
    assert_eq!(caught::<()>(|| panic!("so")), Err("so".to_owned()));
    let odd = caught::<()>(|| std::panic::panic_any(1));
    assert_eq!(odd, Err("no message".to_owned()));
}

#[test]
fn a_report_is_one_line_without_what_acts_on_a_terminal() {
    let lines = "a\n\u{1b}[31mb\u{202e}";
    let report = Report::new(lines, Some(&"src/a.rs:1:2"), &Backtrace::disabled());
    assert_eq!(report.text, "a\\n\\u001b[31mb\\u202e");
    assert_eq!(report.location, "src/a.rs:1:2");
    assert_eq!(report.backtrace, None);
    let report = Report::new("", None, &Backtrace::force_capture());
    let backtrace = report.backtrace.unwrap();
    assert!(
        !backtrace.contains('\n') && backtrace.contains("\\n"),
        "{backtrace}"
    );
}
