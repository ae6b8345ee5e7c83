//! Fields that may be missing, null or of another type than documented.
//!
//! The specifications' own `required` lists are unreliable (a sub-task's
//! completionTimestamp is required in 5.2.0 and not in 5.2.1), so a field that
//! cannot be read is a field that is not there.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bounded::too_many;
use super::element::MOST_OBJECTS;

/// A text, or a number read as one; anything else is nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

/// A text; anything else is nothing, as an id is opaque and a number is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Id(pub(super) Option<String>);

/// An object, or nothing.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) Option<T>);

/// The objects of an array, or the one that stands in its place; whatever else
/// stands there is nothing.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

/// The objects of a map, by key, in the source's order; also one that is written
/// as an array of pairs of `key` and `value`.
#[derive(Debug)]
pub(super) struct Map<T>(pub(super) Vec<(String, T)>);

/// A text or an object; anything else is neither.
#[derive(Debug)]
pub(super) struct TextOr<T> {
    pub(super) text: Option<String>,
    pub(super) object: Option<T>,
}

/// A bool, also as a text; anything else is nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flag(pub(super) Option<bool>);

impl Text {
    /// The text, if it is not blank.
    pub(super) fn given(self) -> Option<String> {
        self.0.filter(|text| !text.trim().is_empty())
    }
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for TextOr<T> {
    fn default() -> Self {
        Self {
            text: None,
            object: None,
        }
    }
}

/// Reads whatever comes, and keeps of it what [`Keep`] says.
struct Loose<T>(PhantomData<T>);

/// What a [`Loose`] reading makes of each kind of value; by default nothing.
trait Keep<'de>: Sized + Default {
    fn text(_text: &str) -> Self {
        Self::default()
    }
    fn number(_number: &dyn fmt::Display) -> Self {
        Self::default()
    }
    fn bool(_bool: bool) -> Self {
        Self::default()
    }
    fn array<A: SeqAccess<'de>>(mut array: A) -> Result<Self, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl<'de, T: Keep<'de>> Visitor<'de> for Loose<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }
    fn visit_bool<E>(self, bool: bool) -> Result<T, E> {
        Ok(T::bool(bool))
    }
    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::number(&number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::number(&number))
    }
    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::number(&number))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<T, A::Error> {
        T::array(array)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

impl Keep<'_> for Text {
    fn text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
    fn number(number: &dyn fmt::Display) -> Self {
        Self(Some(number.to_string()))
    }
}

impl Keep<'_> for Id {
    fn text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl Keep<'_> for Flag {
    fn text(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().parse().ok())
    }
    fn bool(bool: bool) -> Self {
        Self(Some(bool))
    }
}

impl<'de, T: Deserialize<'de>> Keep<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|object| Self(Some(object)))
    }
}

impl<'de, T: Deserialize<'de>> Keep<'de> for List<T> {
    fn array<A: SeqAccess<'de>>(mut array: A) -> Result<Self, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = array.next_element::<Object<T>>()? {
            if list.len() == MOST_OBJECTS {
                return Err(too_many());
            }
            list.extend(element.0);
        }
        Ok(Self(list))
    }
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|object| Self(vec![object]))
    }
}

/// An entry of a map that is written as an array.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Pair<T> {
    #[serde(default)]
    key: Id,
    #[serde(default)]
    value: Object<T>,
}

impl<'de, T: Deserialize<'de>> Keep<'de> for Map<T> {
    fn array<A: SeqAccess<'de>>(array: A) -> Result<Self, A::Error> {
        let pairs = List::<Pair<T>>::array(array)?.0.into_iter();
        let entries = pairs.filter_map(|pair| Some((pair.key.0?, pair.value.0?)));
        Ok(Self(entries.collect()))
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = object.next_entry::<String, Object<T>>()? {
            entries.extend(value.0.map(|value| (key, value)));
        }
        Ok(Self(entries))
    }
}

impl<'de, T: Deserialize<'de>> Keep<'de> for TextOr<T> {
    fn text(text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            ..Self::default()
        }
    }
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        Ok(Self {
            object: Object::object(object)?.0,
            ..Self::default()
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Loose(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_another_type_is_no_field() {
        let text = |json| serde_json::from_str::<Text>(json).unwrap().0;
        assert_eq!(text("\"a\"").as_deref(), Some("a"));
        assert_eq!(text("5").as_deref(), Some("5"));
        for json in ["null", "true", "[1]", "{\"a\":[1]}"] {
            assert_eq!(text(json), None, "{json}");
        }
        let flag = |json| serde_json::from_str::<Flag>(json).unwrap().0;
        assert_eq!(flag("true"), Some(true));
        assert_eq!(flag("\"False\""), Some(false));
        assert_eq!(flag("1"), None);
        let list = |json| serde_json::from_str::<List<Vec<u8>>>(json).unwrap().0.len();
        assert_eq!(list("\"none\""), 0);
        assert_eq!(list("[1, null, \"a\", [2]]"), 0);
        let objects = |json| {
            serde_json::from_str::<List<Pair<Pair<()>>>>(json)
                .unwrap()
                .0
                .len()
        };
        assert_eq!(objects(r#"[{"key":"a"}, 5, {}]"#), 2);
        assert_eq!(objects(r#"{"key":"a"}"#), 1, "one alone");
    }
}
