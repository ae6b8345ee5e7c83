//! Label values by number, with a limit to how many there can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::task::{Digest, label};

/// The value that further ones become once the limit is reached.
pub const OTHER: &str = "other";

/// The number of a label value within its [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(u32);

/// The values of one label: the first ones met keep theirs, further ones
/// become [`OTHER`].
#[derive(Debug)]
pub struct Names {
    limit: usize,
    numbers: BTreeMap<Arc<str>, NameId>,
    values: Vec<Arc<str>>,
    folded: BTreeSet<u64>,
}

impl Names {
    /// No values yet, and at most `limit` of them beside [`OTHER`].
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            numbers: BTreeMap::new(),
            values: Vec::new(),
            folded: BTreeSet::new(),
        }
    }

    /// The number of this value, or of [`OTHER`].
    pub fn number(&mut self, value: &str) -> NameId {
        let value = label::clean(value);
        if let Some(number) = self.numbers.get(value.as_str()) {
            return *number;
        }
        let known = self.numbers.len() - usize::from(self.numbers.contains_key(OTHER));
        if value != OTHER && known >= self.limit {
            self.fold(&value);
            return self.number(OTHER);
        }
        let number = NameId(u32::try_from(self.values.len()).expect("limits are far below 2^32"));
        let value: Arc<str> = value.into();
        self.values.push(Arc::clone(&value));
        self.numbers.insert(value, number);
        number
    }

    /// The value with this number.
    pub fn value(&self, number: NameId) -> &Arc<str> {
        usize::try_from(number.0)
            .ok()
            .and_then(|index| self.values.get(index))
            .expect("numbers come from this table alone")
    }

    /// Every value with its number, sorted by value.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, NameId)> {
        self.numbers.iter().map(|(value, number)| (value, *number))
    }

    /// How many values became [`OTHER`]; counted up to a hundred thousand.
    pub fn folded(&self) -> usize {
        self.folded.len()
    }

    fn fold(&mut self, value: &str) {
        /// A source that invents names for ever shall not fill the memory.
        const COUNTED: usize = 100_000;
        if self.folded.len() < COUNTED {
            self.folded.insert(Digest::new().text(value).finish());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_keep_theirs_and_further_ones_fold() {
        let mut names = Names::new(2);
        let a = names.number("a");
        let b = names.number("b");
        let c = names.number("c");
        assert_eq!(names.number("d"), c);
        assert_eq!(names.number("a"), a);
        assert_eq!(&**names.value(b), "b");
        assert_eq!(&**names.value(c), OTHER);
        assert_eq!(names.folded(), 2);
        names.number("c");
        assert_eq!(names.folded(), 2, "a value folds once");
    }

    #[test]
    fn a_value_that_is_called_other_takes_no_place() {
        let mut names = Names::new(1);
        let other = names.number(OTHER);
        let a = names.number("a");
        assert_ne!(other, a);
        assert_eq!(names.number("b"), other);
    }
}
