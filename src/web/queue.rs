//! Work that is done by few at once, for which no more than some wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;
use super::seats::Place;

/// Requests that wait for a turn, for each kind of work.
const WAITING: usize = 8;

/// The turns of one kind of work.
#[derive(Debug)]
pub(super) struct Queue {
    turns: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Queue {
    /// So many at once.
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
            waiting: Semaphore::new(WAITING),
        }
    }

    /// A turn. It is to be held by the work itself and not by who asked for it,
    /// who may hang up while it goes on. Who waits in the queue can lose his
    /// place to others, as nothing is done for him yet.
    pub(super) async fn take(
        &self,
        place: Option<&Place>,
    ) -> Result<OwnedSemaphorePermit, Refusal> {
        let turns = Arc::clone(&self.turns);
        if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
            return Ok(turn);
        }
        let Ok(_queued) = self.waiting.try_acquire() else {
            return Err(Refusal::Busy);
        };
        if let Some(place) = place {
            place.is_queued();
        }
        let turn = turns.acquire_owned().await;
        if let Some(place) = place {
            place.is_served();
        }
        turn.map_err(|_closed| Refusal::Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::super::seats::Seats;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_than_some_wait_and_the_next_is_refused_at_once() {
        let queue = Queue::new(1);
        let first = queue.take(None).await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(queue.take(None))).collect();
        for each in &mut waiting {
            assert!(timeout(Duration::ZERO, each).await.is_err());
        }
        let refused = queue.take(None).await.unwrap_err();
        assert_eq!(refused, Refusal::Busy);
        // Who hangs up makes room.
        waiting.pop();
        let mut last = Box::pin(queue.take(None));
        assert!(timeout(Duration::ZERO, &mut last).await.is_err());
        drop(first);
        waiting.push(last);
        for each in waiting {
            drop(each.await.unwrap());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_place_of_a_request_in_the_queue_can_be_taken() {
        let (seats, queue) = (Seats::new(1), Queue::new(1));
        let work = queue.take(None).await.unwrap();
        let guest = seats.take().await;
        guest.place().is_served();
        let mut waiting = Box::pin(queue.take(Some(guest.place())));
        assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
        let next = timeout(Duration::from_secs(60), seats.take()).await;
        let next = next.expect("the place of one in the queue");
        guest.is_sent_away().await;
        drop(waiting);
        drop(guest);
        drop(work);
        // With its turn a request is served again.
        next.place().is_served();
        let _turn = queue.take(Some(next.place())).await.unwrap();
        let another = timeout(Duration::from_secs(60), seats.take()).await;
        assert!(another.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_comes_out_of_the_queue_keeps_its_place() {
        let (seats, queue) = (Seats::new(1), Queue::new(1));
        let work = queue.take(None).await.unwrap();
        let guest = seats.take().await;
        guest.place().is_served();
        let (turn, ()) = tokio::join!(queue.take(Some(guest.place())), async { drop(work) });
        assert!(turn.is_ok());
        let another = timeout(Duration::from_secs(60), seats.take()).await;
        assert!(another.is_err());
    }
}
