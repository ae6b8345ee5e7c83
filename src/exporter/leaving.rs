//! The sources that were told to stop, until they have.

use std::collections::BTreeSet;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use crate::clock::Clock;
use crate::poller::Estate;

/// A source that has stopped, and what is left of it to be handed over.
type Left = (String, Option<Estate>);

/// The sources that were told to stop: all side by side, as one that hangs is to
/// hold up no other.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    ends: JoinSet<Left>,
    awaited: BTreeSet<String>,
}

impl Leaving {
    /// Waits for the end of a poller whose estate somebody will take.
    pub(super) fn hands_over(&mut self, name: String, poller: JoinHandle<Option<Estate>>) {
        self.awaited.insert(name.clone());
        self.ends.spawn(async move {
            let estate = estate(&name, poller).await;
            (name, estate)
        });
    }

    /// Waits for the end of a poller and closes what it leaves, which must not be
    /// scraped any more.
    pub(super) fn goes(&mut self, name: String, poller: JoinHandle<Option<Estate>>, clock: Clock) {
        self.awaited.insert(name.clone());
        self.ends.spawn(async move {
            if let Some(estate) = estate(&name, poller).await {
                estate.close(&clock).await;
            }
            (name, None)
        });
    }

    /// The next one that has stopped; none if there are no more.
    pub(super) async fn next(&mut self) -> Option<Left> {
        loop {
            match self.ends.join_next().await? {
                Ok((name, estate)) => {
                    self.awaited.remove(&name);
                    return Some((name, estate));
                }
                Err(panic) => error!(%panic, "a ledger was not closed well"),
            }
        }
    }

    /// Closes what all of them leave, and gives up at `by`: what was polled is
    /// on the disk, as each poll was committed.
    pub(super) async fn end(mut self, clock: &Clock, by: Instant) {
        while let Ok(left) = timeout_at(by, self.next()).await {
            let Some((name, estate)) = left else {
                return;
            };
            if let Some(estate) = estate {
                let clock = clock.clone();
                self.awaited.insert(name.clone());
                self.ends.spawn(async move {
                    estate.close(&clock).await;
                    (name, None)
                });
            }
        }
        let sources = self.awaited.into_iter().collect::<Vec<_>>().join(", ");
        warn!(%sources, "sources were cut off at the end of the time that a stop may take");
    }
}

/// What a poller leaves that was told to stop; `None` if it broke down or never
/// began.
async fn estate(source: &str, poller: JoinHandle<Option<Estate>>) -> Option<Estate> {
    let left = poller.await;
    left.inspect_err(|panic| error!(source, %panic, "a poller broke down"))
        .ok()
        .flatten()
}
