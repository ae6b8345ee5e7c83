//! A full poll: the whole list, page by page.

use reqwest::StatusCode;
use tokio::time::Instant;
use tracing::debug;

use super::newest::Ordered;
use super::order::Order;
use super::page::Page;
use super::pages::{Next, PAGE_SIZE, Pages, Seen};
use super::{LIST, PART, SddcManager};
use crate::sources::SourceError;
use crate::sources::rest::{Answer, LISTING_LIMIT, PAGE_LIMIT};
use crate::task::{Call, Listing};

/// How far a full poll has come.
#[derive(Debug, Default)]
pub(super) struct Place {
    pages: Pages,
    /// The page to ask for; without one the first.
    number: Option<i64>,
    order: Order,
    /// The order of a page that was read before its turn.
    early: Option<Order>,
    /// Whether an answer held more than a page.
    unpaged: bool,
    /// Whether no order is asked for.
    plain: bool,
}

impl Place {
    /// Takes in in which order the tasks of a page stood.
    fn follow(&mut self, page: Order) {
        if self.pages.was_early(self.number) {
            self.early = Some(page);
            return;
        }
        self.order.append(&page);
        // The first page after that is the one that it was read before.
        if let Some(early) = self.early.take() {
            self.order.append(&early);
        }
    }

    /// That the newest tasks can be read alone, if what was read shows it.
    fn ordered(&self) -> Option<Ordered> {
        let ordered = self.order.is_kept() && !self.unpaged;
        ordered.then(|| Ordered {
            total: self.pages.total(),
            plain: self.plain,
            shift: self.pages.shift(),
        })
    }
}

impl SddcManager {
    /// Reads `GET /v1/tasks` page by page; false if it gave way at `until`.
    pub(super) async fn read_list(
        &mut self,
        listing: &mut Listing,
        until: Option<Instant>,
    ) -> Result<bool, SourceError> {
        // A reading that fails or is dropped loses its place.
        let mut place = self.place.take().unwrap_or_else(|| Place {
            plain: self.refuses_order,
            ..Place::default()
        });
        loop {
            let answer = if place.number.is_none() {
                self.first_page(&mut place).await?
            } else {
                self.page(place.number, PAGE_LIMIT, place.plain)
                    .await?
                    .success()?
            };
            let (seen, order) = self.take_page(&answer, listing, &mut place)?;
            self.rest.count_page();
            let next = place.pages.answered(seen);
            place.follow(order);
            match next {
                Next::Ask(next) => place.number = next,
                Next::End { whole } => {
                    listing.read(PART, whole);
                    if !whole && place.pages.is_at_limit() {
                        listing.cut();
                    }
                    // What was not read cannot show the order, but does not contradict it.
                    let known = whole || self.ordered.is_some();
                    self.ordered = place.ordered().filter(|_| known);
                    return Ok(true);
                }
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                self.place = Some(place);
                return Ok(false);
            }
        }
    }

    /// The first page, newest tasks first if the server knows how.
    pub(super) async fn first_page(&mut self, place: &mut Place) -> Result<Answer, SourceError> {
        let answer = self.page(None, LISTING_LIMIT, place.plain).await?;
        // The values that orderBy takes are not documented; a server may refuse ours.
        let refused = matches!(
            answer.status,
            StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR
        );
        if !refused || place.plain || !place.pages.is_first_pass() {
            return answer.success();
        }
        let plain = self.page(None, LISTING_LIMIT, true).await?.success()?;
        debug!(status = %answer.status, "the server refuses to order its tasks");
        // A server error may have had another cause.
        self.refuses_order = answer.status == StatusCode::BAD_REQUEST;
        place.plain = true;
        Ok(plain)
    }

    /// The answer for one page.
    pub(super) async fn page(
        &mut self,
        number: Option<i64>,
        limit: usize,
        plain: bool,
    ) -> Result<Answer, SourceError> {
        let mut query = vec![("pageSize", PAGE_SIZE.to_string())];
        if !plain {
            query.push(("orderBy", "creationTimestamp".to_owned()));
            query.push(("orderDirection", "DESC".to_owned()));
        }
        if let Some(number) = number {
            query.push(("pageNumber", number.to_string()));
        }
        self.get(LIST, LIST, &query, limit).await
    }

    /// Reads the tasks of a page into the listing.
    pub(super) fn take_page(
        &self,
        answer: &Answer,
        listing: &mut Listing,
        place: &mut Place,
    ) -> Result<(Seen, Order), SourceError> {
        let (reader, body) = (self.reader(), answer.text());
        let (mut new, mut skipped, mut order) = (0, 0, Order::default());
        let first_pass = place.pages.is_first_pass();
        let page = Page::read(&body, &reader, |element| match element {
            Ok(task) => {
                let created = task.started;
                let is_new = listing.meet(PART, Call::List, task);
                new += usize::from(is_new);
                if is_new && first_pass {
                    order.take(created);
                }
            }
            Err(reason) => {
                skipped += 1;
                if first_pass {
                    listing.skip(reason);
                }
            }
        })?;
        place.unpaged |= page.elements > PAGE_SIZE;
        let seen = Seen {
            new,
            skipped,
            ..Seen::of(page)
        };
        Ok((seen, order))
    }
}
