//! Twenty sources with faults and reloads for half an hour: does anything grow?
//!
//! `cargo bench --bench soak [-- MINUTES]`, 30 by default. Ends with 1 if
//! memory, descriptors, sessions or a ledger still grow at the end, or if what
//! was counted is not what happened.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what the program is for"
)]

#[path = "../program.rs"]
mod program;
mod systems;
mod trend;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use program::{Program, get, sum};
use systems::Systems;
use tokio::time::{Instant, sleep};
use trend::{Sample, Trend};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// From one fault to the next.
const STEP: Duration = Duration::from_secs(5);

/// From one sample, and reload, to the next.
const SAMPLE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let minutes = words.find_map(|word| word.parse().ok()).unwrap_or(30);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let ran = runtime
        .map_err(Box::from)
        .and_then(|runtime| runtime.block_on(run(Duration::from_secs(minutes * 60))));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(span: Duration) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut systems = Systems::start().await?;
    let file = folder.path().join("virt-task-exporter.yml");
    std::fs::write(&file, systems.config())?;
    let exporter = Program::start(folder.path(), &["--web.listen-address=127.0.0.1:0"])?;
    let mut trend = Trend::default();
    println!("{}", Sample::HEADER);
    let began = Instant::now();
    let mut sampled = began;
    while began.elapsed() < span {
        sleep(STEP).await;
        systems.disturb();
        if sampled.elapsed() < SAMPLE {
            continue;
        }
        sampled = Instant::now();
        std::fs::write(&file, systems.changed_config())?;
        reload(&exporter)?;
        let page = get(&exporter.address, "/metrics", &[])?;
        let sample = Sample::of(&page, systems.sessions());
        println!("{:>6} s {sample}", began.elapsed().as_secs());
        trend.add(sample);
    }
    systems.rest();
    settled(&exporter, &systems).await?;
    println!(
        "peak of memory {:.1} MiB, CPU {:.1} s in {} s",
        exporter.peak()?,
        exporter.cpu()?,
        began.elapsed().as_secs()
    );
    trend.verdict()
}

fn reload(exporter: &Program) -> Result<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(&exporter.address)?;
    stream.write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(answer.into())
}

/// Waits until what happened is counted: of several ends of one task between
/// two polls the last one alone, and nothing that did not happen.
async fn settled(exporter: &Program, systems: &Systems) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(180);
    loop {
        let page = get(&exporter.address, "/metrics", &[])?;
        let counted = sum(&page, "virt_task_finished_total{source=\"sddc");
        let happened = f64::from(u32::try_from(systems.outcomes())?);
        if counted > happened + 0.5 {
            return Err(format!("{happened} outcomes, and {counted} were counted").into());
        }
        if counted > happened * 0.98 || Instant::now() > until {
            println!("{happened} outcomes of the SDDC Managers, and {counted} counted");
            return Ok(());
        }
        sleep(Duration::from_secs(1)).await;
    }
}
