//! The places of a listener's connections, which nobody can keep from others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// So many places. When all are taken, whoever is waited for longest gives his
/// away: one that says nothing or does not read is cut off before anybody who
/// comes with a request has to wait.
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
    /// Since when it is the client's turn, to ask or to read, or his request is
    /// in a queue; `None` while an answer is being made.
    waits_since: Option<Instant>,
    leave: CancellationToken,
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
            waits_since: Some(Instant::now()),
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

impl Taken {
    /// Frees the place of whoever is waited for longest, if there is one.
    fn send_away(&mut self) -> Option<()> {
        let guests = self.guests.iter();
        let waiting = guests.filter_map(|(number, state)| Some((state.waits_since?, *number)));
        let (_, number) = waiting.min()?;
        let state = self.guests.remove(&number)?;
        state.leave.cancel();
        Some(())
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
        self.set(None);
    }

    /// It is the client's turn again, or his request waits for its own.
    pub(super) fn is_waited_for(&self) {
        self.set(Some(Instant::now()));
        self.seats.changed.notify_one();
    }

    fn set(&self, waits_since: Option<Instant>) {
        if let Some(state) = self.seats.taken().guests.get_mut(&self.number) {
            state.waits_since = waits_since;
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
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    async fn is_sent_away(guest: &Guest) -> bool {
        timeout(Duration::ZERO, guest.is_sent_away()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_waited_for_longest_gives_way() {
        let seats = Seats::new(2);
        let first = seats.take().await;
        advance(Duration::from_secs(1)).await;
        let second = seats.take().await;
        advance(Duration::from_secs(1)).await;
        // Now the second one is waited for longer.
        first.place().is_served();
        first.place().is_waited_for();
        let third = seats.take().await;
        assert!(is_sent_away(&second).await);
        assert!(!is_sent_away(&first).await && !is_sent_away(&third).await);
        // A place that was taken away is not free twice.
        drop(second);
        assert_eq!(seats.taken().guests.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_being_served_is_not_sent_away() {
        let seats = Seats::new(1);
        let first = seats.take().await;
        first.place().is_served();
        let next = timeout(Duration::from_secs(60), seats.take()).await;
        assert!(next.is_err() && !is_sent_away(&first).await);
        let (next, ()) = tokio::join!(seats.take(), async { first.place().is_waited_for() });
        assert!(is_sent_away(&first).await && !is_sent_away(&next).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_left_is_free() {
        let seats = Seats::new(1);
        let first = seats.take().await;
        first.place().is_served();
        let (_next, ()) = tokio::join!(seats.take(), async { drop(first) });
    }
}
