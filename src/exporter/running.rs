//! The sources that are polled, with the one owner of their pollers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::AnyPoller;
use super::draft::{Draft, Drafter, Heir, Wanted};
use super::leaving::Leaving;
use crate::log::Dial;
use crate::metrics::{Exporter, SourcePage};
use crate::panics::{caught, caught_in};
use crate::poller::{Estate, Orders};
use crate::program::ProgramError;
use crate::reload::ReloadError;
use crate::systemd::Pulses;
use crate::web::Lineup;

type Page = watch::Receiver<Arc<SourcePage>>;

/// The sources that are polled, and what others see of them.
#[derive(Debug)]
pub(super) struct Running {
    drafter: Drafter,
    dial: Dial,
    pollers: Handle,
    stop: CancellationToken,
    tasks: TaskTracker,
    polled: BTreeMap<String, Polled>,
    leaving: Leaving,
    /// One of a source that is handed over stays meanwhile.
    pages: BTreeMap<String, Page>,
    exporter: Exporter,
    was_ready: bool,
    lineup: watch::Sender<Arc<Lineup>>,
    pulses: watch::Sender<Pulses>,
    reloads: watch::Sender<u64>,
}

/// One source that is polled.
#[derive(Debug)]
struct Polled {
    wanted: Wanted,
    stop: CancellationToken,
    poller: JoinHandle<Option<Estate>>,
    pulse: watch::Receiver<Instant>,
}

impl Running {
    /// No sources yet, and where they will be seen.
    pub(super) fn new(
        drafter: Drafter,
        (dial, pollers): (Dial, Handle),
        stop: CancellationToken,
    ) -> (Self, watch::Receiver<Arc<Lineup>>) {
        let exporter = drafter.exporter;
        let (lineup, seen) = watch::channel(Arc::new(Lineup {
            sources: Vec::new(),
            exporter,
            was_ready: false,
        }));
        let running = Self {
            drafter,
            dial,
            pollers,
            stop,
            tasks: TaskTracker::new(),
            polled: BTreeMap::new(),
            leaving: Leaving::default(),
            pages: BTreeMap::new(),
            exporter,
            was_ready: false,
            lineup,
            pulses: watch::channel(Pulses::default()).0,
            reloads: watch::channel(0).0,
        };
        (running, seen)
    }

    /// How many sources are polled.
    pub(super) fn count(&self) -> usize {
        self.polled.len()
    }

    /// The signs of life of the pollers.
    pub(super) fn pulses(&self) -> watch::Receiver<Pulses> {
        self.pulses.subscribe()
    }

    /// Loads the configuration again. If anything of it is wrong, all stays as
    /// it was; a stop ends it wherever it is. A panic is a reload that failed.
    pub(super) async fn reload(&mut self) -> Result<(), ReloadError> {
        let reloaded = caught_in(self.load()).await;
        reloaded.unwrap_or_else(|panic| {
            error!(error = %panic, "loading the configuration broke down");
            self.exporter.reload_failed = true;
            caught(|| self.show()).unwrap_or_default();
            Err(ReloadError::Refused(format!("panicked: {panic}")))
        })
    }

    async fn load(&mut self) -> Result<(), ReloadError> {
        match self.draft().await? {
            Ok(draft) => {
                self.exporter.configured_at = self.drafter.nursery.clock.now();
                self.exporter.reload_failed = false;
                self.was_ready = self.lineup.borrow().is_ready();
                self.dial.set(draft.log_level);
                let (added, changed) = (draft.added.len(), draft.changed.len());
                let unchanged = draft.unchanged.len();
                let removed = self.polled.len().saturating_sub(changed + unchanged);
                // Those that back off wait for nobody who hangs.
                self.reloads.send_modify(|count| *count += 1);
                self.apply(draft).await?;
                info!(
                    added,
                    changed, removed, unchanged, "the configuration was loaded again"
                );
                Ok(())
            }
            Err(error) => {
                error!(%error, "the configuration was not loaded, the one before stays");
                self.exporter.reload_failed = true;
                self.show();
                Err(ReloadError::Refused(error.to_string()))
            }
        }
    }

