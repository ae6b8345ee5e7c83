//! Each step of a task's way, beside its floor.
//!
//! `cargo bench --bench steps [-- TASKS...]`, of 1,000 to a million. With
//! `count STEP TASKS` it does one step once, for `benches/instructions`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what the program is for"
)]

mod bare;
mod step;

use std::error::Error;
use std::process::ExitCode;

use step::{STEPS, Step};
use tokio::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often each step is done, of which the quickest counts.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let ran = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", name, tasks, ..] => count(name, tasks),
        _ => table(&words),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Does one step once.
fn count(name: &str, tasks: &str) -> Result<()> {
    let step = STEPS.into_iter().find(|step| step.name == name);
    let [run, _floor] = (step.ok_or("there is no such step")?.prepare)(tasks.parse()?)?;
    drop(run()?);
    Ok(())
}

fn table(words: &[String]) -> Result<()> {
    let mut sizes: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000, 1_000_000];
    }
    println!("    tasks step      ns a task        floor   ratio  which is");
    for tasks in sizes {
        for Step {
            name,
            floor,
            prepare,
        } in STEPS
        {
            let mut best = [f64::MAX; 2];
            for _ in 0..ROUNDS {
                for (best, run) in best.iter_mut().zip(prepare(usize::try_from(tasks)?)?) {
                    let began = Instant::now();
                    let result = run()?;
                    let nanos = began.elapsed().as_secs_f64() * 1e9;
                    drop(result);
                    *best = best.min(nanos / f64::from(tasks));
                }
            }
            let [took, least] = best;
            let ratio = took / least;
            println!("{tasks:>9} {name:8} {took:10.1} {least:12.1} {ratio:7.2}  {floor}");
        }
    }
    Ok(())
}
