//! The answers around tasks: a list in either dialect, and one alone.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Read, task};
use crate::sources::bounded::{Elements, Entries, no_list};
use crate::sources::loose::Id;
use crate::sources::vcenter::dialect::Dialect;
use crate::sources::{Reason, SourceError};
use crate::task::{Skipped, TimeFrame};

/// The most tasks of an answer: ten times what a vCenter shows at once.
const MOST: usize = 10_000;

/// What `/rest` puts everything under.
#[derive(Debug, Deserialize)]
struct Envelope<T> {
    value: T,
}

/// An entry of a map in `/rest`.
#[derive(Debug, Deserialize)]
struct Pair<'a> {
    #[serde(default)]
    key: Id,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Reads a list; a bad element spoils no other.
///
/// # Errors
/// If it is none: any object could be a map of tasks by their ids, so one of
/// which nothing is a task is something else.
pub(in crate::sources::vcenter) fn page(
    dialect: Dialect,
    body: &str,
    frame: TimeFrame,
) -> Result<Vec<Result<Read, Skipped>>, SourceError> {
    let elements =
        elements(dialect, body).map_err(|error| no_list(dialect.tasks(), "the answer", &error))?;
    let read = |element: Result<(String, &RawValue), Skipped>| {
        element.and_then(|(id, json)| task(id, json.get(), frame))
    };
    let page: Vec<_> = elements.into_iter().map(read).collect();
    let is_no_task = |element: &Result<Read, Skipped>| match element {
        Ok(read) => read.blank,
        Err(reason) => *reason != Skipped::TooDeep,
    };
    if dialect == Dialect::Api && !page.is_empty() && page.iter().all(is_no_task) {
        let detail = "the answer is no list of tasks: nothing in it is a task";
        return Err(SourceError::new(Reason::Decode, dialect.tasks(), detail));
    }
    Ok(page)
}

/// The elements of a list, each by its id and uncut.
pub(super) fn elements(
    dialect: Dialect,
    body: &str,
) -> serde_json::Result<Vec<Result<(String, &RawValue), Skipped>>> {
    match dialect {
        Dialect::Rest => {
            let page: Envelope<Elements<&RawValue, MOST>> = serde_json::from_str(body)?;
            Ok(page.value.0.into_iter().map(pair).collect())
        }
        Dialect::Api => {
            let page: Entries<&RawValue, MOST> = serde_json::from_str(body)?;
            let element = |(id, value): (String, _)| given_id(id).map(|id| (id, value));
            Ok(page.0.into_iter().map(element).collect())
        }
    }
}

fn pair(element: &RawValue) -> Result<(String, &RawValue), Skipped> {
    let pair: Pair<'_> =
        serde_json::from_str(element.get()).map_err(|_error| Skipped::NotAnObject)?;
    let id = pair.key.0.ok_or(Skipped::NoId)?;
    Ok((given_id(id)?, pair.value))
}

fn given_id(id: String) -> Result<String, Skipped> {
    Some(id)
        .filter(|id| !id.trim().is_empty())
        .ok_or(Skipped::NoId)
}

/// The one task that an answer holds, uncut.
pub(in crate::sources::vcenter) fn one(
    dialect: Dialect,
    body: &str,
) -> serde_json::Result<&RawValue> {
    match dialect {
        Dialect::Rest => serde_json::from_str(body).map(|one: Envelope<_>| one.value),
        Dialect::Api => serde_json::from_str(body),
    }
}
