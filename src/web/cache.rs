//! The text of what was scraped before, for as long as it stays true.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::encoding::{Beginning, Encoding};
use crate::metrics::{Exporter, Exposition, SourcePage, TextFormat};

/// How long what the exporter says of itself is repeated: to ask the kernel
/// takes longer than all the rest of a scrape.
const REPEATED: Duration = Duration::from_secs(1);

/// How many whole pages the kept texts may be as large as, together.
const PAGES: usize = 3;

/// Bytes of texts that clients have yet to read, or so many whole pages if
/// those are more.
const UNREAD: usize = 64 * 1024 * 1024;
const UNREAD_PAGES: usize = 4;

/// Texts that are not kept and are written at once.
const AT_ONCE: usize = 2;

/// The texts that were asked for last, the last one first: those of all sources
/// and of single ones. Of other sets there are too many.
#[derive(Debug)]
pub(super) struct Cache {
    entries: Mutex<VecDeque<Arc<Entry>>>,
    /// The turns of all entries that are not kept.
    turns: Arc<Semaphore>,
}

/// The first part of an exposition, in one format.
#[derive(Debug)]
pub(super) struct Entry {
    format: TextFormat,
    /// The snapshots, and whether they were fresh.
    pages: Vec<(Weak<SourcePage>, bool)>,
    /// Held by who writes it.
    turns: Arc<Semaphore>,
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

impl Default for Cache {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Cache {
    /// The entry for an exposition of some of so many `sources`, which may have
    /// to be written yet. What is true no longer is forgotten.
    pub(super) fn entry(
        &self,
        exposition: &Exposition,
        format: TextFormat,
        sources: usize,
    ) -> Arc<Entry> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.is_of_now());
        let known = entries
            .iter()
            .position(|entry| entry.is(exposition, format));
        let known = known.and_then(|position| entries.remove(position));
        let shown = exposition.pages().count();
        if shown > 1 && shown < sources {
            drop(entries);
            return Arc::new(Entry::of(exposition, format, Arc::clone(&self.turns)));
        }
        let own = || Arc::new(Semaphore::new(1));
        let entry = known.unwrap_or_else(|| Arc::new(Entry::of(exposition, format, own())));
        entries.push_front(Arc::clone(&entry));
        let most = PAGES * page_size(&entries);
        let mut held = 0;
        entries.retain(|entry| {
            held += entry.size();
            held <= most
        });
        entry
    }

    /// How large the texts together may be that clients have yet to read.
    pub(super) fn unread(&self) -> usize {
        UNREAD.max(UNREAD_PAGES * page_size(&self.entries()))
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How large a whole page is, as far as entries tell.
fn page_size(entries: &VecDeque<Arc<Entry>>) -> usize {
    let mut largest = 0;
    for format in TextFormat::ALL {
        let of_it = entries.iter().filter(|entry| entry.format == format);
        let (single, whole): (Vec<_>, Vec<_>) = of_it.partition(|entry| entry.pages.len() == 1);
        let size = |entry: &Arc<Entry>| entry.text.get().map_or(0, Bytes::len);
        let whole = whole.into_iter().map(size).max().unwrap_or_default();
        let single = single.into_iter().map(size).sum();
        largest = largest.max(whole).max(single);
    }
    largest
}

impl Entry {
    fn of(exposition: &Exposition, format: TextFormat, turns: Arc<Semaphore>) -> Self {
        let pages = exposition.pages();
        Self {
            format,
            pages: pages
                .map(|(page, fresh)| (Arc::downgrade(page), fresh))
                .collect(),
            turns,
            text: OnceLock::new(),
            compressed: OnceLock::new(),
            rest: Mutex::new(None),
        }
    }

    /// The turn to write it: others wait, and find it written.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// How large its texts are.
    fn size(&self) -> usize {
        let compressed = self.compressed.get().map(Beginning::bytes);
        let texts = [self.text.get().cloned(), compressed];
        texts.iter().flatten().map(Bytes::len).sum()
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

    /// The first part, which is written if it is not yet there.
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

#[cfg(test)]
mod tests;
