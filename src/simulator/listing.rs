//! One page of the task list, and how it may be wrong.

use std::fmt::Write as _;

use super::fault::FaultKind;
use super::options::SddcManagerOptions;
use super::query::Query;
use super::row::Row;
use super::tasks::Tasks;

/// One page, written.
#[derive(Debug)]
pub(super) struct Page {
    /// The JSON body.
    pub(super) body: String,
    /// Its number, counted from 0 whatever the API counts from.
    pub(super) index: u32,
}

/// Where a page lies in the list.
#[derive(Debug)]
struct Window {
    index: u32,
    size: u32,
    /// Elements over all pages.
    total: u32,
}

impl Window {
    fn new(query: &Query, total: usize, options: &SddcManagerOptions) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let total = query.limit.map_or(total, |limit| limit.min(total));
        let paged = query.page_number.is_some() || query.page_size.is_some();
        let size = match query.page_size {
            Some(size) => size,
            None if query.limit.is_some() && !paged => total,
            None => options.default_page_size.unwrap_or(total),
        };
        let first = options.paging.first();
        let number = query.page_number.unwrap_or(first);
        Self {
            index: number.saturating_sub(first),
            size: size.max(1),
            total,
        }
    }

    fn pages(&self) -> u32 {
        self.total.div_ceil(self.size)
    }

    /// The first element and the number of elements of a page.
    fn range(&self, index: u32) -> (usize, usize) {
        let start = index.saturating_mul(self.size).min(self.total);
        let count = self.size.min(self.total - start);
        (
            usize::try_from(start).unwrap_or(usize::MAX),
            usize::try_from(count).unwrap_or(usize::MAX),
        )
    }
}

/// Writes the page that a query asks for, spoilt by `fault` if it is of that kind.
pub(super) fn page(
    tasks: &mut Tasks,
    query: &Query,
    options: &SddcManagerOptions,
    fault: Option<&FaultKind>,
) -> Page {
    let places = tasks.choose(&query.selection, options.natural_order);
    let window = Window::new(query, places.len(), options);
    let (start, count) = match fault {
        Some(FaultKind::RepeatedPage) => window.range(0),
        _ => window.range(window.index),
    };
    let rows = places.iter().skip(start).take(count);
    let rows = rows.filter_map(|place| tasks.row(*place));
    let mut body = String::with_capacity(count.saturating_mul(2_500));
    match fault {
        Some(FaultKind::WrongType) => body.push_str(r#"{"elements":{}"#),
        Some(FaultKind::DuplicatedPage) => write_elements(&mut body, rows.clone().chain(rows)),
        _ => write_elements(&mut body, rows),
    }
    if options.paging.has_metadata() {
        write_metadata(&mut body, &window, options, fault);
    }
    body.push('}');
    Page {
        body,
        index: window.index,
    }
}

/// Appends the start of the object and its elements.
fn write_elements<'a>(body: &mut String, rows: impl Iterator<Item = &'a Row>) {
    body.push_str(r#"{"elements":["#);
    for (at, row) in rows.enumerate() {
        if at > 0 {
            body.push(',');
        }
        row.write(body);
    }
    body.push(']');
}

/// Appends the `pageMetadata`.
fn write_metadata(
    body: &mut String,
    window: &Window,
    options: &SddcManagerOptions,
    fault: Option<&FaultKind>,
) {
    let number = window.index.saturating_add(options.paging.first());
    let (elements, pages) = match fault {
        Some(FaultKind::LyingTotals { elements, pages }) => (*elements, *pages),
        // A client that trusts the totals would go on for ever.
        Some(FaultKind::RepeatedPage) => (i32::MAX.unsigned_abs(), i32::MAX.unsigned_abs()),
        _ => (window.total, window.pages()),
    };
    let size = window.size;
    write!(
        body,
        r#","pageMetadata":{{"pageNumber":{number},"pageSize":{size},"totalElements":{elements},"totalPages":{pages}}}"#
    )
    .expect("writing to a string does not fail");
}
