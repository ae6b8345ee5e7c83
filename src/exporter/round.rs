//! One round: each source is polled once, all side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{AnyPoller, Nursery, is_ours, itself};
use crate::cli::Args;
use crate::clock::Clock;
use crate::config::{Config, SourceConfig};
use crate::ledger::storage::Folder;
use crate::metrics::{Exporter, Exposition, SourcePage};
use crate::panics::caught_in;
use crate::poller::{OnceError, Survey};
use crate::program::ProgramError;
use crate::sources::{Reason, SourceError};

/// How many sources are read at once; the others wait for their turn.
const AT_ONCE: usize = 16;

/// The sources of this shard, to be polled once.
#[derive(Debug)]
pub(crate) struct Round {
    turns: Vec<(Turn, AnyPoller)>,
    exporter: Exporter,
    /// Before anything was polled.
    began: Instant,
    /// Nobody else can use the folder while this lives.
    _nursery: Nursery,
}

/// A source of the round.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Its name.
    pub(crate) name: String,
    /// Its system, in the configuration's word.
    pub(crate) system: &'static str,
    page: watch::Receiver<Arc<SourcePage>>,
}

/// What came of a source.
type Polled<T> = (Turn, Result<T, OnceError>);

impl Round {
    /// Of the sources of this shard those that are `wanted`, whose ledgers are in
    /// `folder` or in memory alone.
    pub(crate) fn new(
        args: &Args,
        config: Config,
        wanted: impl Fn(&SourceConfig) -> bool,
        folder: Option<Folder>,
        clock: &Clock,
    ) -> Result<Self, ProgramError> {
        let exporter = Exporter {
            // What runs beside it says the same of itself under the same names.
            process: false,
            ..itself(args, clock)
        };
        let ours = |source: &SourceConfig| is_ours(&source.name, &exporter) && wanted(source);
        let sources = config.sources.into_iter().filter(ours);
        let nursery = Nursery {
            folder: folder.map(Arc::new),
            clock: clock.clone(),
        };
        let turns = sources.map(|source| {
            let (poller, page) = nursery.poller(&source)?;
            let (name, system) = (source.name.clone(), source.system.word());
            Ok((Turn { name, system, page }, poller))
        });
        let mut turns: Vec<_> = turns.collect::<Result<_, ProgramError>>()?;
        turns.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        Ok(Self {
            turns,
            exporter,
            began: Instant::now(),
            _nursery: nursery,
        })
    }

    /// The names of the sources.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.turns.iter().map(|(turn, _)| turn.name.as_str())
    }

    /// Polls each source and calls `done` after each. Returns what came of them,
    /// and the exposition, without the exporter's own metrics unless `itself`.
    pub(crate) async fn poll(
        self,
        itself: bool,
        stop: &CancellationToken,
        mut done: impl FnMut(&str),
    ) -> (Vec<Polled<()>>, Exposition) {
        let Self {
            turns,
            exporter,
            began,
            _nursery,
        } = self;
        let done = |turn: &Turn| done(&turn.name);
        let polled = side_by_side(turns, AnyPoller::poll_once, stop, done).await;
        let pages = polled.iter().map(|(turn, _)| turn.page.borrow().clone());
        // No source is stale because another one was slow.
        let pages = pages.collect();
        let exposition = if itself {
            Exposition::new(pages, &exporter, began)
        } else {
            Exposition::of_sources(pages, began)
        };
        (polled, exposition)
    }

    /// Reads all tasks of each source and calls `done` after each.
    pub(crate) async fn survey(
        self,
        stop: &CancellationToken,
        mut done: impl FnMut(&str),
    ) -> Vec<Polled<Survey>> {
        let done = |turn: &Turn| done(&turn.name);
        side_by_side(self.turns, AnyPoller::survey, stop, done).await
    }
}

impl Turn {
    /// Whether what was polled is on the disk, or not meant to be.
    pub(crate) fn is_kept(&self) -> bool {
        self.page.borrow().commit_failures() == 0
    }
}

impl AnyPoller {
    async fn poll_once(self, stop: CancellationToken) -> Result<(), OnceError> {
        match self {
            Self::SddcManager(poller) => poller.poll_once(&stop).await,
            Self::Vcenter(poller) => poller.poll_once(&stop).await,
            Self::VirtShell(poller) => poller.poll_once(&stop).await,
            Self::Unborn(unborn) => Err(unborn.into_error().into()),
        }
    }

