//! What each subcommand does, and with which exit code.

mod check;
mod once;
mod output;
mod progress;
mod signals;
mod tasks;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::cli::{Args, Command};
use crate::clock::Clock;
use crate::config::{ConfigError, Place};
use crate::exporter::{self, Base, BindError, Origin, Setup};
use crate::ledger::storage::{Folder, FolderError, StorageError};
use crate::log::Dial;
use crate::sources::rest::ClientError;
use crate::web::{WebConfig, WebConfigError};
use crate::{build_info, demo, log, panics};
pub use output::OutputError;

/// The exit codes of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Success,
    /// What was asked for failed.
    Failure,
    /// The command line or the configuration is wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Failure => Self::FAILURE,
            Exit::Usage => Self::from(2),
        }
    }
}

/// The most threads that serve.
const MOST_THREADS: usize = 4;

/// How long what blocks a thread, such as a look for a name, may do so at the end.
const LINGER: Duration = Duration::from_secs(1);

/// Why the program cannot do what it was asked for.
#[derive(Debug, Error)]
pub enum ProgramError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A source cannot be reached as configured.
    #[error("{place}: {error}")]
    Source {
        /// The key that is wrong.
        place: Box<Place>,
        /// Why.
        error: ClientError,
    },
    /// The folder of the ledgers cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A ledger is there and cannot be read.
    #[error("--storage.path: {folder}: the ledger of {name} cannot be read: {error}")]
    Ledger {
        /// The folder.
        folder: String,
        /// The source.
        name: String,
        /// Why.
        error: StorageError,
    },
    /// A source was asked for that is not there.
    #[error("--source: {name}: {why}")]
    NoSource {
        /// Its name.
        name: String,
        /// Why it is not there.
        why: &'static str,
    },
    /// What was asked for cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The web configuration is wrong.
    #[error(transparent)]
    Web(#[from] WebConfigError),
    /// The system refuses what the program needs.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
}

impl ProgramError {
    fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::Source { .. }
            | Self::Folder(_)
            | Self::Ledger { .. }
            | Self::NoSource { .. }
            | Self::Output(OutputError::Unusable { .. })
            | Self::Web(_) => Exit::Usage,
            Self::Output(_) | Self::Bind(_) | Self::System(..) => Exit::Failure,
        }
    }
}

/// Does what the arguments say.
pub fn run(args: &Args) -> ExitCode {
    // Only fails if a provider is installed already, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap_or_default();
    if let Some(Command::Check(what)) = &args.command {
        return check::run(args, what.login).into();
    }
    let Ok(dial) = log::init(args.log_level, args.log_format) else {
        return Exit::Failure.into();
    };
    panics::log_from_now_on();
    match start(args, dial) {
        Ok(exit) => exit.into(),
        Err(error) => {
            error!(error = %error, "cannot go on");
            error.exit().into()
        }
    }
}

/// Where everything runs but the pollers; serving needs few threads, however
/// many processors there are.
fn runtime() -> Result<Runtime, ProgramError> {
    let most = NonZero::new(MOST_THREADS).expect("it is not 0");
    let processors = std::thread::available_parallelism().unwrap_or(most);
    threads(processors.min(most).get())
}

/// Where the pollers run: on one thread, so that they take at most one processor,
/// hold up no scrape, and what they let go is found again by the next poll instead
/// of lying about in the stock of another thread.
fn pollers() -> Result<Runtime, ProgramError> {
    threads(1)
}

fn threads(count: usize) -> Result<Runtime, ProgramError> {
    let system = |error| ProgramError::System("cannot start the runtime", error);
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .worker_threads(count)
        .enable_all()
        .build()
        .map_err(system)
}

fn start(args: &Args, dial: Dial) -> Result<Exit, ProgramError> {
    let (runtime, pollers) = (runtime()?, pollers()?);
    let base = |origin, dial| Base {
        origin,
        dial,
        clock: Clock::system(),
        pollers: pollers.handle().clone(),
    };
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        let serves = args.command.is_none();
        signals::watch(&stop, !serves)?;
        match &args.command {
            Some(Command::Once(what)) => return once::run(args, what, &stop).await,
            Some(Command::Tasks(what)) => return tasks::run(args, what, &stop).await,
            Some(Command::Simulate(simulate)) => demo::simulate(simulate, stop).await?,
            Some(Command::Demo) => serve_demo(args, |origin| base(origin, dial), stop).await?,
            Some(Command::Check(_)) | None => {
                let system = |error| ProgramError::System("cannot watch signals", error);
                let hangups = signal(SignalKind::hangup()).map_err(system)?;
                let origin = Origin::File(args.config_file.clone());
                let folder = args.storage_folder();
                serve(args, base(origin, dial), folder, (stop, Some(hangups))).await?;
            }
        }
        Ok(Exit::Success)
    });
    pollers.shutdown_timeout(LINGER);
    runtime.shutdown_timeout(LINGER);
    result
}

async fn serve_demo(
    args: &Args,
    base: impl FnOnce(Origin) -> Base,
    stop: CancellationToken,
) -> Result<(), ProgramError> {
    let sources = demo::Sources::start().await?;
    let name = PathBuf::from("the demo's configuration");
    let origin = Origin::Text(sources.config().to_owned(), name);
    // A demo that leaves nothing behind, unless it is asked to.
    let scratch = tempfile::tempdir().map_err(|error| {
        ProgramError::System("cannot make a temporary folder for the ledgers", error)
    })?;
    let folder = match &args.storage_path {
        Some(_) => args.storage_folder(),
        None => Some(scratch.path()),
    };
    let served = serve(args, base(origin), folder, (stop, None)).await;
    sources.stop().await;
    served
}

async fn serve(
    args: &Args,
    base: Base,
    folder: Option<&Path>,
    (stop, hangups): (CancellationToken, Option<Signal>),
) -> Result<(), ProgramError> {
    let config = base.origin.load()?;
    base.dial.set(config.log_level);
    // Before anything is touched; the guard reads it again.
    let rules = args.web_config_file.as_deref().map(WebConfig::load);
    rules.transpose()?;
    let locked = folder.map(Folder::lock).transpose()?;
    let setup = Setup::new(args, (base, config), locked, stop)?;
    info!(
        version = build_info::VERSION,
        revision = build_info::REVISION,
        "starting virt-task-exporter"
    );
    if folder.is_none() {
        warn!("the ledger is in memory alone: after a restart each source starts from a baseline");
    }
    let listeners = exporter::bind(&args.listen_addresses).await?;
    setup.run(listeners, hangups).await;
    info!("stopped");
    Ok(())
}
