//! Makes visible what a terminal would act on.
//!
//! The formatters escape the control characters up to the blank. Those beyond ASCII begin escape sequences too, and
//! others turn the direction of writing round; task names and error texts of a source may carry any of them.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Makes writers that show such characters as `\u009b`, which is right within JSON too.
#[derive(Clone, Copy, Debug)]
pub(super) struct MakeVisible<M>(M);

impl<M> MakeVisible<M> {
    pub(super) const fn new(inner: M) -> Self {
        Self(inner)
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for MakeVisible<M> {
    type Writer = Visible<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Visible(self.0.make_writer())
    }
}

/// Writes whole lines.
#[derive(Debug)]
pub(super) struct Visible<W>(W);

impl<W: Write> Write for Visible<W> {
    /// The formatters hand over one line at a time, so no character is ever cut.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line) {
            Ok(text) if text.contains(is_active) => {
                self.0.write_all(escape(text).as_bytes())?;
            }
            _ => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_active(c: char) -> bool {
    match c {
        '\n' => false,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_active(c) {
            let code = u32::from(c);
            escaped.extend(format!("\\u{code:04x}").chars());
        } else {
            escaped.push(c);
        }
    }
    escaped
}
