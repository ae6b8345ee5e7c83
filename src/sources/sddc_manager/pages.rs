//! Which page to ask for next: pure, as no two versions page alike.
//!
//! Neither the number of the first page nor the order is documented, 4.x gives
//! everything in one answer without `pageMetadata`, and tasks come and go while
//! the pages are read. So the numbers are learnt from the answers, tasks are
//! told apart by id, and what the totals say decides whether all was seen.

use super::page::{Metadata, Page};

/// The page size asked for: the most that 5.1 and later allow.
pub(super) const PAGE_SIZE: usize = 100;

/// Pages of one listing at the most.
const MOST_PAGES: u64 = 20_000;

/// How often the pages are read again because the list moved.
const MOST_PASSES: u32 = 3;

/// Pages without anything new before a repeated pass gives up.
const MOST_REPEATS: u32 = 3;

/// What one answer held.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Elements in all.
    pub(super) elements: usize,
    /// Tasks that no earlier page of this poll held.
    pub(super) new: usize,
    /// Elements that could not be read.
    pub(super) skipped: usize,
    /// What the page says of the whole.
    pub(super) metadata: Option<Metadata>,
}

impl Seen {
    /// What a page held, of whose tasks nothing is known.
    pub(super) fn of(page: Page) -> Self {
        Self {
            elements: page.elements,
            metadata: page.metadata,
            ..Self::default()
        }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask for the page with this number; without one for the first page.
    Ask(Option<i64>),
    /// Nothing is left; `whole` says whether everything was seen.
    End {
        /// Whether everything was seen.
        whole: bool,
    },
}

/// The way through the pages of one listing.
#[derive(Debug, Default)]
pub(super) struct Pages {
    asked: Option<i64>,
    /// The number that the first page has in the metadata.
    first: Option<i64>,
    /// How far the numbers in the metadata are ahead of the numbers asked for.
    shift: i64,
    /// The page that was read before its turn, when the shift was found.
    early: Option<i64>,
    answers: u64,
    pass: u32,
    /// Different elements met in the first pass, and new tasks met since.
    known: u64,
    total: Option<u64>,
    total_at_start: Option<u64>,
    /// How many pages there are, as the metadata says.
    count: Option<i64>,
    repeats: u32,
    /// Whether the totals cannot be right, so that they decide nothing.
    distrusted: bool,
    /// Whether this pass goes to the end although nothing new shows up.
    thorough: bool,
}

impl Pages {
    /// The way through a list whose numbers are known to be shown so far ahead.
    pub(super) fn shifted(shift: i64) -> Self {
        Self {
            shift,
            ..Self::default()
        }
    }

    /// How far the numbers in the metadata are ahead of the numbers asked for.
    pub(super) fn shift(&self) -> i64 {
        self.shift
    }

    /// Whether the page that was read last came before its turn, as only it told
    /// how the server counts.
    pub(super) fn was_early(&self, number: Option<i64>) -> bool {
        number.is_some() && number == self.early && self.asked < self.early
    }

    /// Whether the first pass is under way.
    pub(super) fn is_first_pass(&self) -> bool {
        self.pass == 0
    }

    /// How many tasks there are by the metadata, unless that cannot be right.
    pub(super) fn total(&self) -> Option<u64> {
        self.total.filter(|_| !self.distrusted)
    }

    /// Whether no more pages are read, whatever they hold.
    pub(super) fn is_at_limit(&self) -> bool {
        self.answers >= MOST_PAGES
    }

    /// Takes in an answer and says what to do next.
    pub(super) fn answered(&mut self, seen: Seen) -> Next {
        self.answers += 1;
        self.known += count(seen.new)
            + if self.pass == 0 {
                count(seen.skipped)
            } else {
                0
            };
        if let Some(metadata) = seen.metadata {
            self.learn(metadata, seen);
            if let Some(again) = self.number_was_shifted(metadata) {
                return self.ask(again);
            }
        }
        if self.is_at_limit() {
            return Next::End { whole: false };
        }
        if self.passes_on(seen) {
            let next = self.next();
            return self.ask(next);
        }
        self.end_pass()
    }

    fn learn(&mut self, metadata: Metadata, seen: Seen) {
        if self.asked.is_none() {
            self.first = metadata.page_number;
        }
        self.total = metadata.total_elements.or(self.total);
        self.count = metadata.total_pages.or(self.count);
        if self.total_at_start.is_none() {
            self.total_at_start = self.total;
        }
        if self.total.is_some_and(|total| count(seen.elements) > total) {
            self.distrusted = true;
        }
    }

    /// The page to ask for instead, if the answer's number shows that pages are
    /// counted from another base than the first answer said.
    fn number_was_shifted(&mut self, metadata: Metadata) -> Option<i64> {
        let asked = self.asked?;
        let shift = metadata.page_number?.checked_sub(asked)?;
        if self.shift != 0 || shift.abs() != 1 {
            return None;
        }
        self.shift = shift;
        self.early = Some(asked);
        asked.checked_sub(shift)
    }

    fn next(&self) -> i64 {
        let here = self.asked.or_else(|| self.first_asked());
        let next = here.map_or(1, |here| here + 1);
        if self.early == Some(next) && self.pass == 0 {
            return next + 1;
        }
        next
    }

    /// Whether this pass has a page to go.
    fn passes_on(&mut self, seen: Seen) -> bool {
        if seen.elements == 0 {
            return false;
        }
        let known_base = self.first.is_some();
        let repeated = seen.new == 0 && seen.skipped < seen.elements;
        if repeated {
            self.repeats += 1;
            // Without metadata, page 1 may well be the first one again.
            let first_again = !known_base && self.asked == Some(1) && self.pass == 0;
            let patient = self.thorough || (self.pass > 0 && self.repeats < MOST_REPEATS);
            return first_again || (patient && !self.is_past_the_last());
        }
        self.repeats = 0;
        if self.total.is_none() && self.count.is_none() {
            return seen.elements == PAGE_SIZE || seen.metadata.is_some();
        }
        if self.distrusted {
            return true;
        }
        if !self.thorough && self.total.is_some_and(|total| self.known >= total) {
            return false;
        }
        !self.is_past_the_last()
    }

    fn is_past_the_last(&self) -> bool {
        let Some(pages) = self.count.filter(|_| !self.distrusted) else {
            return false;
        };
        let first = self.first_asked().unwrap_or(0);
        self.asked.unwrap_or(first) >= first + pages - 1
    }

    /// The number to ask for to get the first page.
    fn first_asked(&self) -> Option<i64> {
        Some(self.first? - self.shift)
    }

    /// Ends, or reads again what may have moved.
    fn end_pass(&mut self) -> Next {
        let shrunk = self.total < self.total_at_start;
        let short = self.total.is_some_and(|total| self.known < total);
        let moved = !self.distrusted && (shrunk || short);
        self.pass += 1;
        if !moved || self.pass >= MOST_PASSES {
            return Next::End { whole: !moved };
        }
        // Where tasks went, later ones moved up to pages already read.
        self.thorough = shrunk;
        self.total_at_start = self.total;
        self.repeats = 0;
        self.asked = None;
        Next::Ask(None)
    }

    fn ask(&mut self, number: i64) -> Next {
        self.asked = Some(number);
        Next::Ask(self.asked)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
