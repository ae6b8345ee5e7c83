//! What will happen to the living tasks, in the order in which it will.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Something that will happen to an SDDC Manager.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Birth,
    Step { id: String, turn: u32 },
    Retry { id: String, turn: u32 },
    Removal { id: String },
}

/// The events to come, the earliest first.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    events: BTreeMap<(Timestamp, u64), E>,
    /// Keeps events of the same time in the order in which they were planned.
    planned: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self {
            events: BTreeMap::new(),
            planned: 0,
        }
    }
}

impl<E> Agenda<E> {
    pub(super) fn plan(&mut self, at: Timestamp, event: E) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    /// The earliest event, if it is due, and when it was.
    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, E)> {
        let entry = self.events.first_entry()?;
        let (at, _) = *entry.key();
        (at <= now).then(|| (at, entry.remove()))
    }
}

impl Agenda<Event> {
    /// Forgets how tasks go on; births and removals stay.
    pub(super) fn forget_lives(&mut self) {
        self.events
            .retain(|_, event| matches!(event, Event::Birth | Event::Removal { .. }));
    }
}
