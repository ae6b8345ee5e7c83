//! A damaged file: whatever happens to it, the message is one line without a secret.

use proptest::prelude::*;

use super::parse;

const SECRET: &str = "hunter+2";

const WHOLE: &str = "global:
  poll_interval: 10s
sources:
- &base
  name: one
  system: sddc_manager
  url: https://one.example
  username: u
  password: hunter+2
  tls_config: {insecure_skip_verify: no}
  http_headers: {X-Key: {secrets: [hunter+2]}}
- <<: *base
  name: two
  proxy_url: http://u:hunter+2@proxy.example
  restores: [a, b]
";

/// What makes YAML of text, and some that does not.
const PIECES: [&str; 22] = [
    "", " ", "\n", ":", ": ", "-", "- ", "#", "'", "\"", "{", "}", "[", "]", ",", "&a ", "*a ",
    "<<: ", "!!int ", "|\n", "\t", "? ",
];

fn damage() -> impl Strategy<Value = String> {
    let edit = (
        0..WHOLE.len(),
        0..12_usize,
        prop::sample::select(&PIECES[..]),
    );
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut text = WHOLE.to_owned();
        for (at, len, piece) in edits {
            let at = at.min(text.len());
            let end = (at + len).min(text.len());
            text.replace_range(at..end, piece);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn a_message_is_one_line_without_a_secret(text in damage()) {
        if let Err(message) = parse(&text) {
            prop_assert!(message.starts_with("/etc/vte/vte.yml:"), "{message}");
            prop_assert!(!message.contains(char::is_control), "{message}");
            prop_assert!(!message.contains(SECRET), "{message}");
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        prop_assert!(parse(&text).is_err());
    }
}

#[test]
fn the_whole_file_is_right() {
    assert_eq!(parse(WHOLE).unwrap().sources.len(), 2);
}
