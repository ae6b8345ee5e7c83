//! A writer of lines in which nothing acts on a terminal.
//!
//! The formatters escape the control characters up to the blank alone.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::visible::escape;

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
            Ok(text) => self.0.write_all(escape(text).as_bytes())?,
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
