//! A steady poll: the newest tasks alone.
//!
//! It is sound where a full poll has shown that the list runs from the newest
//! task to the oldest. Then every new task stands before all known ones, and
//! the reading can end with the first page on which each task is known and
//! no finished one has changed: what follows can only have changed if it was
//! unfinished or failed, and such tasks are read by id (see [`crate::poller`])
//! or wait for the next full poll. It goes on where the next page is likely to
//! show more unfinished tasks than are cheaply read by id.
//!
//! A page that runs against the order, or is none, gives the order up until a
//! full poll has shown it again. Where the number of tasks is not what it was
//! and the new ones, or there are too many new ones, a full poll is wanted
//! soon, but the order stands.

use jiff::Timestamp;
use reqwest::StatusCode;
use tracing::debug;

use super::order::Order;
use super::page::Page;
use super::pages::{Next, PAGE_SIZE, Pages, Seen};
use super::{PART, SddcManager};
use crate::sources::rest::{Answer, PAGE_LIMIT};
use crate::sources::{Newest, SourceError};
use crate::task::{Call, Extent, Listing, Memory};

/// Beyond so many pages a full poll is no dearer, and gives way.
const MOST_PAGES: usize = 20;

/// So many calls by id are cheaper than a page.
const CHEAPER_THAN_A_PAGE: usize = 1;

/// That the newest tasks can be read alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered {
    /// How many tasks the server said to have, if it says so.
    pub(super) total: Option<u64>,
    /// Whether its list is in order although it takes no order.
    pub(super) plain: bool,
    /// How far it shows the numbers of pages ahead of what is asked for.
    pub(super) shift: i64,
}

/// How far the reading of the newest tasks has come.
#[derive(Debug, Default)]
struct Reading {
    pages: Pages,
    order: Order,
    /// Tasks that the source did not list before.
    fresh: u64,
    /// What the first page said of the whole: what came later is on none.
    total: Option<u64>,
}

impl SddcManager {
    /// Reads the newest tasks; `None` if the list is not in order. The extent
    /// says how much of it was read.
    pub(super) async fn read_newest_list(
        &mut self,
        memory: &impl Memory,
    ) -> Result<Option<(Newest, Extent)>, SourceError> {
        let Some(before) = self.ordered else {
            return Ok(None);
        };
        let mut listing = Listing::new();
        let mut reading = Reading {
            pages: Pages::shifted(before.shift),
            ..Reading::default()
        };
        let mut number = None;
        for page in 1..=MOST_PAGES {
            let answer = self.newest_page(number, before.plain).await?;
            let Some(answer) = answer else {
                break;
            };
            let (seen, rests) = self.take_newest(&answer, &mut listing, &mut reading, memory)?;
            self.rest.count_page();
            if reading.order.is_broken() || seen.elements > PAGE_SIZE {
                break;
            }
            let next = reading.pages.answered(seen);
            let whole = next == Next::End { whole: true };
            // Behind a page that was read before its turn there is another one to read.
            let rests = rests && !reading.pages.was_early(number);
            match next {
                Next::Ask(next) if !rests && page < MOST_PAGES => number = next,
                _ => {
                    let cut = !rests && matches!(next, Next::Ask(_));
                    let fits = self.fits(before, &reading);
                    let extent = if fits && whole {
                        Extent::Whole
                    } else {
                        Extent::Newest
                    };
                    listing.read(PART, extent);
                    let wants_full = cut || !fits;
                    return Ok(Some((
                        Newest {
                            listing,
                            wants_full,
                        },
                        extent,
                    )));
                }
            }
        }
        debug!("the newest tasks cannot be read alone");
        self.ordered = None;
        Ok(None)
    }

    /// A page as the full poll has asked for it; `None` if that is refused now.
    async fn newest_page(
        &mut self,
        number: Option<i64>,
        plain: bool,
    ) -> Result<Option<Answer>, SourceError> {
        let mut answer = self.page(number, PAGE_LIMIT, plain).await?;
        let passes = StatusCode::INTERNAL_SERVER_ERROR;
        if number.is_none() && answer.status == passes && answer.retry_after.is_none() {
            answer = self.page(number, PAGE_LIMIT, plain).await?;
        }
        if number.is_none() && answer.status == StatusCode::BAD_REQUEST && !plain {
            return Ok(None);
        }
        answer.success().map(Some)
    }

    /// Whether the server has as many tasks as it had, and the new ones.
    fn fits(&mut self, before: Ordered, reading: &Reading) -> bool {
        let expected = before.total.map(|total| total + reading.fresh);
        let fits = expected.is_none() || expected == reading.total;
        debug!(fits, fresh = reading.fresh, "read the newest tasks");
        self.ordered = Some(Ordered {
            total: if fits { expected } else { reading.total },
            ..before
        });
        fits
    }

    /// Reads the tasks of a page into the listing, and says whether all of them
    /// are known and rest.
    fn take_newest(
        &self,
        answer: &Answer,
        listing: &mut Listing,
        reading: &mut Reading,
        memory: &impl Memory,
    ) -> Result<(Seen, bool), SourceError> {
        let (reader, body) = (self.reader(), answer.text());
        let (mut new, mut skipped) = (0, 0);
        let (mut rests, mut above) = (0, None);
        let page = Page::read(&body, &reader, |element| {
            let Ok(task) = element else {
                skipped += 1;
                return;
            };
            rests += usize::from(memory.rests(&task));
            let (created, listed) = (task.started, memory.lists(&task));
            above = above.or(created);
            if listing.meet(PART, Call::List, task) {
                new += 1;
                reading.order.take(created);
                reading.fresh += u64::from(!listed);
            }
        })?;
        let seen = Seen {
            new,
            skipped,
            ..Seen::of(page)
        };
        if reading.total.is_none() {
            reading.total = seen.metadata.and_then(|metadata| metadata.total_elements);
        }
        let rests = rests > 0 && rests + seen.skipped == seen.elements;
        let below = || unfinished_below(above, reading.order.oldest(), memory);
        Ok((seen, rests && below() <= CHEAPER_THAN_A_PAGE))
    }
}

/// How many known unfinished tasks the next page is likely to show, if as much
/// time lies between its ends as between those of this one.
fn unfinished_below(
    above: Option<Timestamp>,
    oldest: Option<Timestamp>,
    memory: &impl Memory,
) -> usize {
    let (Some(above), Some(oldest)) = (above, oldest) else {
        return 0;
    };
    let next = oldest.saturating_sub(above.duration_since(oldest));
    let next = next.unwrap_or(Timestamp::MIN);
    memory.unfinished_since(next) - memory.unfinished_since(oldest)
}
