//! Whose pages are served: what changes with the configuration.

use std::sync::Arc;

use tokio::sync::watch;

use crate::metrics::{Exporter, SourcePage};

/// The sources of a configuration, and what the exporter says of itself under it.
#[derive(Debug)]
pub struct Lineup {
    /// Where the snapshots of each source appear.
    pub sources: Vec<watch::Receiver<Arc<SourcePage>>>,
    /// What the exporter says of itself.
    pub exporter: Exporter,
    /// Whether all was tried once before a reload, which takes nothing back.
    pub was_ready: bool,
}

impl Lineup {
    /// The snapshots as of now.
    pub(super) fn snapshots(&self) -> Vec<Arc<SourcePage>> {
        let sources = self.sources.iter();
        sources.map(|source| Arc::clone(&source.borrow())).collect()
    }

    /// The source that keeps the exporter from being ready.
    pub(super) fn untried(&self) -> Option<Arc<SourcePage>> {
        if self.was_ready {
            return None;
        }
        let mut snapshots = self.snapshots().into_iter();
        snapshots.find(|page| !page.is_tried())
    }

    /// Whether all was tried once.
    pub fn is_ready(&self) -> bool {
        self.untried().is_none()
    }
}