    /// A draft of the configuration as it is now; making one may take a moment.
    async fn draft(&self) -> Result<Result<Draft, ProgramError>, ReloadError> {
        let polled = self.polled.iter();
        // One whose poller broke down is started anew.
        let polled = polled.filter(|(_, polled)| !polled.poller.is_finished());
        let wanted = polled.map(|(name, polled)| (name.clone(), polled.wanted.clone()));
        let (wanted, drafter) = (wanted.collect(), self.drafter.clone());
        if self.stop.is_cancelled() {
            // They did what they were told, and their ledgers are still open.
            return Err(ReloadError::Stopping);
        }
        let made = tokio::task::spawn_blocking(move || {
            let config = drafter.origin.load()?;
            drafter.draft(config, &wanted)
        });
        let made = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(ReloadError::Stopping),
            made = made => made,
        };
        Ok(made.unwrap_or_else(|panic| {
            let error = std::io::Error::other(panic);
            Err(ProgramError::System("cannot load", error))
        }))
    }

    /// Puts a draft to work. What is new is polled at once, what is gone or
    /// changed has ended when this returns, unless a stop came before.
    pub(super) async fn apply(&mut self, draft: Draft) -> Result<(), ReloadError> {
        for warning in &draft.warnings {
            warn!("{warning}");
        }
        let left = self.take_all_but(|name| draft.unchanged.contains(name));
        for (name, _) in &left {
            if !draft.changed.contains_key(name) {
                self.withdraw(name);
            }
        }
        for added in draft.added {
            let name = added.wanted.config.name.clone();
            self.pages.insert(name, added.page);
            self.start(added.wanted, added.poller);
        }
        self.show();
        for (name, polled) in left {
            if draft.changed.contains_key(&name) {
                self.leaving.hands_over(name, polled.poller);
            } else {
                let clock = self.drafter.nursery.clock.clone();
                self.leaving.goes(name, polled.poller, clock);
            }
        }
        self.hand_over(draft.changed).await
    }

    /// Starts each heir as soon as the poller before it has ended, and waits for
    /// all who leave.
    async fn hand_over(&mut self, mut heirs: BTreeMap<String, Heir>) -> Result<(), ReloadError> {
        let stop = self.stop.clone();
        loop {
            let left = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(ReloadError::Stopping),
                left = self.leaving.next() => left,
            };
            let Some((name, estate)) = left else {
                return Ok(());
            };
            match (estate, heirs.remove(&name)) {
                (Some(estate), Some((wanted, system))) => {
                    let nursery = &self.drafter.nursery;
                    let poller = nursery.heir(&wanted.config, system, estate);
                    self.start(wanted, poller);
                }
                (None, Some((wanted, _))) => {
                    self.withdraw(&name);
                    let nursery = &self.drafter.nursery;
                    let why = "the poller before it broke down".to_owned();
                    let (poller, page) = nursery.later(&wanted.config, None, why);
                    self.pages.insert(name, page);
                    self.start(wanted, poller);
                }
                (_, None) => continue,
            }
            self.show();
        }
    }

    /// Ends everything, by then at the latest; nothing may be scraped any more.
    pub(super) async fn end(mut self, by: Instant) {
        self.stop.cancel();
        for (name, polled) in self.take_all_but(|_| false) {
            let clock = self.drafter.nursery.clock.clone();
            self.leaving.goes(name, polled.poller, clock);
        }
        self.leaving.end(&self.drafter.nursery.clock, by).await;
    }

    /// The sources that do not stay, whose pollers were told to stop.
    fn take_all_but(&mut self, stays: impl Fn(&str) -> bool) -> Vec<(String, Polled)> {
        let all = std::mem::take(&mut self.polled).into_iter();
        let (stay, left): (BTreeMap<_, _>, BTreeMap<_, _>) = all.partition(|(name, _)| stays(name));
        self.polled = stay;
        for polled in left.values() {
            polled.stop.cancel();
        }
        left.into_iter().collect()
    }

    /// Takes the page of a source out of the lineup.
    fn withdraw(&mut self, name: &str) {
        if let Some(page) = self.pages.remove(name) {
            // The sum must not fall, which would look like a restart.
            self.exporter.past_commit_failures += page.borrow().commit_failures();
        }
    }

    fn start(&mut self, wanted: Wanted, poller: AnyPoller) {
        let stop = self.stop.child_token();
        let (beat, pulse) = watch::channel(Instant::now());
        let orders = Orders {
            stop: stop.clone(),
            reloads: self.reloads.subscribe(),
            pulse: beat,
        };
        let name = wanted.config.name.clone();
        let started = Polled {
            wanted,
            stop,
            poller: self.tasks.spawn_on(poller.run(orders), &self.pollers),
            pulse,
        };
        self.polled.insert(name, started);
    }

    /// Lets the others see what there is.
    fn show(&self) {
        self.lineup.send_replace(Arc::new(Lineup {
            sources: self.pages.values().cloned().collect(),
            exporter: self.exporter,
            was_ready: self.was_ready,
        }));
        let pulses = self.polled.iter();
        let pulses = pulses.map(|(name, polled)| (name.clone(), polled.pulse.clone()));
        self.pulses.send_replace(pulses.collect());
    }
}

#[cfg(test)]
mod tests;
