//! What the service manager is told, where one listens.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;

use sd_notify::NotifyState;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{debug, error};

/// Until when each poller must have given a sign of life, by source.
pub(crate) type Pulses = BTreeMap<String, watch::Receiver<Instant>>;

/// Says that all is well, and what is done.
pub(crate) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(&line(status))]);
}

/// Says that the configuration is loaded again; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[
            NotifyState::Reloading,
            now,
            NotifyState::Status("Loading the configuration again"),
        ]),
        Err(error) => untold(&error),
    }
}

/// Says that the end is near.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping, NotifyState::Status("Stopping")]);
}

/// Tells the watchdog twice as often as it wants that all is well, as long as
/// no poller is overdue.
pub(crate) async fn feed_watchdog(pulses: watch::Receiver<Pulses>) {
    let Some(patience) = sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero())
    else {
        return pending().await;
    };
    let mut ticks = interval(patience / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match overdue(&pulses.borrow(), Instant::now()) {
            None => notify(&[NotifyState::Watchdog]),
            Some(source) => error!(source, "the poller hangs: the watchdog is not fed"),
        }
    }
}

/// A source whose poller should have given a sign of life before `now`.
fn overdue(pulses: &Pulses, now: Instant) -> Option<&str> {
    let overdue = pulses.iter().find(|(_, pulse)| *pulse.borrow() < now);
    overdue.map(|(source, _)| source.as_str())
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        untold(&error);
    }
}

fn untold(error: &io::Error) {
    debug!(%error, "the service manager cannot be told");
}

/// A status is one line.
fn line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_poller_that_hangs_is_enough() {
        let until = |seconds| watch::channel(Instant::now() + Duration::from_secs(seconds)).1;
        let now = Instant::now();
        let mut pulses = Pulses::default();
        assert_eq!(overdue(&pulses, now), None);
        pulses.insert("a".to_owned(), until(10));
        pulses.insert("b".to_owned(), until(20));
        assert_eq!(overdue(&pulses, now + Duration::from_secs(10)), None);
        assert_eq!(overdue(&pulses, now + Duration::from_secs(11)), Some("a"));
    }

    #[test]
    fn a_status_cannot_say_more_than_one_thing() {
        assert_eq!(line("a\nMAINPID=1\r\0"), "a MAINPID=1  ");
    }
}
