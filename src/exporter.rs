//! Puts the line together: a poller for each source, a server for each listener.

mod check;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

pub(crate) use check::{Trial, check, unreadable_secrets};

use crate::cli::{Args, ListenAddress};
use crate::clock::Clock;
use crate::config::{Config, SourceConfig, SystemConfig};
use crate::ledger::storage::{Folder, Identity, StorageError};
use crate::ledger::{KeptLedger, Limits as LedgerLimits};
use crate::metrics::{Exporter, SourceFacts, SourcePage};
use crate::poller::{Poller, Schedule};
use crate::program::ProgramError;
use crate::sources::SourceError;
use crate::sources::sddc_manager::SddcManager;
use crate::sources::vcenter::Vcenter;
use crate::sources::virtshell::VirtShell;
use crate::task::Digest;
use crate::web::server::{self, Limits};
use crate::web::{Guard, Site};

/// An address that cannot be listened on.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {error}")]
pub struct BindError {
    address: String,
    error: io::Error,
}

/// Everything that runs, before it does.
#[derive(Debug)]
pub struct Setup {
    pollers: Vec<AnyPoller>,
    guard: Guard,
    /// Nobody else can use it while this lives.
    _folder: Option<Folder>,
}

/// A poller of any system.
#[derive(Debug)]
enum AnyPoller {
    SddcManager(Box<Poller<SddcManager>>),
    Vcenter(Box<Poller<Vcenter>>),
    VirtShell(Box<Poller<VirtShell>>),
}

impl AnyPoller {
    async fn run(self, stop: CancellationToken, served: CancellationToken) {
        match self {
            Self::SddcManager(poller) => poller.run(stop, served).await,
            Self::Vcenter(poller) => poller.run(stop, served).await,
            Self::VirtShell(poller) => poller.run(stop, served).await,
        }
    }
}

impl AnyPoller {
    async fn try_out(self) -> Result<(), SourceError> {
        match self {
            Self::SddcManager(poller) => poller.try_out().await,
            Self::Vcenter(poller) => poller.try_out().await,
            Self::VirtShell(poller) => poller.try_out().await,
        }
    }
}

impl Setup {
    /// The pollers of this shard's sources, whose ledgers are in `folder` or in
    /// memory alone, and the site over their snapshots.
    pub fn new(
        args: &Args,
        config: Config,
        folder: Option<Folder>,
        clock: &Clock,
    ) -> Result<Self, ProgramError> {
        let exporter = Exporter {
            configured_at: clock.now(),
            shard: args.shard,
            total_shards: args.total_shards.get(),
            process: !args.disable_exporter_metrics,
        };
        let (mut pollers, mut pages) = (Vec::new(), Vec::new());
        let sources = config.sources.into_iter();
        for source in sources.filter(|source| is_ours(&source.name, &exporter)) {
            let ledger = ledger(&source, folder.as_ref(), clock)?;
            let (poller, page) = poller(&source, ledger, clock.clone(), &args.config_file)?;
            pollers.push(poller);
            pages.push(page);
        }
        let path = args.telemetry_path.to_string();
        let site = Site::new(&path, pages, exporter, args.max_requests);
        let guard = Guard::new(site, args.web_config_file.as_deref())?;
        Ok(Self {
            pollers,
            guard,
            _folder: folder,
        })
    }

    /// Polls and serves until `stop` is cancelled.
    pub async fn run(self, listeners: Vec<TcpListener>, stop: CancellationToken) {
        let (mut polling, mut serving) = (JoinSet::new(), JoinSet::new());
        let served = CancellationToken::new();
        for poller in self.pollers {
            polling.spawn(poller.run(stop.clone(), served.clone()));
        }
        for listener in listeners {
            let guard = self.guard.clone();
            let answer = move |request| {
                let guard = guard.clone();
                async move { guard.answer(request).await }
            };
            serving.spawn(server::serve_secure(
                listener,
                self.guard.clone(),
                answer,
                Limits::default(),
                stop.clone(),
            ));
        }
        // Only when the last scrape was answered is it known what was shown.
        ended(serving).await;
        served.cancel();
        ended(polling).await;
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

fn poller(
    source: &SourceConfig,
    ledger: KeptLedger,
    clock: Clock,
    file: &Path,
) -> Result<(AnyPoller, watch::Receiver<Arc<SourcePage>>), ProgramError> {
    let unusable = |error| ProgramError::Source {
        file: file.display().to_string(),
        name: source.name.clone(),
        error,
    };
    let (facts, schedule) = plan(source);
    let url = source.url.clone();
    match &source.system {
        SystemConfig::SddcManager(config) => {
            let system = SddcManager::new(url, &source.http, config, clock.clone());
            let system = system.map_err(unusable)?;
            let (poller, page) = Poller::new(system, facts, schedule, ledger, clock);
            Ok((AnyPoller::SddcManager(Box::new(poller)), page))
        }
        SystemConfig::Vcenter(config) => {
            let system = Vcenter::new(url, &source.http, config, clock.clone());
            let system = system.map_err(unusable)?;
            let (poller, page) = Poller::new(system, facts, schedule, ledger, clock);
            Ok((AnyPoller::Vcenter(Box::new(poller)), page))
        }
        SystemConfig::VirtShell(config) => {
            let system = VirtShell::new(url, &source.http, config, clock.clone());
            let system = system.map_err(unusable)?;
            let (poller, page) = Poller::new(system, facts, schedule, ledger, clock);
            Ok((AnyPoller::VirtShell(Box::new(poller)), page))
        }
    }
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

/// Listens on each address; the bound ones are logged, as a port may be 0.
pub(crate) async fn bind(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = listen(address).await.map_err(|error| BindError {
            address: address.to_string(),
            error,
        })?;
        if let Ok(bound) = listener.local_addr() {
            info!(address = %bound, "listening");
        }
        listeners.push(listener);
    }
    Ok(listeners)
}

async fn listen(address: &ListenAddress) -> io::Result<TcpListener> {
    let port = address.port();
    let Some(host) = address.host() else {
        // A socket for IPv6 takes IPv4 too, where the system has IPv6 at all.
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let error = match TcpListener::bind(both).await {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        if error.kind() == io::ErrorKind::AddrInUse {
            return Err(error);
        }
        return TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    };
    TcpListener::bind((host, port)).await
}
