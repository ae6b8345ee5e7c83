//! The built program beside the floors that it is promised to stay near.
//!
//! `cargo bench --bench goals [-- PART... TASKS...]`, of `poll`, `steady` and
//! `serve`, and some numbers of tasks.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "the figures are what the program is for, and are rounded anyway"
)]

mod floor;
mod line;
mod load;
mod poll;
#[path = "../program.rs"]
mod program;
mod serve;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A part of the figures, for some numbers of tasks.
type Part = fn(&[usize]) -> Result<()>;

const PARTS: [(&str, Part); 3] = [
    ("poll", poll::full),
    ("steady", poll::steady),
    ("serve", serve::run),
];

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let mut sizes: Vec<_> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 100_000];
    }
    let names = PARTS.map(|(name, _)| name);
    let asked: Vec<_> = words
        .iter()
        .filter(|word| names.contains(&word.as_str()))
        .collect();
    for (name, measure) in PARTS {
        if !asked.is_empty() && !asked.iter().any(|word| *word == name) {
            continue;
        }
        println!("== {name}");
        if let Err(error) = measure(&sizes) {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