    async fn survey(self, stop: CancellationToken) -> Result<Survey, OnceError> {
        match self {
            Self::SddcManager(poller) => poller.survey(&stop).await,
            Self::Vcenter(poller) => poller.survey(&stop).await,
            Self::VirtShell(poller) => poller.survey(&stop).await,
            Self::Unborn(unborn) => Err(unborn.into_error().into()),
        }
    }
}

/// Does the same with each poller and calls `done` after each; what came of them
/// is in the order that they had.
pub(super) async fn side_by_side<K, T, F>(
    pollers: Vec<(K, AnyPoller)>,
    poll: impl Fn(AnyPoller, CancellationToken) -> F,
    stop: &CancellationToken,
    mut done: impl FnMut(&K),
) -> Vec<(K, Result<T, OnceError>)>
where
    K: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<T, OnceError>> + Send + 'static,
{
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (place, (key, poller)) in pollers.into_iter().enumerate() {
        let (gate, polled) = (Arc::clone(&gate), poll(poller, stop.clone()));
        running.spawn(async move {
            let _permit = gate.acquire_owned().await;
            // One that panics is one that failed.
            let polled = caught_in(polled).await;
            (
                place,
                (key, polled.unwrap_or_else(|panic| Err(panicked(&panic)))),
            )
        });
    }
    let mut all = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        // Panics are caught within.
        if let Ok((place, polled)) = ended {
            done(&polled.0);
            all.insert(place, polled);
        }
    }
    all.into_values().collect()
}

fn panicked(panic: &str) -> OnceError {
    let detail = format!("polling panicked: {panic}");
    SourceError::new(Reason::Protocol, "poll", detail).into()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn trials(names: &[&str]) -> Vec<(String, AnyPoller)> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let nursery = Nursery {
            folder: None,
            clock: Clock::system(),
        };
        let make = |name: &&str| {
            let text = format!(
                "sources: [{{name: {name}, system: virtshell, url: 'http://127.0.0.1:1'}}]"
            );
            let config = Config::parse(&text, &PathBuf::from("a.yml")).unwrap();
            let (poller, _page) = nursery.poller(config.sources.first().unwrap()).unwrap();
            ((*name).to_owned(), poller)
        };
        names.iter().map(make).collect()
    }

    #[tokio::test]
    async fn a_panic_is_the_failure_of_one_source_and_the_others_are_polled() {
        let stop = CancellationToken::new();
        let mut done = Vec::new();
        let nth = std::sync::atomic::AtomicUsize::new(0);
        let poll = |_: AnyPoller, _: CancellationToken| {
            let nth = nth.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            async move {
                assert_ne!(nth, 1, "scripted");
                Ok(nth)
            }
        };
        let sources = trials(&["a", "b", "c"]);
        let polled = side_by_side(sources, poll, &stop, |name: &String| {
            done.push(name.clone());
        });
        let polled = polled.await;
        done.sort();
        assert_eq!(done, ["a", "b", "c"]);
        let results: Vec<_> = polled.iter().map(|(_, result)| result.is_ok()).collect();
        assert_eq!(results, [true, false, true]);
        let error = polled[1].1.as_ref().unwrap_err();
        assert_eq!(error.reason(), "protocol");
        assert!(error.to_string().contains("scripted"), "{error}");
    }

    #[tokio::test]
    async fn a_source_whose_poller_could_not_be_made_is_one_that_failed() {
        let nursery = Nursery {
            folder: None,
            clock: Clock::system(),
        };
        let text = "sources: [{name: a, system: virtshell, url: 'http://127.0.0.1:1'}]";
        let config = Config::parse(text, &PathBuf::from("a.yml")).unwrap();
        let source = config.sources.first().unwrap();
        let (poller, page) = nursery.later(source, None, "scripted".to_owned());
        let stop = CancellationToken::new();
        let error = poller.poll_once(stop).await.unwrap_err();
        assert!(error.to_string().contains("scripted"), "{error}");
        assert_eq!(page.borrow().overview().health.up, Some(false));
    }
}
