//! `check`: judges the configuration, and tries each source if that is wanted.

use tokio_util::sync::CancellationToken;

use super::output::{complain, say};
use super::progress::Progress;
use super::{Exit, LINGER, ProgramError, runtime, signals};
use crate::cli::Args;
use crate::config::Config;
use crate::exporter::{self, Trials};
use crate::panics;
use crate::visible;
use crate::web::WebConfig;

/// Validates the configuration and says so in one line; with `login` it also
/// says of each source whether it can be read.
pub(super) fn run(args: &Args, login: bool) -> Exit {
    panics::tell_from_now_on(|report| complain(report));
    let file = args.config_file.as_path();
    let checked = || {
        let config = Config::load(file)?;
        let trials = exporter::check(&config)?;
        let web = args.web_config_file.as_deref();
        web.map_or(Ok(()), |file| WebConfig::load(file).map(drop))?;
        Ok::<_, ProgramError>((trials, config))
    };
    let (trials, config) = match checked() {
        Ok(checked) => checked,
        Err(error) => {
            complain(&error);
            return Exit::Failure;
        }
    };
    let unreadable = exporter::unreadable_secrets(&config);
    for warning in config.warnings.iter().chain(&unreadable) {
        complain(format_args!("warning: {warning}"));
    }
    let count = config.sources.len();
    let noun = if count == 1 { "source" } else { "sources" };
    let file = visible::path(file);
    say(format_args!("{file}: valid, {count} {noun}"));
    if !login {
        return Exit::Success;
    }
    try_out(trials).unwrap_or_else(|error| {
        complain(&error);
        Exit::Failure
    })
}

/// Logs in to each source, all side by side, and says how that went.
fn try_out(trials: Trials) -> Result<Exit, ProgramError> {
    let runtime = runtime()?;
    let tried = runtime.block_on(async {
        let stop = CancellationToken::new();
        signals::watch(&stop, true)?;
        let mut progress = Progress::of(trials.names());
        Ok::<_, ProgramError>(trials.run(&stop, |name| progress.done(name)).await)
    });
    runtime.shutdown_timeout(LINGER);
    let mut exit = Exit::Success;
    for (name, result) in tried? {
        match result {
            Ok(()) => say(format_args!("{name}: can be read")),
            Err(error) => {
                complain(format_args!("{name}: {}: {error}", error.reason()));
                exit = Exit::Failure;
            }
        }
    }
    Ok(exit)
}
