//! Label values by number, with a limit to how many there can be.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::storage::Rows;
use super::table::Table;
use crate::task::{Digest, label};

/// The value that further ones become once the limit is reached.
pub const OTHER: &str = "other";

/// The number of a label value within its [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NameId(u32);

/// The values of one label: the first ones met keep theirs, further ones
/// become [`OTHER`].
#[derive(Debug, Clone)]
pub struct Names {
    limit: usize,
    /// Numbered from 0.
    values: Table<NameId, Arc<str>>,
    numbers: BTreeMap<Arc<str>, NameId>,
    /// Hashes of the values that became [`OTHER`].
    folded: Table<u64, ()>,
}

impl Names {
    /// No values yet, and at most `limit` of them beside [`OTHER`].
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            values: Table::default(),
            numbers: BTreeMap::new(),
            folded: Table::default(),
        }
    }

    /// Takes at most `limit` values beside [`OTHER`] from now on; those that
    /// are there stay.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
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
        let number = NameId(u32::try_from(self.numbers.len()).expect("limits are far below 2^32"));
        let value: Arc<str> = value.into();
        self.values.put(number, Arc::clone(&value));
        self.numbers.insert(value, number);
        number
    }

    /// The value with this number.
    pub fn value(&self, number: NameId) -> &Arc<str> {
        let value = self.values.get(&number);
        value.expect("numbers come from this table alone")
    }

    /// Whether this is the number of a value.
    pub(super) fn has(&self, number: NameId) -> bool {
        self.values.contains(&number)
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
            self.folded.put(Digest::new().text(value).finish(), ());
        }
    }

    /// What is to be kept; once it was read, [`Names::index`] is due.
    pub(super) fn rows(&mut self) -> [&mut dyn Rows; 2] {
        [&mut self.values, &mut self.folded]
    }

    /// Makes the values findable after they were read; false if their numbers
    /// are not those that this table gives.
    pub(super) fn index(&mut self) -> bool {
        let values = self.values.iter();
        self.numbers = values
            .map(|(number, value)| (Arc::clone(value), *number))
            .collect();
        let in_order = self
            .values
            .iter()
            .zip(0..)
            .all(|((number, _), place)| number.0 == place);
        in_order && self.numbers.len() == self.values.len()
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
