//! Arrays and objects of an answer that hold at most so many elements: what is read
//! of a text can take a hundred times its space.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Reason, SourceError};

/// The most elements of one answer. The largest answers that are taken hold a
/// tenth of it, if they are tasks.
pub(super) const MOST: usize = 1_000_000;

/// How the error of an answer with more of them begins.
const TOO_MANY: &str = "too many elements";

/// The elements of an array, at most so many.
#[derive(Debug)]
pub(super) struct Elements<T, const AT_MOST: usize = MOST>(pub(super) Vec<T>);

/// The entries of an object, at most so many.
#[derive(Debug)]
pub(super) struct Entries<T, const AT_MOST: usize = MOST>(pub(super) Vec<(String, T)>);

/// The error of an answer that holds more elements than are taken.
pub(super) fn too_many<E: Error>() -> E {
    E::custom(TOO_MANY)
}

/// Why an answer cannot be read as a list; the parser's own words could quote it.
pub(super) fn no_list(
    endpoint: &'static str,
    what: &str,
    error: &serde_json::Error,
) -> SourceError {
    let (line, column) = (error.line(), error.column());
    if error.to_string().starts_with(TOO_MANY) {
        let detail = format!("{what} holds too many elements, at {line}:{column}");
        return SourceError::new(Reason::TooLarge, endpoint, detail);
    }
    let kind = error.classify();
    let detail = format!("{what} is no list of tasks: {kind:?} error at {line}:{column}");
    SourceError::new(Reason::Decode, endpoint, detail)
}

/// All that comes, if that is no more than `most`.
fn at_most<T, E: Error>(
    most: usize,
    mut next: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Vec<T>, E> {
    let mut all = Vec::new();
    while let Some(each) = next()? {
        if all.len() == most {
            return Err(too_many());
        }
        all.push(each);
    }
    Ok(all)
}

struct Counted<T, const AT_MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const AT_MOST: usize> Visitor<'de> for Counted<T, AT_MOST> {
    type Value = Elements<T, AT_MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        at_most(AT_MOST, || array.next_element()).map(Elements)
    }
}

struct Keyed<T, const AT_MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const AT_MOST: usize> Visitor<'de> for Keyed<T, AT_MOST> {
    type Value = Entries<T, AT_MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        at_most(AT_MOST, || object.next_entry()).map(Entries)
    }
}

impl<'de, T: Deserialize<'de>, const AT_MOST: usize> Deserialize<'de> for Elements<T, AT_MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>, const AT_MOST: usize> Deserialize<'de> for Entries<T, AT_MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keyed(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_more_than_may_be_is_too_large() {
        let read = |json| serde_json::from_str::<Elements<u8, 2>>(json).map(|list| list.0);
        assert_eq!(read("[1,2]").unwrap(), [1, 2]);
        let error = no_list("/tasks", "the page", &read("[1,2,3]").unwrap_err());
        assert_eq!(error.reason, Reason::TooLarge, "{error}");
        let error = no_list("/tasks", "the page", &read("[1,2").unwrap_err());
        assert_eq!(error.reason, Reason::Decode, "{error}");
        let read = |json| serde_json::from_str::<Entries<u8, 1>>(json).map(|map| map.0);
        assert_eq!(read(r#"{"a":1}"#).unwrap(), [("a".to_owned(), 1)]);
        let error = no_list("/tasks", "it", &read(r#"{"a":1,"b":1}"#).unwrap_err());
        assert_eq!(error.detail, "it holds too many elements, at 1:13");
    }
}
