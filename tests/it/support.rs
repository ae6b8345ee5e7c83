//! Helpers that speak the domain.

mod bench;
mod page;
mod process;
mod stub;
mod vcenter;
mod virtshell;

pub(crate) use bench::{Bench, HeldClock, Watch, day, options, task};
pub(crate) use page::{Page, Sample};
pub(crate) use process::{Program, Scratch, get};
pub(crate) use stub::{Stub, answer, json};
pub(crate) use vcenter::{CLONE, VcBench, clone};
pub(crate) use virtshell::{VsBench, watch};

use std::time::Duration;

/// How long a condition may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a condition, and fails with `what` if it does not come.
#[track_caller]
pub(crate) fn eventually<T>(
    what: &str,
    mut condition: impl FnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = condition() {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{place}: {what} did not come"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
