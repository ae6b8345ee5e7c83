//! `once`: polls each source once and writes the exposition.

use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::output::Output;
use super::progress::Progress;
use super::{Exit, ProgramError};
use crate::cli::{Args, OnceArgs};
use crate::clock::Clock;
use crate::config::Config;
use crate::exporter::{Round, Turn};
use crate::ledger::storage::Folder;
use crate::metrics::TextFormat;
use crate::poller::OnceError;

/// Polls each source of this shard once and writes their metrics.
pub(super) async fn run(
    args: &Args,
    what: &OnceArgs,
    stop: &CancellationToken,
) -> Result<Exit, ProgramError> {
    let config = load(args)?;
    let output = what.output.as_deref().map(Output::file).transpose()?;
    // The ledger of an exporter that serves is only for who asks for it.
    let folder = args.storage_path.as_ref();
    let folder = folder.and_then(|_| args.storage_folder());
    let folder = folder.map(Folder::lock).transpose()?;
    let round = Round::new(args, config, |_| true, folder, &Clock::system())?;
    let mut progress = Progress::of(round.names());
    let itself = !args.disable_exporter_metrics;
    let polled = round.poll(itself, stop, |name| progress.done(name));
    let (polled, exposition) = polled.await;
    drop(progress);
    let mut exit = report(&polled);
    if polled.iter().any(|(turn, _)| !turn.is_kept()) {
        exit = Exit::Failure;
    }
    if was_stopped(&polled) {
        return Ok(Exit::Failure);
    }
    let text = exposition.text(TextFormat::Classic);
    let output = output.unwrap_or(Output::Stdout);
    output.write(text, stop).await?;
    Ok(exit)
}

/// The configuration, whose warnings are logged.
pub(super) fn load(args: &Args) -> Result<Config, ProgramError> {
    let config = Config::load(&args.config_file)?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    Ok(config)
}

/// Logs which sources were not polled, and returns the exit code for that.
pub(super) fn report<T>(polled: &[(Turn, Result<T, OnceError>)]) -> Exit {
    let mut exit = Exit::Success;
    for (turn, result) in polled {
        if let Err(error) = result {
            let (source, reason) = (&turn.name, error.reason());
            error!(%source, reason, %error, "the source cannot be polled");
            exit = Exit::Failure;
        }
    }
    exit
}

/// Whether the round ended before its end: there is nothing to show then.
pub(super) fn was_stopped<T>(polled: &[(Turn, Result<T, OnceError>)]) -> bool {
    let mut results = polled.iter().map(|(_, result)| result);
    results.any(|result| matches!(result, Err(OnceError::Stopped)))
}
