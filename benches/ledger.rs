//! What a ledger of many tasks costs: memory for each, and the time of a steady
//! poll, of a commit, of opening the file and of a copy, beside their floors.
//!
//! `cargo bench --bench ledger [-- TASKS]`, a million by default. Ends with 1 if
//! an entry takes more memory than is promised.

use std::alloc::System;
use std::error::Error;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::time::Instant;
use virt_task_exporter::ledger::storage::{Folder, Identity};
use virt_task_exporter::ledger::{KeptLedger, Limits, Now};
use virt_task_exporter::task::{Call, Extent, Listing, Resource, Status, Task};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What is promised, in bytes an entry.
const PROMISED: usize = 100;

/// The changes of a usual poll.
const CHANGES: usize = 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what the program is for"
)]
fn main() -> ExitCode {
    let asked = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let tasks = asked.unwrap_or(1_000_000);
    match run(tasks) {
        Ok(largest) if largest <= PROMISED => ExitCode::SUCCESS,
        Ok(largest) => {
            println!("{largest} bytes an entry are more than {PROMISED}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, and returns the most bytes that an entry takes.
#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn run(tasks: usize) -> Result<usize> {
    let scratch = tempfile::tempdir()?;
    println!("{tasks} tasks");
    let at_once = grown(&scratch.path().join("at-once"), tasks, tasks)?;
    let bit_by_bit = grown(&scratch.path().join("bit-by-bit"), tasks, tasks / 1000)?;
    println!("  {at_once:>8} bytes an entry after one poll");
    println!("  {bit_by_bit:>8} bytes an entry after a thousand polls");

    let folder = scratch.path().join("at-once");
    let file = folder.join("bench.redb");
    let floor = timed(|| drop(fs::read(&file)));
    let before = allocated();
    let began = Instant::now();
    let mut kept = open(&folder)?;
    let opened = began.elapsed();
    let reopened = (allocated() - before) / tasks;
    println!("  {reopened:>8} bytes an entry after opening the file");
    let size = usize::try_from(fs::metadata(&file)?.len())? / tasks;
    println!("  {size:>8} bytes an entry in the file");
    report("opening, to reading the file", opened, floor);

    let floor = median(|_| append(&scratch.path().join("floor")))?;
    let commit = median(|round| commit(&mut kept, tasks + round * CHANGES))?;
    report(
        "a commit of 20 changes, to 2 kB and fdatasync",
        commit,
        floor,
    );
    let folder = scratch.path().join("small");
    fs::create_dir_all(&folder)?;
    let mut small = open(&folder)?;
    meet(&mut small, 0, CHANGES, true);
    let floor = median(|round| Ok(steady(&mut small, (round + 1) * CHANGES)))?;
    let large = median(|round| Ok(steady(&mut kept, 2 * tasks + round * CHANGES)))?;
    report(
        "taking in a steady poll of 20 new tasks, to a ledger of 20",
        large,
        floor,
    );
    // What each poll of a ledger without a file begins with.
    let floor = median(|_| Ok(timed(|| drop(black_box(vec![7_u8; tasks * reopened])))))?;
    let copy = median(|_| Ok(timed(|| drop(black_box(kept.ledger().clone())))))?;
    report(
        "copying the ledger and dropping that, to filling as much memory",
        copy,
        floor,
    );
    Ok(at_once.max(bit_by_bit).max(reopened))
}

/// The memory of an entry in a ledger that met so many tasks, `step` a poll.
fn grown(folder: &Path, tasks: usize, step: usize) -> Result<usize> {
    fs::create_dir_all(folder)?;
    let mut kept = open(folder)?;
    meet(&mut kept, 0, 0, true);
    let before = allocated();
    for first in (0..tasks).step_by(step) {
        meet(&mut kept, first, step, false);
    }
    if kept.ledger().len() != tasks || kept.commit_failures() > 0 {
        return Err("the ledger does not hold the tasks".into());
    }
    Ok((allocated() - before) / tasks)
}

/// A poll that shows some finished tasks.
fn meet(kept: &mut KeptLedger, first: usize, count: usize, whole: bool) {
    let mut listing = Listing::new();
    for number in first..first + count {
        listing.meet("tasks", Call::List, task(number));
    }
    listing.read("tasks", whole);
    kept.apply(listing, now());
    kept.commit(Instant::now().into_std(), now().here);
}

/// The time of a commit after a poll with few changes; applying is left out, as
/// the listing is a partial one.
fn commit(kept: &mut KeptLedger, first: usize) -> Result<Duration> {
    let mut listing = Listing::new();
    for number in first..first + CHANGES {
        listing.meet("tasks", Call::List, task(number));
    }
    kept.apply(listing, now());
    let took = timed(|| kept.commit(Instant::now().into_std(), now().here));
    if kept.commit_failures() > 0 {
        return Err("a commit failed".into());
    }
    Ok(took)
}

/// The time of taking in a poll that read the newest tasks alone.
fn steady(kept: &mut KeptLedger, first: usize) -> Duration {
    let mut listing = Listing::new();
    for number in first..first + CHANGES {
        listing.meet("tasks", Call::List, task(number));
    }
    listing.read("tasks", Extent::Newest);
    timed(|| drop(kept.apply(listing, now())))
}

/// The time of the least that outlives a crash.
fn append(path: &Path) -> Result<Duration> {
    let mut file = File::options().create(true).append(true).open(path)?;
    let began = Instant::now();
    file.write_all(&[7; 2048])?;
    file.sync_data()?;
    Ok(began.elapsed())
}

fn open(folder: &Path) -> Result<KeptLedger> {
    let folder = Folder::lock(folder)?;
    let identity = Identity {
        source: "bench".to_owned(),
        system: "sddc_manager".to_owned(),
        url: "https://bench.example".to_owned(),
    };
    let days = |count: u64| Duration::from_secs(count * 86_400);
    let limits = Limits {
        retention: days(30),
        failure_open_for: days(30),
        birth_hold: Duration::from_secs(60),
        operations: 200,
        subtask_names: 500,
        error_codes: 100,
    };
    Ok(KeptLedger::open(&folder, identity, limits, now().here)?)
}

fn now() -> Now {
    let noon = Timestamp::from_second(1_795_000_000).unwrap_or_default();
    Now {
        here: noon,
        there: noon,
    }
}

fn task(number: usize) -> Task {
    let second = i64::try_from(number % 2_000_000).unwrap_or_default();
    let started = now().there - SignedDuration::from_secs(second);
    Task {
        id: format!("{number:08x}-0000-4000-8000-{number:012x}"),
        name: String::new(),
        operation: format!("OPERATION_{}", number % 50),
        status: Status::Succeeded,
        word: "successful".to_owned(),
        started: Some(started),
        ended: Some(started + SignedDuration::from_secs(60)),
        moved: None,
        invalid_timestamps: false,
        resolved: false,
        retryable: None,
        resources: vec![Resource {
            id: format!("host-{}", number % 1000),
            kind: "HOST".to_owned(),
            name: String::new(),
        }],
        errors: Vec::new(),
        subtasks: Vec::new(),
        progress: None,
    }
}

/// The bytes that are allocated now.
fn allocated() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The median of some rounds.
fn median(mut round: impl FnMut(usize) -> Result<Duration>) -> Result<Duration> {
    const ROUNDS: usize = 51;
    let mut times = (0..ROUNDS).map(&mut round).collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times.swap_remove(ROUNDS / 2))
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn report(what: &str, took: Duration, floor: Duration) {
    let ratio = took.as_secs_f64() / floor.as_secs_f64();
    println!("  {ratio:>8.1} times the floor: {what} ({took:?} / {floor:?})");
}
