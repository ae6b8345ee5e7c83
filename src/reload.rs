//! Asking for the configuration to be loaded again: by a signal or over HTTP.

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// How many may ask at once; further ones wait for their turn to ask.
const WAITING: usize = 16;

/// Why the configuration was not loaded.
#[derive(Debug, Clone, Error)]
pub enum ReloadError {
    /// It is wrong, or cannot be put to work; the one before stays.
    #[error("{0}")]
    Refused(String),
    /// The exporter is about to end.
    #[error("the exporter is stopping")]
    Stopping,
}

type Answer = Result<(), ReloadError>;

/// Asks whoever has the configuration to load it again; cheap to clone.
#[derive(Debug, Clone)]
pub struct Reloader(mpsc::Sender<oneshot::Sender<Answer>>);

/// Where they ask.
#[derive(Debug)]
pub struct Requests(mpsc::Receiver<oneshot::Sender<Answer>>);

/// Those who wait for one load.
#[derive(Debug)]
pub struct Waiting(Vec<oneshot::Sender<Answer>>);

/// A way to ask, and its other end.
pub fn channel() -> (Reloader, Requests) {
    let (asks, requests) = mpsc::channel(WAITING);
    (Reloader(asks), Requests(requests))
}

impl Reloader {
    /// Waits until the configuration was loaded, as it is now or later.
    pub async fn reload(&self) -> Answer {
        let (answer, answered) = oneshot::channel();
        let asked = self.0.send(answer).await;
        asked.map_err(|_closed| ReloadError::Stopping)?;
        answered.await.unwrap_or(Err(ReloadError::Stopping))
    }
}

impl Requests {
    /// The next ones who ask, all those at once: what one load finds is right
    /// for everybody who asked before it.
    pub async fn next(&mut self) -> Option<Waiting> {
        let mut waiting = vec![self.0.recv().await?];
        while let Ok(another) = self.0.try_recv() {
            waiting.push(another);
        }
        Some(Waiting(waiting))
    }
}

impl Waiting {
    /// Tells everybody how it went; some may not wait any longer.
    pub fn answer(self, answer: &Answer) {
        for waiting in self.0 {
            waiting.send(answer.clone()).unwrap_or_default();
        }
    }
}
