//! Puts the line together: a poller for each source, a server for each listener.

mod check;
mod draft;
mod leaving;
mod listen;
mod nursery;
mod round;
mod running;
mod system;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::error;

pub(crate) use check::{Trials, check, unreadable_secrets};
pub use draft::Origin;
use draft::{Draft, Drafter};
pub use listen::BindError;
pub(crate) use listen::bind;
use nursery::{Nursery, Unborn};
pub(crate) use round::{Round, Turn};
use running::Running;

use crate::cli::Args;
use crate::clock::Clock;
use crate::config::{Config, SourceConfig, SystemConfig};
use crate::ledger::storage::{Folder, Identity, StorageError};
use crate::ledger::{KeptLedger, Limits as LedgerLimits};
use crate::log::Dial;
use crate::metrics::{Exporter, SourceFacts, SourcePage};
use crate::panics::caught_in;
use crate::poller::{Estate, Orders, Poller, Schedule};
use crate::program::ProgramError;
use crate::reload::{self, Requests};
use crate::sources::Health;
use crate::sources::sddc_manager::{self, SddcManager};
use crate::sources::vcenter::Vcenter;
use crate::sources::virtshell::VirtShell;
use crate::systemd;
use crate::task::Digest;
use crate::web::server::{self, Limits};
use crate::web::{Guard, Site};

/// How long a stop may take in all: what is left then is cut off.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// What a configuration is loaded from, and what else goes by it.
#[derive(Debug)]
pub struct Base {
    /// Where it comes from.
    pub origin: Origin,
    /// Sets how much is logged.
    pub dial: Dial,
    /// The time.
    pub clock: Clock,
    /// Where the pollers run.
    pub pollers: Handle,
}

/// Everything that runs, before it does.
#[derive(Debug)]
pub struct Setup {
    running: Running,
    draft: Draft,
    guard: Guard,
    requests: Requests,
    stop: CancellationToken,
}

/// A poller of any system.
#[derive(Debug)]
enum AnyPoller {
    SddcManager(Box<Poller<SddcManager>>),
    Vcenter(Box<Poller<Vcenter>>),
    VirtShell(Box<Poller<VirtShell>>),
    Unborn(Box<Unborn>),
}

impl AnyPoller {
    /// Runs until it is told to stop; what it leaves is `None` if it never began.
    async fn run(self, orders: Orders) -> Option<Estate> {
        match self {
            Self::SddcManager(poller) => Some(poller.run(orders).await),
            Self::Vcenter(poller) => Some(poller.run(orders).await),
            Self::VirtShell(poller) => Some(poller.run(orders).await),
            Self::Unborn(unborn) => unborn.run(orders).await,
        }
    }

    /// Takes the place of one that could not be made before.
    fn in_place_of(self, publish: watch::Sender<Arc<SourcePage>>, health: Health) -> Self {
        match self {
            Self::SddcManager(poller) => {
                Self::SddcManager(Box::new(poller.in_place_of(publish, health)))
            }
            Self::Vcenter(poller) => Self::Vcenter(Box::new(poller.in_place_of(publish, health))),
            Self::VirtShell(poller) => {
                Self::VirtShell(Box::new(poller.in_place_of(publish, health)))
            }
            Self::Unborn(_) => self,
        }
    }
}

impl Setup {
    /// The pollers of this shard's sources, whose ledgers are in `folder` or in
    /// memory alone, and the site over their snapshots. It runs until `stop` is
    /// cancelled.
    pub fn new(
        args: &Args,
        (base, config): (Base, Config),
        folder: Option<Folder>,
        stop: CancellationToken,
    ) -> Result<Self, ProgramError> {
        let clock = base.clock.clone();
        let drafter = Drafter {
            origin: base.origin,
            exporter: itself(args, &clock),
            nursery: Nursery {
                folder: folder.map(Arc::new),
                clock: base.clock,
            },
        };
        let draft = drafter.draft(config, &BTreeMap::new())?;
        let (running, lineup) = Running::new(drafter, (base.dial, base.pollers), stop.clone());
        let (reloader, requests) = reload::channel();
        let path = args.telemetry_path.to_string();
        let site = Site::new(&path, lineup, reloader, clock, args.max_requests);
        let guard = Guard::new(site, args.web_config_file.as_deref())?;
        Ok(Self {
            running,
            draft,
            guard,
            requests,
            stop,
        })
    }

    /// Polls and serves, and loads the configuration again at each of `hangups`.
    pub async fn run(self, listeners: Vec<TcpListener>, hangups: Option<Signal>) {
        let pulses = self.running.pulses();
        tokio::select! {
            () = systemd::feed_watchdog(pulses) => {}
            () = self.work(listeners, hangups) => {}
        }
    }

