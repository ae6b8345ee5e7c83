//! The process itself, under the names that every Prometheus client uses.

use std::fs;
use std::sync::LazyLock;

use super::{Metric, Samples};

/// Adds what the kernel tells of this process; what it does not tell is left out.
pub(super) fn add(samples: &mut Samples) {
    if let Some(stat) = fs::read_to_string("/proc/self/stat")
        .ok()
        .as_deref()
        .and_then(Stat::parse)
    {
        samples.add(Metric::ProcessCpu, [], stat.cpu_seconds());
        samples.add(Metric::ProcessThreads, [], stat.threads);
        samples.add(Metric::ProcessVirtualMemory, [], stat.virtual_bytes);
        let page = u64::try_from(rustix::param::page_size()).unwrap_or_default();
        let resident = stat.resident_pages.saturating_mul(page);
        samples.add(Metric::ProcessResidentMemory, [], resident);
        samples.add_some(Metric::ProcessStart, [], stat.start_seconds());
    }
    let descriptors = fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
    // One of them is the folder that was just read.
    let open = descriptors.map(|count| count.saturating_sub(1));
    samples.add_some(Metric::ProcessOpenFds, [], open);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    samples.add_some(Metric::ProcessMaxFds, [], limit);
}

/// When the system started, which ticks count from. It is read once, as the
/// kernel takes long for this file and tells another time when the clock is set.
static BOOT: LazyLock<Option<f64>> = LazyLock::new(|| {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    boot.trim().parse().ok()
});

/// Fields of `/proc/PID/stat`, as the manual page `proc_pid_stat(5)` numbers them.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    cpu_ticks: u64,
    threads: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is a name in brackets, with whatever in it.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    fn cpu_seconds(&self) -> f64 {
        seconds(self.cpu_ticks)
    }

    fn start_seconds(&self) -> Option<f64> {
        BOOT.map(|boot| boot + seconds(self.start_ticks))
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "ticks since boot are far below 2^52"
)]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stat_line_is_read_whatever_the_name_holds() {
        let line =
            "42 (a) b) c) S 1 42 42 0 -1 4194560 100 0 0 0 7 3 0 0 20 0 4 0 12345 1000000 250 1844";
        assert_eq!(
            Stat::parse(line),
            Some(Stat {
                cpu_ticks: 10,
                threads: 4,
                start_ticks: 12345,
                virtual_bytes: 1_000_000,
                resident_pages: 250,
            })
        );
        assert_eq!(Stat::parse("42 (a) S 1"), None);
    }
}
