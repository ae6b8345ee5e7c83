//! What polls cost.

use std::time::Duration;

use tokio::time::Instant;

use super::program::{Program, sum};
use super::{Result, floor, line};

const FULL: &str = "virt_source_polls_total{source=\"s000\",mode=\"full\"}";
const STEADY: &str = "virt_source_polls_total{source=\"s000\",mode=\"steady\"}";
const REQUESTS: &str = "virt_source_requests_total{source=\"s000\"";

/// How long steady polls are watched.
const SPAN: Duration = Duration::from_secs(40);

/// How often a full poll is measured; the least counts, as of the parse.
const ROUNDS: usize = 3;

/// A full poll, with fetching, ledger and disk, to a bare parse of its pages.
pub(super) fn full(sizes: &[usize]) -> Result<()> {
    for &tasks in sizes {
        let folder = tempfile::tempdir()?;
        let simulator = line::simulator(folder.path(), tasks, "0")?;
        let pages = floor::pages(&simulator)?;
        let bytes: usize = pages.iter().map(String::len).sum();
        let parse = floor::parse(&pages)?.as_secs_f64();
        drop(pages);
        let (mut cpu, mut peak) = (f64::MAX, 0.0_f64);
        for _ in 0..ROUNDS {
            let (spent, most) = first_poll(&simulator)?;
            cpu = cpu.min(spent);
            peak = peak.max(most);
        }
        let promised = 64.0 + 100.0 * tasks as f64 / f64::from(1 << 20);
        println!(
            "{tasks} tasks, {:.1} MB: CPU {cpu:.2} s, {:.2} of a bare parse ({parse:.3} s); \
             peak {peak:.1} MiB of {promised:.1}",
            bytes as f64 / 1e6,
            cpu / parse,
        );
    }
    Ok(())
}

/// The CPU seconds of an exporter's first poll, and its peak of memory in MiB.
fn first_poll(simulator: &Program) -> Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    // The program's own start is not the poll's.
    let idle = Program::start(folder.path(), &["demo", "--web.listen-address=127.0.0.1:0"])?;
    let start = idle.cpu()?;
    drop(idle);
    let global = "poll_interval: 10m, stale_after: 1h";
    let exporter = line::exporter(folder.path(), simulator, 1, global)?;
    line::scraped(&exporter, |page| sum(page, FULL) > 0.5)?;
    Ok((exporter.cpu()? - start, exporter.peak()?))
}

/// Steady polls with ten new tasks each, to a full poll.
pub(super) fn steady(sizes: &[usize]) -> Result<()> {
    for &tasks in sizes {
        for (rate, interval) in [("1", "10s"), ("0", "1s")] {
            let folder = tempfile::tempdir()?;
            let simulator = line::simulator(folder.path(), tasks, rate)?;
            let global =
                format!("poll_interval: {interval}, full_poll_interval: 1h, stale_after: 1h");
            let exporter = line::exporter(folder.path(), &simulator, 1, &global)?;
            line::scraped(&exporter, |page| sum(page, FULL) > 0.5)?;
            let full = exporter.cpu()?;
            let before = line::scraped(&exporter, |page| sum(page, STEADY) > 0.5)?;
            let (cpu, began) = (exporter.cpu()?, Instant::now());
            std::thread::sleep(SPAN);
            let after = line::scraped(&exporter, |_| true)?;
            let seconds = began.elapsed().as_secs_f64();
            let grown = |what| sum(&after, what) - sum(&before, what);
            let (polls, requests) = (grown(STEADY), grown(REQUESTS));
            let spent = (exporter.cpu()? - cpu) / polls;
            println!(
                "{tasks} tasks, {rate} new a second, every {interval}: {:.1} requests a poll, \
                 CPU {:.1} ms, {:.2} % of a full one ({full:.2} s); {polls} steady and {} full polls in {seconds:.0} s; \
                 peak {:.1} MiB",
                requests / (polls + grown(FULL)),
                spent * 1e3,
                100.0 * spent / full,
                grown(FULL),
                exporter.peak()?,
            );
        }
    }
    Ok(())
}
