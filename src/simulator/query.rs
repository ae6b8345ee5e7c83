//! What a list call asks for.

use jiff::Timestamp;

use super::options::{OrderBy, Paging, SddcManagerOptions};
use super::row::Row;
use super::status::TaskStatus;

/// The most elements of one page.
const MOST_PER_PAGE: u32 = 100;

/// What a list call asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Query {
    pub(super) selection: Selection,
    /// The most elements over all pages.
    pub(super) limit: Option<u32>,
    pub(super) page_number: Option<u32>,
    /// From 1 to [`MOST_PER_PAGE`].
    pub(super) page_size: Option<u32>,
}

/// Which elements, and in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Selection {
    status: Option<String>,
    operation: Option<String>,
    resource_id: Option<String>,
    resource_kind: Option<String>,
    completed_after: Option<Timestamp>,
    name: Option<String>,
    /// The key, and whether the largest comes first.
    pub(super) order: Option<(OrderKey, bool)>,
}

/// A field to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderKey {
    Created,
    Completed,
    Name,
    Status,
    Operation,
}

/// The value of a field to sort by; absent ones come first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OrderValue {
    Time(Option<Timestamp>),
    Text(Option<String>),
}

impl OrderKey {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "creationTimestamp" => Some(Self::Created),
            "completionTimestamp" => Some(Self::Completed),
            "name" => Some(Self::Name),
            "status" => Some(Self::Status),
            "type" => Some(Self::Operation),
            _ => None,
        }
    }

    pub(super) fn of(self, row: &Row) -> OrderValue {
        match self {
            Self::Created => OrderValue::Time(row.created()),
            Self::Completed => OrderValue::Time(row.completed()),
            Self::Name => OrderValue::Text(Some(row.name().to_owned())),
            Self::Status => OrderValue::Text(row.status().map(|s| s.as_str().to_owned())),
            Self::Operation => OrderValue::Text(row.operation().map(str::to_owned)),
        }
    }
}

impl Query {
    /// Reads the parameters; the error is the one that is refused.
    pub(super) fn parse(
        pairs: &[(String, String)],
        options: &SddcManagerOptions,
    ) -> Result<Self, String> {
        let mut query = Self::default();
        let mut descending = false;
        for (name, value) in pairs {
            let selection = &mut query.selection;
            let refused = || format!("{name}={value}");
            match name.as_str() {
                "limit" => query.limit = Some(number(value).ok_or_else(refused)?),
                "taskStatus" => selection.status = Some(value.clone()),
                "taskType" => selection.operation = Some(value.clone()),
                "resourceId" => selection.resource_id = Some(value.clone()),
                "resourceType" => selection.resource_kind = Some(value.clone()),
                "completedAfter" => {
                    let time = value.parse().ok().map(Timestamp::from_millisecond);
                    selection.completed_after =
                        Some(time.and_then(Result::ok).ok_or_else(refused)?);
                }
                _ if options.paging == Paging::None => {}
                "taskName" => selection.name = Some(value.clone()),
                "pageNumber" => query.page_number = Some(number(value).ok_or_else(refused)?),
                "pageSize" => {
                    let size = number(value).ok_or_else(refused)?;
                    query.page_size = Some(size.clamp(1, MOST_PER_PAGE));
                }
                "orderDirection" => descending = value.eq_ignore_ascii_case("DESC"),
                "orderBy" => match options.order_by {
                    OrderBy::Ignored => {}
                    OrderBy::Refused => return Err(refused()),
                    OrderBy::Honoured => {
                        let key = OrderKey::parse(value).ok_or_else(refused)?;
                        selection.order = Some((key, false));
                    }
                },
                _ => {}
            }
        }
        if let Some((_, order)) = &mut query.selection.order {
            *order = descending;
        }
        Ok(query)
    }
}

/// A number that is not negative; Java's `int` ends at 2^31 - 1.
fn number(text: &str) -> Option<u32> {
    text.parse::<i32>()
        .ok()
        .and_then(|value| u32::try_from(value).ok())
}

impl Selection {
    /// Whether the element is among those asked for.
    pub(super) fn admits(&self, row: &Row) -> bool {
        let wanted =
            |asked: &Option<String>, test: &dyn Fn(&str) -> bool| asked.as_deref().is_none_or(test);
        wanted(&self.status, &|word| {
            row.status().is_some_and(|status| status.is_called(word))
        }) && wanted(&self.operation, &|word| row.operation() == Some(word))
            && wanted(&self.resource_id, &|id| {
                row.resources().iter().any(|r| r.resource_id == id)
            })
            && wanted(&self.resource_kind, &|kind| {
                row.resources().iter().any(|r| r.kind == kind)
            })
            && wanted(&self.name, &|part| row.name().contains(part))
            && self.completed_after.is_none_or(|time| {
                // By the API's own words, only these two count as completed.
                let counts = [TaskStatus::Successful, TaskStatus::Failed];
                row.status().is_some_and(|status| counts.contains(&status))
                    && row.completed().is_some_and(|end| end > time)
            })
    }
}
