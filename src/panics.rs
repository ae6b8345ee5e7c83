//! Panics: caught where they cost least, and logged like anything else.
//!
//! A panic is a fault of ours. It is to cost no more than the work that it falls
//! into: one poll of one source, or one answer.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{self, Display};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use futures_util::FutureExt as _;
use tracing::error;

use crate::visible;

/// Does some work; if it panics, returns what the panic says.
///
/// What the work changes must be set right by the caller then.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(&*panic))
}

/// The same for work that waits.
pub(crate) async fn caught_in<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| message(&*panic))
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

/// A panic in one line, whatever its text holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    text: String,
    location: String,
    thread: String,
    /// Where the environment asks for one.
    backtrace: Option<String>,
}

impl Report {
    pub(crate) fn new(text: &str, location: Option<&dyn Display>, backtrace: &Backtrace) -> Self {
        let location = location.map(ToString::to_string);
        let backtrace = (backtrace.status() == BacktraceStatus::Captured)
            .then(|| visible::line(&backtrace.to_string()).into_owned());
        Self {
            text: visible::line(text).into_owned(),
            location: location.unwrap_or_default(),
            thread: thread::current().name().unwrap_or("unnamed").to_owned(),
            backtrace,
        }
    }

    pub(crate) fn log(&self) {
        let (location, thread) = (&self.location, &self.thread);
        let backtrace = self.backtrace.as_deref();
        error!(panic = %self.text, location, thread, backtrace, "panicked");
    }
}

/// Logs each panic from now on, in one line, instead of writing it as it is.
pub(crate) fn log_from_now_on() {
    tell_from_now_on(Report::log);
}

/// Has each panic told from now on, instead of writing it as it is.
///
/// What tells must not panic, which would end the process.
pub(crate) fn tell_from_now_on(tell: impl Fn(&Report) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        let text = message(panic.payload());
        let location = panic.location().map(|place| -> &dyn Display { place });
        tell(&Report::new(&text, location, &Backtrace::capture()));
    }));
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked at {}: {}", self.location, self.text)?;
        match &self.backtrace {
            Some(backtrace) => write!(f, ": {backtrace}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
