//! Logging to standard error, one line an event.

mod visible;

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use visible::MakeVisible;

/// Our events' target, and that of all modules below.
const OURS: &str = env!("CARGO_CRATE_NAME");

/// The least severe events that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Level {
    /// All that may help to find a fault.
    Debug,
    /// The course of things.
    #[default]
    Info,
    /// What an operator may act on.
    Warn,
    /// Why the program ends.
    Error,
}

/// How an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// A JSON object.
    Json,
}

/// Sets how much is logged.
#[derive(Debug)]
pub struct Dial<S = Registry> {
    handle: reload::Handle<Targets, S>,
    /// The level of the start.
    first: Level,
}

impl<S> Dial<S> {
    /// Logs events of this level and more severe ones from now on; without a
    /// level, as at the start.
    pub fn set(&self, level: Option<Level>) {
        let filter = filter(level.unwrap_or(self.first));
        // Only fails once nothing is logged any more.
        self.handle.reload(filter).unwrap_or_default();
    }
}

/// Logs to standard error from now on; an error if the process logs already.
pub fn init(level: Level, format: Format) -> Result<Dial, TryInitError> {
    let (layer, dial) = layer(level, format, io::stderr);
    tracing_subscriber::registry().with(layer).try_init()?;
    Ok(dial)
}

/// A dial of a log that nobody reads.
#[cfg(test)]
pub(crate) fn unheard() -> Dial {
    layer(Level::Error, Format::Logfmt, io::sink).1
}

fn layer<S, W>(level: Level, format: Format, writer: W) -> (impl Layer<S>, Dial<S>)
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let writer = MakeVisible::new(writer);
    let layer = match format {
        Format::Logfmt => logfmt(writer).boxed(),
        Format::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    };
    let (filter, handle) = reload::Layer::new(filter(level));
    let first = level;
    (layer.with_filter(filter), Dial { handle, first })
}

fn logfmt<S, W>(writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    tracing_logfmt::builder()
        .with_target(false)
        .with_span_name(false)
        .with_span_path(false)
        .layer()
        .with_writer(writer)
}

/// Libraries log headers and bodies below `warn`, and with them secrets.
fn filter(level: Level) -> Targets {
    let ours = LevelFilter::from(level);
    let theirs = ours.min(LevelFilter::WARN);
    Targets::new().with_default(theirs).with_target(OURS, ours)
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::DEBUG,
            Level::Info => Self::INFO,
            Level::Warn => Self::WARN,
            Level::Error => Self::ERROR,
        }
    }
}

#[cfg(test)]
mod tests;
