//! Random histories against the real ledger in a real file, and a reference
//! that counts what the source showed.

mod disk;
mod exporter;
mod reference;
mod step;
mod twin;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::ledger::storage::{Identity, Storage};
use disk::FakeDisk;
use exporter::Model;
use step::{Step, step};
use world::Act;

fn load(disk: &FakeDisk, hold: Duration) -> KeptLedger {
    let identity = Identity {
        source: "a".to_owned(),
        system: "sddc_manager".to_owned(),
        url: "https://a.example".to_owned(),
    };
    let limits = Limits {
        birth_hold: hold,
        ..LIMITS
    };
    let storage = Storage::on(Box::new(disk.clone()), identity);
    KeptLedger::load(storage, limits, at(0)).unwrap()
}

/// A name for a child that outlives the numbers of its labels.
fn name(ledger: &Ledger, child: Child) -> String {
    let operation = ledger.operations().value(child.operation());
    match child {
        Child::Started(_) => format!("started {operation}"),
        Child::Vanished(_) => format!("vanished {operation}"),
        Child::Finished(_, status) => format!("finished {operation} {}", status.as_str()),
        Child::Durations(_, status) => format!("durations {operation} {}", status.as_str()),
        Child::Failures(_, code) => {
            format!("failures {operation} {}", ledger.error_codes().value(code))
        }
        Child::SubtaskFailures(_, name) => {
            format!(
                "subtasks {operation} {}",
                ledger.subtask_names().value(name)
            )
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line of its own"
)]
fn asked(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().expect("the variable is a number"))
}

/// How many histories there are in all; more by a variable of the environment.
fn histories() -> u32 {
    let histories = asked("VTE_MODEL_HISTORIES").unwrap_or(10_000);
    u32::try_from(histories).unwrap()
}

/// Runs a share of the histories. A failing one is shown as small as it gets.
fn for_histories<S: Strategy>(share: u32, history: &S, mut run: impl FnMut(S::Value)) {
    let config = ProptestConfig {
        cases: histories() / share,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let seed = asked("VTE_MODEL_SEED").unwrap_or_else(|| fastrand::u64(..));
    let bytes = [seed.to_le_bytes(); 4].concat();
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let run = std::cell::RefCell::new(&mut run);
    let result = runner.run(history, |history| {
        (run.borrow_mut())(history);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}\nAgain with VTE_MODEL_SEED={seed}");
    }
}

fn run(share: u32, hold: Duration) {
    let history = prop::collection::vec(step(), 1..50);
    for_histories(share, &history, |steps| {
        let mut model = Model::new(hold);
        for step in &steps {
            model.step(step);
        }
        // In the end everything is known and shown.
        model.disk.set_full(false);
        for _ in 0..2 {
            model.instant += hold;
            model.step(&Step::Scrape);
        }
    });
}

#[test]
fn counts_are_those_of_the_reference_without_a_hold() {
    run(2, Duration::ZERO);
}

#[test]
fn counts_are_those_of_the_reference_and_shown_when_they_are_due() {
    run(2, Duration::from_secs(60));
}

/// A history that chance seldom finds: an unseen retry, and a list that shows
/// the task with its former end and its later one in turn.
#[test]
fn a_list_that_goes_back_and_forth_counts_no_end_again() {
    let source = |act| Step::Source(act);
    let poll = || Step::Poll(step::Poll::whole());
    let mut model = Model::new(Duration::ZERO);
    for step in [
        source(Act::Birth(Some(Status::Succeeded), true)),
        source(Act::Backup),
        poll(),
        source(Act::Repeat(0, 90_000)),
        poll(),
        source(Act::Flap(0)),
        poll(),
        source(Act::Flap(0)),
        poll(),
    ] {
        model.step(&step);
    }
}
