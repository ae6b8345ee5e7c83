//! What `check` does: builds everything, and tries it if that is wanted.

use tokio_util::sync::CancellationToken;

use super::round::side_by_side;
use super::{AnyPoller, Nursery};
use crate::clock::Clock;
use crate::config::{Config, SourceConfig};
use crate::poller::OnceError;
use crate::program::ProgramError;

/// Whether the configuration can be put to work, certificates included; if so,
/// what can log in to each source.
pub(crate) fn check(config: &Config) -> Result<Trials, ProgramError> {
    let nursery = Nursery {
        folder: None,
        clock: Clock::system(),
    };
    let trial = |source: &SourceConfig| {
        let (poller, _page) = nursery.poller(source)?;
        Ok((source.name.clone(), poller))
    };
    let trials = config.sources.iter().map(trial);
    trials.collect::<Result<_, _>>().map(Trials)
}

/// Sources that can be tried out.
#[derive(Debug)]
pub(crate) struct Trials(Vec<(String, AnyPoller)>);

impl Trials {
    /// The names of the sources.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Logs in to each and reads a first page, all side by side, and calls `done`
    /// after each; what came of them is in the order of the configuration.
    pub(crate) async fn run(
        self,
        stop: &CancellationToken,
        mut done: impl FnMut(&str),
    ) -> Vec<(String, Result<(), OnceError>)> {
        let done = |name: &String| done(name);
        side_by_side(self.0, AnyPoller::try_out, stop, done).await
    }
}

impl AnyPoller {
    async fn try_out(self, stop: CancellationToken) -> Result<(), OnceError> {
        match self {
            Self::SddcManager(poller) => poller.try_out(&stop).await,
            Self::Vcenter(poller) => poller.try_out(&stop).await,
            Self::VirtShell(poller) => poller.try_out(&stop).await,
            Self::Unborn(unborn) => Err(unborn.into_error().into()),
        }
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
