//! Makes visible what a terminal or a browser would act on.
//!
//! Task names and error texts of a source may carry any character: some begin
//! escape sequences, others turn the direction of writing round. Logs, pages and
//! JSON show them as what they are.

use std::borrow::Cow;
use std::path::Path;

/// The text with such characters as `\u009b`, which is right within JSON too.
/// Line feeds stay.
///
/// ```
/// use virt_task_exporter::visible::escape;
/// assert_eq!(escape("exe\u{202e}fdp"), "exe\\u202efdp");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_active(c) {
            let code = u32::from(c);
            escaped.extend(format!("\\u{code:04x}").chars());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// The text in one line, with such characters and line feeds shown.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        return Cow::Owned(escape(text).replace('\n', "\\n"));
    }
    escape(text)
}

/// A path in one line; what is not UTF-8 in it stands as `\u{fffd}`.
pub fn path(path: &Path) -> String {
    line(&path.to_string_lossy()).into_owned()
}

fn is_active(c: char) -> bool {
    match c {
        '\n' => false,
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_as_its_number() {
        for (text, shown) in [
            ("plain é 漢 \u{1f600}", "plain é 漢 \u{1f600}"),
            ("two\nlines", "two\nlines"),
            ("a\u{1b}[31mb\0\u{7f}", "a\\u001b[31mb\\u0000\\u007f"),
            ("\u{9b}31m", "\\u009b31m"),
            ("\u{202e}x\u{2066}y\u{61c}", "\\u202ex\\u2066y\\u061c"),
            ("a\u{200b}b\u{feff}", "a\\u200bb\\ufeff"),
        ] {
            assert_eq!(escape(text), shown);
        }
    }

    #[test]
    fn a_path_is_one_line() {
        let shown = path(Path::new("a\n\u{1b}[31m\t/b c"));
        assert_eq!(shown, "a\\n\\u001b[31m\\u0009/b c");
    }

    #[test]
    fn json_says_the_same_before_and_after() {
        let text = "a\u{9b}\u{202e}\"\\\u{feff}";
        let json = serde_json::to_string(text).unwrap();
        let escaped = escape(&json);
        assert!(escaped.is_ascii(), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }
}
