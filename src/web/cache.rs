//! The text of what was scraped before, for as long as it stays true.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::encoding::{Beginning, Encoding};
use crate::metrics::{Exporter, Exposition, SourcePage, TextFormat};

/// How long what the exporter says of itself is repeated: to ask the kernel
/// takes longer than all the rest of a scrape.
const REPEATED: Duration = Duration::from_secs(1);

/// How many texts are kept for each source, and for all together: one for each
/// format.
const PER_SOURCE: usize = 2;

/// The texts that were asked for last, the last one first.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<VecDeque<Arc<Entry>>>);

/// The first part of an exposition, in one format.
#[derive(Debug)]
pub(super) struct Entry {
    format: TextFormat,
    /// The snapshots, and whether they were fresh.
    pages: Vec<(Weak<SourcePage>, bool)>,
    text: OnceLock<Bytes>,
    compressed: OnceLock<Beginning>,
    rest: Mutex<Option<Arc<Rest>>>,
}

/// The second part, as of a moment.
#[derive(Debug)]
pub(super) struct Rest {
    exporter: Option<Exporter>,
    at: Instant,
    text: Bytes,
    compressed: OnceLock<Bytes>,
}

impl Cache {
    /// The entry for an exposition, which may have to be written yet. What is
    /// true no longer is forgotten, and of `sources` not more than they need.
    pub(super) fn entry(
        &self,
        exposition: &Exposition,
        format: TextFormat,
        sources: usize,
    ) -> Arc<Entry> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.is_of_now());
        let known = entries
            .iter()
            .position(|entry| entry.is(exposition, format));
        let known = known.and_then(|position| entries.remove(position));
        let entry = known.unwrap_or_else(|| Arc::new(Entry::of(exposition, format)));
        entries.push_front(Arc::clone(&entry));
        entries.truncate(PER_SOURCE * (sources + 1));
        entry
    }
}

impl Entry {
    fn of(exposition: &Exposition, format: TextFormat) -> Self {
        let pages = exposition.pages();
        Self {
            format,
            pages: pages
                .map(|(page, fresh)| (Arc::downgrade(page), fresh))
                .collect(),
            text: OnceLock::new(),
            compressed: OnceLock::new(),
            rest: Mutex::new(None),
        }
    }

    /// Whether it is what an exposition says.
    fn is(&self, exposition: &Exposition, format: TextFormat) -> bool {
        let mine = self.pages.iter();
        let mine = mine.map(|(page, fresh)| (page.as_ptr(), *fresh));
        let pages = exposition.pages();
        let others = pages.map(|(page, fresh)| (Arc::as_ptr(page), fresh));
        self.format == format && mine.eq(others)
    }

    /// Whether all of its snapshots are still there.
    fn is_of_now(&self) -> bool {
        let mut pages = self.pages.iter();
        pages.all(|(page, _)| page.strong_count() > 0)
    }

    /// Whether nothing has to be written any more.
    pub(super) fn is_written(&self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Identity => self.text.get().is_some(),
            Encoding::Gzip => self.compressed.get().is_some(),
        }
    }

    /// The first part; whoever comes first writes it, and others wait for that.
    pub(super) fn text(&self, exposition: &Exposition) -> Bytes {
        let write = || exposition.of_the_sources(self.format).into();
        self.text.get_or_init(write).clone()
    }

    /// The second part, which may be a moment old.
    pub(super) fn rest(&self, exposition: &Exposition) -> Arc<Rest> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let exporter = exposition.exporter().copied();
        let fresh = |rest: &&Arc<Rest>| {
            let age = exposition.now().saturating_duration_since(rest.at);
            rest.exporter == exporter && age < REPEATED
        };
        if let Some(fresh) = rest.as_ref().filter(fresh) {
            return Arc::clone(fresh);
        }
        let written = Arc::new(Rest {
            exporter,
            at: exposition.now(),
            text: exposition.of_the_exporter(self.format).into(),
            compressed: OnceLock::new(),
        });
        *rest = Some(Arc::clone(&written));
        written
    }

    /// Both parts as one member of gzip.
    pub(super) fn compressed(
        &self,
        exposition: &Exposition,
        rest: &Rest,
    ) -> io::Result<[Bytes; 2]> {
        let beginning = if let Some(beginning) = self.compressed.get() {
            beginning
        } else {
            let beginning = Beginning::of(&self.text(exposition))?;
            self.compressed.get_or_init(|| beginning)
        };
        let end = if let Some(end) = rest.compressed.get() {
            end.clone()
        } else {
            let end = beginning.end(&rest.text)?.into();
            rest.compressed.get_or_init(|| end).clone()
        };
        Ok([beginning.bytes(), end])
    }
}

impl Rest {
    /// The text.
    pub(super) fn text(&self) -> Bytes {
        self.text.clone()
    }
}
