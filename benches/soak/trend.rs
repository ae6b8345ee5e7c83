//! Whether figures level off.

use std::fmt;

use super::Result;
use super::program::sum;

/// The figures of one moment.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    memory: f64,
    descriptors: f64,
    threads: f64,
    ledgers: f64,
    entries: f64,
    sessions: f64,
    series: f64,
}

/// What is looked at for growth: a name, the figure, and what it may grow by
/// from the middle to the end, as a share and beyond it.
type Figure = (&'static str, fn(&Sample) -> f64, f64, f64);

const FIGURES: [Figure; 6] = [
    ("memory in MiB", |sample| sample.memory, 0.1, 1.0),
    ("descriptors", |sample| sample.descriptors, 0.1, 5.0),
    ("threads", |sample| sample.threads, 0.0, 3.0),
    ("ledgers in MiB", |sample| sample.ledgers, 0.1, 1.0),
    ("entries", |sample| sample.entries, 0.1, 500.0),
    ("sessions", |sample| sample.sessions, 0.0, 3.0),
];

#[derive(Default)]
pub(super) struct Trend(Vec<Sample>);

impl Sample {
    pub(super) const HEADER: &str =
        "         memory MiB  descriptors  threads  ledgers MiB  entries  sessions   series";

    /// The figures of a page, and the sessions that the systems know of.
    pub(super) fn of(page: &str, sessions: usize) -> Self {
        const MIB: f64 = 1_048_576.0;
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        Self {
            memory: sum(page, "process_resident_memory_bytes") / MIB,
            descriptors: sum(page, "process_open_fds"),
            threads: sum(page, "process_threads"),
            ledgers: sum(page, "virt_exporter_ledger_size_bytes") / MIB,
            entries: sum(page, "virt_exporter_ledger_entries"),
            sessions: count(sessions),
            series: count(lines.count()),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:10.1} {:12} {:8} {:12.1} {:8} {:9} {:8}",
            self.memory,
            self.descriptors,
            self.threads,
            self.ledgers,
            self.entries,
            self.sessions,
            self.series
        )
    }
}

impl Trend {
    pub(super) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// An error if something is larger in the last quarter than in the one before.
    pub(super) fn verdict(&self) -> Result<()> {
        let quarter = self.0.len() / 4;
        if quarter < 2 {
            return Err("too few samples for a verdict".into());
        }
        let (rest, last) = self.0.split_at(self.0.len() - quarter);
        let (_, before) = rest.split_at(rest.len() - quarter);
        let largest = |samples: &[Sample], figure: fn(&Sample) -> f64| {
            samples.iter().map(figure).fold(0.0, f64::max)
        };
        let mut grown = Vec::new();
        for (name, figure, share, beyond) in FIGURES {
            let (earlier, later) = (largest(before, figure), largest(last, figure));
            println!("{name}: at most {earlier:.1} in the third quarter, {later:.1} in the last");
            if later > earlier * (1.0 + share) + beyond {
                grown.push(name);
            }
        }
        if grown.is_empty() {
            return Ok(());
        }
        Err(format!("still growing: {}", grown.join(", ")).into())
    }
}
