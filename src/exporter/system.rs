//! The client of a source, of whichever system it is.

use std::sync::Arc;

use tokio::sync::watch;

use super::{AnyPoller, limits, plan};
use crate::clock::Clock;
use crate::config::{SourceConfig, SystemConfig};
use crate::ledger::KeptLedger;
use crate::metrics::SourcePage;
use crate::poller::{Estate, Poller, Terms};
use crate::program::ProgramError;
use crate::sources::rest::ClientError;
use crate::sources::sddc_manager::SddcManager;
use crate::sources::vcenter::Vcenter;
use crate::sources::virtshell::VirtShell;

/// A client of any system, which nobody polls yet.
#[derive(Debug)]
pub(super) enum AnySystem {
    SddcManager(Box<SddcManager>),
    Vcenter(Box<Vcenter>),
    VirtShell(Box<VirtShell>),
}

impl AnySystem {
    /// The client of a source; the certificates that it needs are read now.
    pub(super) fn new(source: &SourceConfig, clock: &Clock) -> Result<Self, ProgramError> {
        let unusable = |error: ClientError| ProgramError::Source {
            place: Box::new(source.places.of(error.key()).clone()),
            error,
        };
        let (url, clock) = (source.url.clone(), clock.clone());
        match &source.system {
            SystemConfig::SddcManager(config) => {
                let system = SddcManager::new(url, &source.http, config, clock);
                Ok(Self::SddcManager(Box::new(system.map_err(unusable)?)))
            }
            SystemConfig::Vcenter(config) => {
                let system = Vcenter::new(url, &source.http, config, clock);
                Ok(Self::Vcenter(Box::new(system.map_err(unusable)?)))
            }
            SystemConfig::VirtShell(config) => {
                let system = VirtShell::new(url, &source.http, config, clock);
                Ok(Self::VirtShell(Box::new(system.map_err(unusable)?)))
            }
        }
    }

    /// The poller of a source that was not polled before.
    pub(super) fn poller(
        self,
        source: &SourceConfig,
        ledger: KeptLedger,
        clock: Clock,
    ) -> (AnyPoller, watch::Receiver<Arc<SourcePage>>) {
        let (facts, schedule) = plan(source);
        match self {
            Self::SddcManager(system) => {
                let (poller, page) = Poller::new(*system, facts, schedule, ledger, clock);
                (AnyPoller::SddcManager(Box::new(poller)), page)
            }
            Self::Vcenter(system) => {
                let (poller, page) = Poller::new(*system, facts, schedule, ledger, clock);
                (AnyPoller::Vcenter(Box::new(poller)), page)
            }
            Self::VirtShell(system) => {
                let (poller, page) = Poller::new(*system, facts, schedule, ledger, clock);
                (AnyPoller::VirtShell(Box::new(poller)), page)
            }
        }
    }

    /// The poller of a source that goes on with what the one before left.
    pub(super) fn successor(
        self,
        source: &SourceConfig,
        estate: Estate,
        clock: Clock,
    ) -> AnyPoller {
        let (facts, schedule) = plan(source);
        let terms = Terms {
            facts,
            schedule,
            limits: limits(source),
            identity: super::identity(source),
        };
        match self {
            Self::SddcManager(system) => {
                let poller = Poller::succeed(*system, terms, estate, clock);
                AnyPoller::SddcManager(Box::new(poller))
            }
            Self::Vcenter(system) => {
                let poller = Poller::succeed(*system, terms, estate, clock);
                AnyPoller::Vcenter(Box::new(poller))
            }
            Self::VirtShell(system) => {
                let poller = Poller::succeed(*system, terms, estate, clock);
                AnyPoller::VirtShell(Box::new(poller))
            }
        }
    }
}
