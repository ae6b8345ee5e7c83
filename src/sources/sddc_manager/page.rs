//! A page of the list, whose tasks are handed on one by one: a page takes no more
//! memory than its text, whatever stands in it.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::LIST;
use super::wire::Reader;
use crate::sources::SourceError;
use crate::sources::bounded::{MOST, no_list, too_many};
use crate::sources::loose::{Object, Text};
use crate::task::{Skipped, Task};

/// What a page holds, but for its tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Elements, those that are no tasks too.
    pub(super) elements: usize,
    /// What it says of the whole.
    pub(super) metadata: Option<Metadata>,
}

/// What a page says of the whole. Its `pageSize` is no use: the reference says
/// 10 beside 2 elements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) page_number: Option<i64>,
    pub(super) total_elements: Option<u64>,
    pub(super) total_pages: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireMetadata {
    page_number: Text,
    total_elements: Text,
    total_pages: Text,
}

impl Page {
    /// Reads a page, and hands on each of its tasks, or why it cannot be read.
    ///
    /// # Errors
    /// If it is no page; some of its tasks may have been handed on.
    pub(super) fn read(
        json: &str,
        reader: &Reader<'_>,
        take: impl FnMut(Result<Task, Skipped>),
    ) -> Result<Self, SourceError> {
        let mut walk = Walk {
            reader,
            take,
            taken: 0,
            cut: false,
        };
        let metadata = walk.over(json).or_else(|_bad_element| {
            walk.cut = true;
            walk.over(json)
        });
        let metadata = metadata.map_err(|error| no_list(LIST, "the page", &error))?;
        Ok(Self {
            elements: walk.taken,
            metadata: metadata.as_ref().map(Metadata::of),
        })
    }
}

impl Metadata {
    fn of(wire: &WireMetadata) -> Self {
        // All of them are int32 in the specifications.
        let number = |text: &Text| {
            let number: i32 = text.0.as_ref()?.parse().ok()?;
            Some(i64::from(number))
        };
        Self {
            page_number: number(&wire.page_number),
            total_elements: number(&wire.total_elements).and_then(|n| u64::try_from(n).ok()),
            total_pages: number(&wire.total_pages),
        }
    }
}

/// The way over a page.
struct Walk<'a, 'b, F> {
    reader: &'a Reader<'b>,
    take: F,
    /// Elements that were handed on, by an earlier walk too.
    taken: usize,
    /// Whether each element is cut out before it is read, so that a bad one spoils
    /// no other; it takes longer.
    cut: bool,
}

impl<F: FnMut(Result<Task, Skipped>)> Walk<'_, '_, F> {
    fn over(&mut self, json: &str) -> serde_json::Result<Option<WireMetadata>> {
        let mut json = serde_json::Deserializer::from_str(json);
        let metadata = json.deserialize_map(&mut *self)?;
        json.end()?;
        Ok(metadata)
    }

    /// The next element, read.
    fn next<'de, A: SeqAccess<'de>>(
        &self,
        array: &mut A,
    ) -> Result<Option<Result<Task, Skipped>>, A::Error> {
        if !self.cut {
            let element = array.next_element()?;
            return Ok(element.map(|Object(wire)| self.reader.element(wire)));
        }
        let element = array.next_element::<&RawValue>()?;
        Ok(element.map(|json| self.reader.task(json.get(), None)))
    }
}

impl<'de, F: FnMut(Result<Task, Skipped>)> Visitor<'de> for &mut Walk<'_, '_, F> {
    type Value = Option<WireMetadata>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut page: A) -> Result<Self::Value, A::Error> {
        let (mut is_list, mut metadata) = (false, None);
        while let Some(key) = page.next_key::<String>()? {
            match key.as_str() {
                "elements" if is_list => return Err(A::Error::duplicate_field("elements")),
                "elements" => {
                    page.next_value_seed(Tasks(&mut *self))?;
                    is_list = true;
                }
                "pageMetadata" => metadata = page.next_value::<Object<_>>()?.0,
                _ => drop(page.next_value::<IgnoredAny>()?),
            }
        }
        if !is_list {
            return Err(A::Error::missing_field("elements"));
        }
        Ok(metadata)
    }
}

/// The array of the elements.
struct Tasks<'w, 'a, 'b, F>(&'w mut Walk<'a, 'b, F>);

impl<'de, F: FnMut(Result<Task, Skipped>)> DeserializeSeed<'de> for Tasks<'_, '_, '_, F> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, array: D) -> Result<(), D::Error> {
        array.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Result<Task, Skipped>)> Visitor<'de> for Tasks<'_, '_, '_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tasks")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let walk = self.0;
        for _ in 0..walk.taken {
            array.next_element::<IgnoredAny>()?;
        }
        while let Some(task) = walk.next(&mut array)? {
            if walk.taken == MOST {
                return Err(too_many());
            }
            walk.taken += 1;
            (walk.take)(task);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
