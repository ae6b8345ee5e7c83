//! Panics that a test lets happen.

use std::sync::{Arc, Mutex};

/// Where a panic is to happen next; shared with all clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<&'static str>>>);

impl Faults {
    /// Lets the next visits of these places panic, each once.
    pub(crate) fn at(&self, places: &[&'static str]) {
        self.0.lock().unwrap().extend(places);
    }

    /// Whether all of them have happened.
    pub(crate) fn are_over(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    /// A visit of a place.
    pub(crate) fn visit(&self, place: &str) {
        let mut places = self.0.lock().unwrap();
        let found = places.iter().position(|each| *each == place);
        if let Some(found) = found {
            places.remove(found);
            drop(places);
            panic!("a fault at {place}");
        }
    }
}
