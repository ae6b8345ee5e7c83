//! Texts of sources, and times.

use std::fmt;

use askama::Template;
use jiff::Timestamp;

use crate::visible;
use crate::web::age;

/// A text from outside, in which nothing acts on the browser; the template
/// escapes it besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Text<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// As the value of a parameter of a URL.
    pub(super) fn encoded(&self) -> String {
        url::form_urlencoded::byte_serialize(self.0.as_bytes()).collect()
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Lines of traces are indented with tabs, and some end as on Windows.
        let text = self.0.replace('\t', "    ").replace("\r\n", "\n");
        f.write_str(&visible::escape(&text))
    }
}

/// When something was, and how long ago.
#[derive(Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ rfc }}">{{ ago }} ago <span class="at">{{ rfc }}</span></time>"#
)]
pub(super) struct When {
    rfc: String,
    ago: String,
}

impl askama::filters::HtmlSafe for When {}

impl When {
    pub(super) fn new(time: Timestamp, seconds: u64) -> Self {
        Self {
            rfc: rfc3339(time),
            ago: age::span(seconds),
        }
    }
}

/// A time to the second.
pub(super) fn rfc3339(time: Timestamp) -> String {
    format!("{time:.0}")
}