    async fn work(mut self, listeners: Vec<TcpListener>, mut hangups: Option<Signal>) {
        // Nothing is there yet that this would wait for.
        let started = caught_in(self.running.apply(self.draft)).await;
        started.unwrap_or(Ok(())).unwrap_or_default();
        let serving = serve(listeners, &self.guard, &self.stop);
        systemd::ready(&status(&self.running, true));
        loop {
            let waiting = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = hangup(&mut hangups) => None,
                waiting = self.requests.next() => waiting,
            };
            systemd::reloading();
            let reloaded = self.running.reload().await;
            if !self.stop.is_cancelled() {
                systemd::ready(&status(&self.running, reloaded.is_ok()));
            }
            if let Some(waiting) = waiting {
                waiting.answer(&reloaded);
            }
        }
        let by = Instant::now() + LONGEST_STOP;
        systemd::stopping();
        // Whoever still waits for a reload is not to hold up the end.
        drop(self.requests);
        // Only when the last scrape was answered is it known what was shown; a
        // server has a limit of its own to that.
        ended(serving).await;
        self.running.end(by).await;
    }
}

/// Waits for the next signal; for ever, if none is watched.
async fn hangup(hangups: &mut Option<Signal>) {
    let came = match hangups {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        pending::<()>().await;
    }
}

/// What the service manager shows.
fn status(running: &Running, reloaded: bool) -> String {
    let count = running.count();
    let noun = if count == 1 { "source" } else { "sources" };
    let but = if reloaded {
        ""
    } else {
        "; the configuration was not loaded again, see the log"
    };
    format!("Polling {count} {noun}{but}")
}

/// A server for each listener.
fn serve(listeners: Vec<TcpListener>, guard: &Guard, stop: &CancellationToken) -> JoinSet<()> {
    let mut serving = JoinSet::new();
    for listener in listeners {
        let (secure, site) = (guard.clone(), guard.clone());
        let answer = move |request| {
            let site = site.clone();
            async move { site.answer(request).await }
        };
        let limits = Limits::default();
        serving.spawn(server::serve_secure(
            listener,
            secure,
            answer,
            limits,
            stop.clone(),
        ));
    }
    serving
}

/// What the exporter says of itself.
fn itself(args: &Args, clock: &Clock) -> Exporter {
    Exporter {
        shard: args.shard,
        total_shards: args.total_shards.get(),
        process: !args.disable_exporter_metrics,
        ..Exporter::alone(clock.now())
    }
}

/// Waits until all parts have ended.
async fn ended(mut parts: JoinSet<()>) {
    while let Some(ended) = parts.join_next().await {
        if let Err(panic) = ended {
            error!(%panic, "a part of the exporter ended early");
        }
    }
}

/// The ledger of a source, in the folder or in memory.
fn ledger(
    source: &SourceConfig,
    folder: Option<&Folder>,
    clock: &Clock,
) -> Result<KeptLedger, ProgramError> {
    let limits = limits(source);
    let Some(folder) = folder else {
        return Ok(KeptLedger::in_memory(limits));
    };
    let unreadable = |error: StorageError| ProgramError::Ledger {
        folder: folder.path().display().to_string(),
        name: source.name.clone(),
        error,
    };
    let opened = KeptLedger::open(folder, identity(source), limits, clock.now());
    opened.map_err(unreadable)
}

/// What the configuration of a source means for its poller.
pub fn plan(source: &SourceConfig) -> (SourceFacts, Schedule) {
    let settings = &source.settings;
    let facts = SourceFacts {
        name: source.name.clone(),
        system: source.system.word(),
        url: plain_url(source),
        stale_after: settings.stale_after,
        max_open_tasks: settings.max_open_tasks,
        max_open_failures: settings.max_open_failures,
        retry_call: match source.system {
            SystemConfig::SddcManager(_) => Some(sddc_manager::retry_call),
            SystemConfig::Vcenter(_) | SystemConfig::VirtShell(_) => None,
        },
    };
    let schedule = Schedule {
        interval: settings.poll_interval,
        timeout: settings.poll_timeout,
        full_interval: settings.full_poll_interval,
        full_timeout: settings.full_poll_timeout,
    };
    (facts, schedule)
}

/// What the configuration of a source means for its ledger.
pub fn limits(source: &SourceConfig) -> LedgerLimits {
    let settings = &source.settings;
    LedgerLimits {
        retention: settings.ledger_retention,
        failure_open_for: settings.failure_open_for,
        birth_hold: settings.counter_birth_hold,
        operations: settings.max_operations,
        subtask_names: settings.max_subtask_names,
        error_codes: settings.max_error_codes,
    }
}

/// What a source's file is told from another's by.
pub fn identity(source: &SourceConfig) -> Identity {
    Identity {
        source: source.name.clone(),
        system: source.system.word().to_owned(),
        url: plain_url(source),
    }
}

/// Without the slash at the end; the configuration refuses one with credentials.
fn plain_url(source: &SourceConfig) -> String {
    source.url.as_str().trim_end_matches('/').to_owned()
}

/// Whether a source belongs to this shard: a stable hash of its name decides.
fn is_ours(name: &str, exporter: &Exporter) -> bool {
    let hash = Digest::new().text(name).finish();
    hash % u64::from(exporter.total_shards) == u64::from(exporter.shard)
}
