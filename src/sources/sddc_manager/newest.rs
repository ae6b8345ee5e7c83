//! A steady poll: the newest tasks alone.
//!
//! It is sound where a full poll has shown that the list runs from the newest
//! task to the oldest. Then every new task stands before all known ones, and
//! the reading can end with the first page on which each task is known, has
//! ended and stands as it did: what follows can only have changed if it was
//! unfinished or failed, and such tasks are read by id (see [`crate::poller`])
//! or wait for the next full poll.
//!
//! What contradicts that gives the order up until a full poll has shown it
//! again: at once, where a page runs against it or is none; for the next poll,
//! where the number of tasks is not what it was and the new ones.

use tracing::debug;

use super::order::Order;
use super::pages::{Next, PAGE_SIZE, Pages, Seen};
use super::{PART, SddcManager};
use crate::sources::SourceError;
use crate::sources::rest::{Answer, PAGE_LIMIT};
use crate::task::{Call, Extent, Listing, Memory};

/// Beyond so many pages a full poll is no dearer, and gives way.
const MOST_PAGES: usize = 20;

/// That the newest tasks can be read alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered {
    /// How many tasks the server said to have, if it says so.
    pub(super) total: Option<u64>,
}

/// How far the reading of the newest tasks has come.
#[derive(Debug, Default)]
struct Newest {
    pages: Pages,
    order: Order,
    /// Tasks that the source did not list before.
    fresh: u64,
    /// What the first page said of the whole: what came later is on none.
    total: Option<u64>,
}

impl SddcManager {
    /// Reads the newest tasks; `None` if the list is not in order, or too much
    /// is new.
    pub(super) async fn read_newest_list(
        &mut self,
        memory: &impl Memory,
    ) -> Result<Option<(Listing, Extent)>, SourceError> {
        let Some(before) = self.ordered else {
            return Ok(None);
        };
        let (mut listing, mut newest) = (Listing::new(), Newest::default());
        let mut number = None;
        for _ in 0..MOST_PAGES {
            let answer = self.page(number, PAGE_LIMIT).await?;
            let (seen, rests) = self.take_newest(&answer, &mut listing, &mut newest, memory)?;
            self.rest.count_page();
            if newest.order.is_broken() || seen.elements > PAGE_SIZE {
                break;
            }
            let next = newest.pages.answered(seen);
            let whole = next == Next::End { whole: true };
            match next {
                Next::Ask(next) if !rests => number = next,
                _ => {
                    let extent = self.weigh(before, &newest, whole);
                    listing.read(PART, extent);
                    return Ok(Some((listing, extent)));
                }
            }
        }
        debug!("the newest tasks cannot be read alone");
        self.ordered = None;
        Ok(None)
    }

    /// How much was read, and whether the next poll may read as little.
    fn weigh(&mut self, before: Ordered, newest: &Newest, whole: bool) -> Extent {
        let expected = before.total.map(|total| total + newest.fresh);
        let fits = expected.is_none() || expected == newest.total;
        debug!(fits, fresh = newest.fresh, "read the newest tasks");
        self.ordered = fits.then_some(Ordered { total: expected });
        if fits && whole {
            Extent::Whole
        } else {
            Extent::Newest
        }
    }

    /// Reads the tasks of a page into the listing, and says whether all of them
    /// are known and rest.
    fn take_newest(
        &self,
        answer: &Answer,
        listing: &mut Listing,
        newest: &mut Newest,
        memory: &impl Memory,
    ) -> Result<(Seen, bool), SourceError> {
        let (reader, body) = (self.reader(), answer.text());
        let page = Self::parse(&body)?;
        let mut seen = Seen::of(&page);
        if newest.total.is_none() {
            newest.total = seen.metadata.and_then(|metadata| metadata.total_elements);
        }
        let mut rests = 0;
        for element in &page.elements {
            let Ok(task) = reader.task(element.get(), None) else {
                seen.skipped += 1;
                continue;
            };
            rests += usize::from(memory.rests(&task));
            let (created, listed) = (task.started, memory.lists(&task));
            if listing.meet(PART, Call::List, task) {
                seen.new += 1;
                newest.order.take(created);
                newest.fresh += u64::from(!listed);
            }
        }
        Ok((seen, rests > 0 && rests + seen.skipped == seen.elements))
    }
}
