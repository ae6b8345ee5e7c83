//! Rows that remember which of them changed, so that only those are written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::storage::{RowError, RowResult, Rows, WriteRow, decode, encode};

/// Rows by key, and the keys of those that are not saved yet.
#[derive(Debug, Clone)]
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<K: Ord + Clone, V: PartialEq> Table<K, V> {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    /// The keys of the rows that are not saved yet, removed ones included.
    pub(super) fn changed(&self) -> impl Iterator<Item = &K> {
        self.changed.iter()
    }

    /// Puts a row; one that is equal to what stood there is no change.
    pub(super) fn put(&mut self, key: K, value: V) {
        if self.rows.get(&key) != Some(&value) {
            self.changed.insert(key.clone());
            self.rows.insert(key, value);
        }
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.rows.remove(key)?;
        self.changed.insert(key.clone());
        Some(removed)
    }
}

impl<K: Ord + Clone, V: PartialEq + Clone> Table<K, V> {
    /// Changes a row that exists, and returns what the change returns.
    pub(super) fn change<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let row = self.rows.get_mut(key)?;
        let before = row.clone();
        let result = change(row);
        if *row != before {
            self.changed.insert(key.clone());
        }
        Some(result)
    }
}

impl<K, V> Rows for Table<K, V>
where
    K: Ord + Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    fn write_changed(&self, write: &mut WriteRow<'_>) -> Result<(), RowError> {
        for key in &self.changed {
            let bytes = encode(key)?;
            match self.rows.get(key) {
                Some(value) => write(&bytes, Some(&encode(value)?))?,
                None => write(&bytes, None)?,
            }
        }
        Ok(())
    }

    fn write_all(&self, write: &mut WriteRow<'_>) -> Result<(), RowError> {
        for (key, value) in &self.rows {
            write(&encode(key)?, Some(&encode(value)?))?;
        }
        Ok(())
    }

    fn read(&mut self, rows: &mut dyn Iterator<Item = RowResult>) -> Result<(), RowError> {
        let rows = rows.map(|row| {
            let (key, value) = row?;
            Ok((decode(&key)?, decode(&value)?))
        });
        self.rows = rows.collect::<Result<_, RowError>>()?;
        Ok(())
    }

    fn set_saved(&mut self) {
        self.changed.clear();
    }
}
