//! `tasks`: polls each source once and prints its tasks.

use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::once::{load, report, was_stopped};
use super::output::Output;
use super::progress::Progress;
use super::{Exit, ProgramError};
use crate::cli::{Args, TasksArgs, TasksFormat};
use crate::clock::Clock;
use crate::config::{Config, SourceConfig};
use crate::exporter::Round;
use crate::report::{Look, Report};

/// Polls each source that is asked for once and prints its tasks.
pub(super) async fn run(
    args: &Args,
    what: &TasksArgs,
    stop: &CancellationToken,
) -> Result<Exit, ProgramError> {
    let config = load(args)?;
    check_names(&config, what)?;
    let clock = Clock::system();
    let wanted =
        |source: &SourceConfig| what.source.is_empty() || what.source.contains(&source.name);
    let round = Round::new(args, config, wanted, None, &clock)?;
    if let Some(name) = what
        .source
        .iter()
        .find(|name| !round.names().any(|its| its == *name))
    {
        return Err(no_source(name, "belongs to another shard"));
    }
    let mut progress = Progress::of(round.names());
    let polled = round.survey(stop, |name| progress.done(name)).await;
    drop(progress);
    let exit = report(&polled);
    if was_stopped(&polled) {
        return Ok(Exit::Failure);
    }
    for (turn, result) in &polled {
        if result.as_ref().is_ok_and(|survey| !survey.complete) {
            warn!(source = %turn.name, "not all tasks of the source could be read");
        }
    }
    let report = Report::new(polled, &what.status, clock.now());
    let text = match what.format {
        TasksFormat::Table => report.into_table(Look::of_stdout()),
        TasksFormat::Json => report.into_json(),
    };
    Output::Stdout.write(text, stop).await?;
    Ok(exit)
}

fn check_names(config: &Config, what: &TasksArgs) -> Result<(), ProgramError> {
    let is_there = |name: &&String| config.sources.iter().any(|source| source.name == **name);
    match what.source.iter().find(|name| !is_there(name)) {
        Some(name) => Err(no_source(name, "no source is called so")),
        None => Ok(()),
    }
}

fn no_source(name: &str, why: &'static str) -> ProgramError {
    let name = name.to_owned();
    ProgramError::NoSource { name, why }
}
