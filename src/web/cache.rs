//! The text of what was scraped before, for as long as it stays true.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use bytes::Bytes;

use super::encoding::{Beginning, Encoding};
use crate::metrics::{Exposition, SourcePage, TextFormat};

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

    /// The text; whoever comes first writes it, and others wait for that.
    pub(super) fn text(&self, exposition: &Exposition) -> Bytes {
        let write = || exposition.of_the_sources(self.format).into();
        self.text.get_or_init(write).clone()
    }

    /// The text, compressed.
    pub(super) fn compressed(&self, exposition: &Exposition) -> io::Result<&Beginning> {
        if let Some(compressed) = self.compressed.get() {
            return Ok(compressed);
        }
        let compressed = Beginning::of(&self.text(exposition))?;
        Ok(self.compressed.get_or_init(|| compressed))
    }
}
