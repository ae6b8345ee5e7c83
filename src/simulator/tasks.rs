//! The task list in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::history::PastTask;
use super::options::NaturalOrder;
use super::query::Selection;
use super::row::Row;
use super::task::SimTask;

/// The tasks, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks {
    rows: BTreeMap<u64, Row>,
    places: BTreeMap<String, u64>,
    next: u64,
    chosen: Option<Chosen>,
}

/// The places that the last list call chose, good until the list changes.
#[derive(Clone, Debug)]
struct Chosen {
    selection: Selection,
    places: Arc<[u64]>,
}

impl Tasks {
    /// Puts a task at the end, or in place of the one with the same id.
    pub(super) fn put(&mut self, task: SimTask) {
        let place = self.places.get(&task.id).copied();
        let place = place.unwrap_or_else(|| self.place(task.id.clone()));
        self.set(place, task.into());
    }

    pub(super) fn put_past(&mut self, past: PastTask) {
        let place = self.place(past.id());
        self.set(place, Row::Past(past));
    }

    /// Puts an element at the end; `id` makes it readable by id.
    pub(super) fn put_raw(&mut self, id: Option<String>, text: &str) {
        let place = match id {
            Some(id) => self.place(id),
            None => self.next_place(),
        };
        self.set(place, Row::Raw(text.into()));
    }

    fn next_place(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn place(&mut self, id: String) -> u64 {
        let place = self.next_place();
        self.places.insert(id, place);
        place
    }

    fn set(&mut self, place: u64, row: Row) {
        self.chosen = None;
        self.rows.insert(place, row);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Row> {
        self.row(*self.places.get(id)?)
    }

    pub(super) fn row(&self, place: u64) -> Option<&Row> {
        self.rows.get(&place)
    }

    pub(super) fn task(&self, id: &str) -> Option<SimTask> {
        self.get(id)?.task()
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Row> {
        self.chosen = None;
        let place = self.places.remove(id)?;
        self.rows.remove(&place)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The places of the elements that a call selects, in the order it asks for.
    pub(super) fn choose(&mut self, selection: &Selection, order: NaturalOrder) -> Arc<[u64]> {
        // Without this, every page of a long list would sort the whole list again.
        if let Some(chosen) = &self.chosen
            && chosen.selection == *selection
        {
            return Arc::clone(&chosen.places);
        }
        let matching = self.rows.iter().filter(|(_, row)| selection.admits(row));
        let mut places: Vec<u64> = matching.map(|(place, _)| *place).collect();
        match order {
            NaturalOrder::Insertion => {}
            NaturalOrder::NewestFirst => places.reverse(),
            NaturalOrder::Shuffled => places.sort_by_cached_key(|place| (scatter(*place), *place)),
        }
        if let Some((key, descending)) = selection.order {
            let key_of = |place: &u64| self.rows.get(place).map(|row| key.of(row));
            if descending {
                places.sort_by_cached_key(|place| Reverse(key_of(place)));
            } else {
                places.sort_by_cached_key(key_of);
            }
        }
        let places: Arc<[u64]> = places.into();
        self.chosen = Some(Chosen {
            selection: selection.clone(),
            places: Arc::clone(&places),
        });
        places
    }
}

/// A number that looks like chance but is the same every time.
fn scatter(place: u64) -> u64 {
    fastrand::Rng::with_seed(place).u64(..)
}
