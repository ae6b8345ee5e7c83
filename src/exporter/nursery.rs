//! Where pollers are made, so that a panic over one source costs no other.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tracing::{error, info};

use super::system::AnySystem;
use super::{AnyPoller, ledger, plan};
use crate::clock::Clock;
use crate::config::SourceConfig;
use crate::ledger::storage::Folder;
use crate::metrics::SourcePage;
use crate::panics::caught;
use crate::poller::{Estate, Orders, Revival, show_failing};
use crate::program::ProgramError;
use crate::sources::{Health, Reason, SourceError};

type Page = watch::Receiver<Arc<SourcePage>>;

/// What pollers are made of beside the configuration of their source.
#[derive(Debug, Clone)]
pub(super) struct Nursery {
    /// Nobody else can use it while this lives.
    pub(super) folder: Option<Arc<Folder>>,
    pub(super) clock: Clock,
}

/// The poller of a source where making it panicked: it is made later.
#[derive(Debug)]
pub(super) struct Unborn {
    source: SourceConfig,
    nursery: Nursery,
    /// What the poller before left, if there was one.
    estate: Option<Estate>,
    publish: watch::Sender<Arc<SourcePage>>,
    health: Health,
    error: SourceError,
}

/// What an attempt gives: what goes on with an estate, or a whole poller.
enum Made {
    Heir(AnySystem),
    Poller(AnyPoller),
}

impl Nursery {
    /// The poller of a source that was not polled before.
    ///
    /// # Errors
    /// If the source cannot be polled as configured, or its ledger not be read.
    pub(super) fn poller(&self, source: &SourceConfig) -> Result<(AnyPoller, Page), ProgramError> {
        let made = caught(|| {
            let system = AnySystem::new(source, &self.clock)?;
            let ledger = ledger(source, self.folder.as_deref(), &self.clock)?;
            Ok(system.poller(source, ledger, self.clock.clone()))
        });
        made.unwrap_or_else(|panic| Ok(self.later(source, None, panicked(&panic))))
    }

    /// The client of a source that another poller is to go on with, or what the
    /// panic said over which it was not made.
    ///
    /// # Errors
    /// If the source cannot be polled as configured.
    pub(super) fn system(
        &self,
        source: &SourceConfig,
    ) -> Result<Result<AnySystem, String>, ProgramError> {
        let made = caught(|| AnySystem::new(source, &self.clock));
        made.map_or_else(|panic| Ok(Err(panic)), |made| made.map(Ok))
    }

    /// The poller that goes on with what the one before left.
    pub(super) fn heir(
        &self,
        source: &SourceConfig,
        system: Result<AnySystem, String>,
        estate: Estate,
    ) -> AnyPoller {
        match system {
            Ok(system) => system.successor(source, estate, self.clock.clone()),
            Err(panic) => self.later(source, Some(estate), panicked(&panic)).0,
        }
    }

    /// A poller that is made once it runs, after a panic.
    pub(super) fn later(
        &self,
        source: &SourceConfig,
        estate: Option<Estate>,
        why: String,
    ) -> (AnyPoller, Page) {
        let (publish, health) = if let Some(estate) = &estate {
            estate.standing()
        } else {
            let unknown = SourcePage::unknown(&plan(source).0);
            (watch::Sender::new(Arc::new(unknown)), Health::default())
        };
        let page = publish.subscribe();
        let mut unborn = Unborn {
            source: source.clone(),
            nursery: self.clone(),
            estate,
            publish,
            health,
            error: SourceError::new(Reason::Protocol, "poll", ""),
        };
        unborn.failed(why, 1);
        (AnyPoller::Unborn(Box::new(unborn)), page)
    }
}

impl Unborn {
    /// Why there is no poller yet.
    pub(super) fn into_error(self) -> SourceError {
        self.error
    }

    /// Makes the poller, and runs it until it is told to stop.
    pub(super) async fn run(mut self, mut orders: Orders) -> Option<Estate> {
        let mut revival = Revival::new(self.source.settings.poll_interval);
        loop {
            if !revival.wait(&self.error, &mut orders).await {
                return self.estate;
            }
            let Some(made) = self.attempt().await else {
                continue;
            };
            info!(source = %self.source.name, "the poller could be made");
            let poller = match (made, self.estate.take()) {
                (Made::Heir(system), Some(mut estate)) => {
                    estate.stands_like(self.health);
                    system.successor(&self.source, estate, self.nursery.clock)
                }
                (Made::Poller(poller), _) => poller.in_place_of(self.publish, self.health),
                (Made::Heir(_), None) => continue,
            };
            return Box::pin(poller.run(orders)).await;
        }
    }

    /// Tries to make it, which may have to read the ledger.
    async fn attempt(&mut self) -> Option<Made> {
        let (source, nursery) = (self.source.clone(), self.nursery.clone());
        let inherits = self.estate.is_some();
        let attempt = move || {
            let system = AnySystem::new(&source, &nursery.clock)?;
            if inherits {
                return Ok(Made::Heir(system));
            }
            let ledger = ledger(&source, nursery.folder.as_deref(), &nursery.clock)?;
            let (poller, _page) = system.poller(&source, ledger, nursery.clock.clone());
            Ok(Made::Poller(poller))
        };
        let made = spawn_blocking(move || caught(attempt)).await;
        let made = made.unwrap_or_else(|cut_off| Err(cut_off.to_string()));
        let (why, panics) = match made {
            Ok(Ok(made)) => return Some(made),
            Ok(Err::<_, ProgramError>(error)) => (format!("making the poller failed: {error}"), 0),
            Err(panic) => (panicked(&panic), 1),
        };
        self.failed(why, panics);
        None
    }

    /// Takes in that there is no poller, and says so.
    fn failed(&mut self, why: String, panics: u64) {
        error!(source = %self.source.name, error = %why, "there is no poller, and it is made later");
        self.error.detail = why;
        self.health.panics += panics;
        let told = caught(|| {
            self.health.failed(self.nursery.clock.now(), &self.error);
            show_failing(&self.publish, &self.health);
        });
        if let Err(panic) = told {
            error!(source = %self.source.name, panic, "it cannot be shown that there is no poller");
        }
    }
}

fn panicked(panic: &str) -> String {
    format!("making the poller panicked: {panic}")
}
