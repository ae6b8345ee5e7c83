//! What `check` does: builds everything, and tries it if that is wanted.

use std::path::Path;

use super::system::AnySystem;
use super::{AnyPoller, limits};
use crate::clock::Clock;
use crate::config::{Config, SourceConfig};
use crate::ledger::KeptLedger;
use crate::program::ProgramError;
use crate::sources::SourceError;

/// Whether the configuration can be put to work, certificates included; if so,
/// what can log in to each source, by name.
pub(crate) fn check(config: &Config, file: &Path) -> Result<Vec<Trial>, ProgramError> {
    let trial = |source: &SourceConfig| {
        let ledger = KeptLedger::in_memory(limits(source));
        let clock = Clock::system();
        let (poller, _page) = AnySystem::new(source, &clock, file)?.poller(source, ledger, clock);
        let name = source.name.clone();
        Ok(Trial { name, poller })
    };
    config.sources.iter().map(trial).collect()
}

/// A source that can be tried out.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Its name.
    pub(crate) name: String,
    poller: AnyPoller,
}

impl Trial {
    /// Logs in and reads a first page.
    pub(crate) async fn run(self) -> Result<(), SourceError> {
        self.poller.try_out().await
    }
}

/// The sources whose secret cannot be read now; where credentials are handed
/// over at the start of a service, that is no fault yet.
pub(crate) fn unreadable_secrets(config: &Config) -> Vec<String> {
    let sources = config.sources.iter();
    let unreadable = sources.filter_map(|source| {
        let error = source.system.secret()?.read().err()?;
        Some(format!("source {}: {error}", source.name))
    });
    unreadable.collect()
}
