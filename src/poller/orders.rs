//! What a poller is told while it runs, and what it tells.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How much later than it said a poller may be before it counts as hung: a
/// slow disk may hold up a commit for a while.
const REASON: Duration = Duration::from_secs(5 * 60);

/// The ties between a poller and who runs it.
#[derive(Debug)]
pub struct Orders {
    /// Ends it.
    pub stop: CancellationToken,
    /// Changes with each reload of the configuration, which ends a back-off.
    pub reloads: watch::Receiver<u64>,
    /// When the next sign of life is due at the latest.
    pub pulse: watch::Sender<Instant>,
}

impl Orders {
    /// To run until `stop` is cancelled, with nobody who listens.
    pub fn until(stop: CancellationToken) -> Self {
        Self {
            stop,
            reloads: watch::channel(0).1,
            pulse: watch::channel(Instant::now()).0,
        }
    }

    /// Says that it does something that ends at `end` at the latest.
    pub(super) fn is_busy_until(&self, end: Instant) {
        self.pulse.send_replace(end + REASON);
    }

    /// Forgets the reloads so far.
    pub(super) fn forget_reloads(&mut self) {
        self.reloads.mark_unchanged();
    }

    /// Waits for a reload; for ever, if nobody is left to ask for one.
    pub(super) async fn reload(&mut self) {
        if self.reloads.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
