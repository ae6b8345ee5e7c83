//! The places of a listener's connections, which nobody can keep from others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// So long a reader who takes nothing in still counts as reading.
const STALLED: Duration = Duration::from_secs(10);

/// So many places. When all are taken, whoever is waited for longest gives his
/// away: one that says nothing or does not read is cut off before anybody who
/// comes with a request has to wait. Who is in the middle of an answer loses
/// more by it than others, so he goes only where nobody else is waited for.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    taken: Mutex<Taken>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    guests: BTreeMap<u64, State>,
}

#[derive(Debug)]
struct State {
    stage: Stage,
    /// Whether he got an answer already, of which more may be to come.
    answered: bool,
    reading: Option<Text>,
    leave: CancellationToken,
}

/// How far it is with a guest.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// He is to ask, or his request is in a queue, since then.
    Waits(Instant),
    /// An answer is being made.
    Served,
    /// He reads an answer, and took some of it last then.
    Reads(Instant),
}

/// A text that many may read, and which is there for as long as one of them does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    /// Where it is, which no other can be meanwhile.
    at: usize,
    size: usize,
}

/// Who has a place.
#[derive(Debug)]
pub(super) struct Guest {
    place: Place,
    leave: CancellationToken,
}

/// The place of a guest, for those who answer him; it goes with his requests.
#[derive(Debug, Clone)]
pub(super) struct Place {
    seats: Arc<Seats>,
    number: u64,
}

impl Seats {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            taken: Mutex::default(),
            changed: Notify::new(),
        })
    }

    /// A place, for which another may have to go.
    pub(super) async fn take(self: &Arc<Self>) -> Guest {
        loop {
            let changed = self.changed.notified();
            if let Some(guest) = self.try_take() {
                return guest;
            }
            // Answers are being made to all of them.
            changed.await;
        }
    }

    fn try_take(self: &Arc<Self>) -> Option<Guest> {
        let mut taken = self.taken();
        if taken.guests.len() >= self.most {
            taken.send_away()?;
        }
        let number = taken.next;
        taken.next += 1;
        let leave = CancellationToken::new();
        let state = State {
            stage: Stage::Waits(Instant::now()),
            answered: false,
            reading: None,
            leave: leave.clone(),
        };
        taken.guests.insert(number, state);
        drop(taken);
        let seats = Arc::clone(self);
        let place = Place { seats, number };
        Some(Guest { place, leave })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage {
    /// Since when the client is waited for, after those who are not reading.
    fn rank(self, now: Instant) -> Option<(bool, Instant)> {
        match self {
            Self::Waits(since) => Some((false, since)),
            Self::Served => None,
            Self::Reads(last) => Some((now.duration_since(last) < STALLED, last)),
        }
    }
}

impl Text {
    /// The text of these bytes.
    pub(super) fn of(bytes: &Bytes) -> Self {
        Self {
            at: bytes.as_ptr().addr(),
            size: bytes.len(),
        }
    }
}

impl Taken {
    /// Frees the place of whoever is waited for longest, if there is one.
    fn send_away(&mut self) -> Option<()> {
        let now = Instant::now();
        let guests = self.guests.iter();
        let waiting = guests.filter_map(|(number, state)| Some((state.stage.rank(now)?, *number)));
        let (_, number) = waiting.min()?;
        self.free(number)
    }

    fn free(&mut self, number: u64) -> Option<()> {
        let state = self.guests.remove(&number)?;
        state.leave.cancel();
        Some(())
    }

    /// Sends away readers of other texts than `mine`, those first who took
    /// nothing for longest, until all texts together are not larger than `most`.
    fn bound(&mut self, mine: Text, most: usize) {
        let mut readers: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for text in self.guests.values().filter_map(|state| state.reading) {
            readers.entry(text.at).or_insert((text.size, 0)).1 += 1;
        }
        let mut held: usize = readers.values().map(|(size, _)| size).sum();
        let guests = self.guests.iter();
        let others = guests.filter_map(|(number, state)| match state {
            State {
                stage: Stage::Reads(last),
                reading: Some(text),
                ..
            } if text.at != mine.at => Some((*last, *number, text.at)),
            _ => None,
        });
        let mut others: Vec<_> = others.collect();
        others.sort_unstable();
        for (_, number, at) in others {
            if held <= most {
                return;
            }
            self.free(number);
            if let Some((size, count)) = readers.get_mut(&at) {
                *count -= 1;
                if *count == 0 {
                    held -= *size;
                }
            }
        }
    }
}

impl Guest {
    /// His place.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Waits until the place is taken away.
    pub(super) async fn is_sent_away(&self) {
        self.leave.cancelled().await;
    }
}

impl Place {
    /// An answer is being made.
    pub(super) fn is_served(&self) {
        self.change(|state| {
            state.stage = Stage::Served;
            state.reading = None;
        });
    }

    /// The request waits for its turn.
    pub(super) fn is_queued(&self) {
        self.change(|state| state.stage = Stage::Waits(Instant::now()));
        self.seats.changed.notify_one();
    }

    /// The answer will be this text, beside which others may be read that are
    /// together not larger than `most`.
    pub(super) fn gets(&self, text: Text, most: usize) {
        self.change(|state| state.reading = Some(text));
        self.seats.taken().bound(text, most);
        self.seats.changed.notify_one();
    }

    /// The answer is made, and the client is to read it.
    pub(super) fn is_answered(&self) {
        self.change(|state| {
            state.stage = Stage::Reads(Instant::now());
            state.answered = true;
        });
        self.seats.changed.notify_one();
    }

    /// The client takes some of what is sent.
    pub(super) fn takes_some(&self) {
        self.change(|state| {
            // Before the first answer it is a handshake.
            if state.answered && !matches!(state.stage, Stage::Served) {
                state.stage = Stage::Reads(Instant::now());
            }
        });
    }

    /// The client has all that was sent: he may ask again.
    pub(super) fn has_all(&self) {
        self.change(|state| {
            if matches!(state.stage, Stage::Reads(_)) {
                state.stage = Stage::Waits(Instant::now());
                state.reading = None;
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.seats.taken().guests.get_mut(&self.number) {
            change(state);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let Place { seats, number } = &self.place;
        seats.taken().guests.remove(number);
        seats.changed.notify_one();
    }
}

#[cfg(test)]
mod tests;
