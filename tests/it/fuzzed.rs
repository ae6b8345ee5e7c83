//! The targets of `fuzz/` for a few seconds, from their seeds and our fixtures:
//! `VTE_FUZZ_SECONDS` for longer. cargo-fuzz finds its way by coverage; this one
//! goes at random, and needs nothing that is not here.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rstest::rstest;
use tokio::time::Instant;

use crate::support::Page;
use mutator::Mutator;

mod mutator;
#[path = "../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "they are a library of their own")]
mod targets;

/// How long all targets together are run.
const SECONDS: u64 = 20;

/// Each target by its name.
#[rstest]
fn whatever_comes_from_outside_does_no_harm(
    #[values(
        "sddc_manager",
        "vcenter",
        "virtshell",
        "times",
        "configuration",
        "web_configuration",
        "accept",
        "exposition",
        "listings",
        "recovery"
    )]
    name: &str,
) {
    let mut known = targets::TARGETS.into_iter();
    let (_, run) = known.find(|(known, _)| *known == name).unwrap();
    let share = Duration::from_secs(seconds()) / u32::try_from(targets::TARGETS.len()).unwrap();
    let mut mutator = Mutator::new(seeds(name), fastrand::u64(..));
    let began = Instant::now();
    while mutator.has_seeds() || began.elapsed() < share {
        let bytes = mutator.make();
        let survived = catch_unwind(|| run(&bytes));
        assert!(
            survived.is_ok(),
            "{name} fails on b\"{}\"",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn each_target_has_seeds_and_is_one_of_cargo_fuzz() {
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        let target = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&target), "{name}");
        let file = root().join(format!("fuzz/fuzz_targets/{name}.rs"));
        assert!(fs::read_to_string(file).unwrap().contains(name), "{name}");
        assert!(!seeds(name).is_empty(), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets::TARGETS.len());
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line of its own"
)]
fn seconds() -> u64 {
    let seconds = std::env::var("VTE_FUZZ_SECONDS");
    seconds.map_or(SECONDS, |seconds| {
        seconds.parse().expect("a number of seconds")
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The target's own seeds, and the fixtures of the same name.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folders = ["fuzz/seeds", "tests/fixtures"].map(|folder| root().join(folder).join(target));
    let files = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}
