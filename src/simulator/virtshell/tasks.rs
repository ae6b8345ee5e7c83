//! The stored tasks, in the order in which they came.

use std::collections::{BTreeMap, HashMap};

use super::task::VsTask;

/// The stored tasks; nothing leaves by itself.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// By their places in the database's natural order.
    by_place: BTreeMap<u64, VsTask>,
    places: HashMap<String, u64>,
    next: u64,
}

impl Tasks {
    /// Stores a task at the end, or in the place of one with the same uuid.
    pub(super) fn put(&mut self, task: VsTask) {
        let place = *self.places.entry(task.uuid.clone()).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.by_place.insert(place, task);
    }

    pub(super) fn get(&self, uuid: &str) -> Option<&VsTask> {
        self.by_place.get(self.places.get(uuid)?)
    }

    pub(super) fn get_mut(&mut self, uuid: &str) -> Option<&mut VsTask> {
        self.by_place.get_mut(self.places.get(uuid)?)
    }

    pub(super) fn remove(&mut self, uuid: &str) -> Option<VsTask> {
        self.by_place.remove(&self.places.remove(uuid)?)
    }

    pub(super) fn clear(&mut self) {
        self.by_place.clear();
        self.places.clear();
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &VsTask> {
        self.by_place.values()
    }
}
