//! Tells a person at a terminal which sources are still awaited.

use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::visible;

/// A line on standard error, if that is a terminal; else nothing.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    awaited: BTreeSet<String>,
}

impl Progress {
    /// Waits for these sources.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        const REDRAWN: Duration = Duration::from_millis(100);
        let awaited: BTreeSet<_> = names.map(str::to_owned).collect();
        let count = u64::try_from(awaited.len()).unwrap_or(u64::MAX);
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(count);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(REDRAWN);
        let progress = Self { bar, awaited };
        progress.tell();
        progress
    }

    /// Takes in that a source was polled.
    pub(super) fn done(&mut self, name: &str) {
        self.awaited.remove(name);
        self.bar.inc(1);
        self.tell();
    }

    fn tell(&self) {
        let names: Vec<_> = self.awaited.iter().map(String::as_str).collect();
        self.bar
            .set_message(visible::line(&names.join(", ")).into_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
