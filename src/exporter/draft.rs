//! A configuration made ready to run: what can fail of it has been done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest::{Digest, SHA256, digest};
use tokio::sync::watch;

use super::system::AnySystem;
use super::{AnyPoller, Nursery, is_ours};
use crate::config::{Config, ConfigError, SourceConfig};
use crate::log::Level;
use crate::metrics::{Exporter, SourcePage};
use crate::program::ProgramError;

/// Where the configuration comes from, each time that it is loaded.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A text, under the name that its errors have.
    Text(String, PathBuf),
}

/// A source as the configuration has it, and the files that its client reads
/// once.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) config: SourceConfig,
    /// What the files hold; `None` for one that cannot be read.
    files: Vec<Option<Digest>>,
}

/// Makes drafts.
#[derive(Debug, Clone)]
pub(super) struct Drafter {
    pub(super) origin: Origin,
    pub(super) nursery: Nursery,
    /// Says which sources are ours.
    pub(super) exporter: Exporter,
}

/// What a configuration makes of the sources that are polled now. Those in no
/// part of it are gone.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) log_level: Option<Level>,
    pub(super) warnings: Vec<String>,
    pub(super) unchanged: BTreeSet<String>,
    pub(super) changed: BTreeMap<String, Heir>,
    pub(super) added: Vec<Added>,
}

/// A source as it is polled from now on, with its client; without one if making
/// that panicked.
pub(super) type Heir = (Wanted, Result<AnySystem, String>);

/// A source that was not polled before.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) wanted: Wanted,
    pub(super) poller: AnyPoller,
    pub(super) page: watch::Receiver<Arc<SourcePage>>,
}

impl Origin {
    /// Reads and judges it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        match self {
            Self::File(file) => Config::load(file),
            Self::Text(text, file) => Config::parse(text, file),
        }
    }
}

impl Wanted {
    fn new(config: SourceConfig) -> Self {
        let read = |file: &Path| Some(digest(&SHA256, &fs::read(file).ok()?));
        let files = config.http.files().map(read).collect();
        Self { config, files }
    }

    /// Whether a poller of the one is as good as a poller of the other.
    fn is(&self, other: &Self) -> bool {
        let bytes = |digest: &Option<Digest>| digest.map(|digest| digest.as_ref().to_vec());
        self.config == other.config
            && (self.files.iter().map(bytes)).eq(other.files.iter().map(bytes))
    }
}

impl Drafter {
    /// A draft of this shard's sources, beside those that are polled.
    ///
    /// # Errors
    /// If a source cannot be polled as configured, or its ledger not be read.
    pub(super) fn draft(
        &self,
        config: Config,
        polled: &BTreeMap<String, Wanted>,
    ) -> Result<Draft, ProgramError> {
        let mut draft = Draft {
            log_level: config.log_level,
            warnings: config.warnings,
            unchanged: BTreeSet::new(),
            changed: BTreeMap::new(),
            added: Vec::new(),
        };
        let sources = config.sources.into_iter();
        for source in sources.filter(|source| is_ours(&source.name, &self.exporter)) {
            let wanted = Wanted::new(source);
            let name = wanted.config.name.clone();
            match polled.get(&name) {
                Some(before) if before.is(&wanted) => {
                    draft.unchanged.insert(name);
                }
                Some(_) => {
                    let system = self.nursery.system(&wanted.config)?;
                    draft.changed.insert(name, (wanted, system));
                }
                None => draft.added.push(self.add(wanted)?),
            }
        }
        Ok(draft)
    }

    fn add(&self, wanted: Wanted) -> Result<Added, ProgramError> {
        let (poller, page) = self.nursery.poller(&wanted.config)?;
        Ok(Added {
            wanted,
            poller,
            page,
        })
    }
}
