//! A simulated SDDC Manager and an exporter of it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::Result;
use super::program::{Program, get};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// A simulated SDDC Manager with so many tasks, and so many new ones a second.
pub(super) fn simulator(folder: &Path, tasks: usize, rate: &str) -> Result<Program> {
    let tasks = format!("--tasks={tasks}");
    let rate = format!("--rate={rate}");
    let words = [
        "simulate",
        "sddc_manager",
        "--listen=127.0.0.1:0",
        &tasks,
        &rate,
    ];
    Program::start(folder, &words)
}

/// An exporter with so many sources, which are all the same simulator.
pub(super) fn exporter(
    folder: &Path,
    simulator: &Program,
    sources: usize,
    global: &str,
) -> Result<Program> {
    let mut config = format!("global: {{{global}}}\nsources:\n");
    for number in 0..sources {
        writeln!(
            config,
            "  - {{name: s{number:03}, system: sddc_manager, url: 'http://{}', \
             username: svc-exporter@vsphere.local, password: demo}}",
            simulator.address
        )?;
    }
    fs::write(folder.join("virt-task-exporter.yml"), config)?;
    Program::start(folder, &["--web.listen-address=127.0.0.1:0"])
}

/// The metrics, once they are as they should be.
pub(super) fn scraped(exporter: &Program, is: impl Fn(&str) -> bool) -> Result<String> {
    let began = Instant::now();
    loop {
        let page = get(&exporter.address, "/metrics", &[])?;
        if is(&page) {
            return Ok(page);
        }
        if began.elapsed() > PATIENCE {
            return Err("it does not come to what it should".into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
