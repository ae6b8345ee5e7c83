//! The signals that stop the program.

use std::fs;
use std::future::pending;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::ProgramError;

/// The first SIGTERM or SIGINT stops, a second one ends at once. SIGHUP stops too,
/// if nothing else is meant by it; whoever closes a terminal may send two.
pub(super) fn watch(stop: &CancellationToken, hangup: bool) -> Result<(), ProgramError> {
    let system = |error| ProgramError::System("cannot watch signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(system)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system)?;
    // Under nohup it is to go on.
    let hangup = (hangup && !ignores_hangup()).then(|| signal(SignalKind::hangup()));
    let mut hangup = hangup.transpose().map_err(system)?;
    let stop = stop.clone();
    #[expect(
        clippy::disallowed_methods,
        reason = "it lives as long as the process, whoever else waits"
    )]
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = comes(&mut hangup) => {}
        }
        info!("stopping");
        stop.cancel();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        abort();
    });
    Ok(())
}

/// Waits for the next signal; for ever, if none is watched.
async fn comes(watched: &mut Option<Signal>) {
    match watched {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}

/// Whether who started the process wants it to outlive the terminal.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_some_and(|signals| signals & 1 != 0)
}

/// The signals that a process ignores, SIGHUP as the lowest bit.
fn ignored(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "whoever asks twice does not want to wait for the end of main"
)]
fn abort() {
    std::process::exit(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read_off_the_status() {
        let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert_eq!(ignored(status), Some(0x1001));
        assert_eq!(ignored(""), None);
        assert_eq!(ignored("SigIgn:\tx\n"), None);
    }
}
