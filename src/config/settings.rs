//! The settings that `global` gives for all sources and a source may give for itself.

use std::time::Duration;

use serde_saphyr::Spanned;

use super::duration;
use super::error::ConfigError;
use super::raw::Shared;
use super::section::Section;

/// The largest limit: each series and label value up to it costs memory here and in every Prometheus.
const LARGEST_LIMIT: usize = 100_000;

/// A source is stale only after it could have been polled so often.
const STALE_POLLS: u32 = 3;

/// How a source is polled and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the start of one poll to that of the next, before jitter; at least 1 ms.
    pub poll_interval: Duration,
    /// Limit of a steady poll.
    pub poll_timeout: Duration,
    /// From the start of one full poll to that of the next.
    pub full_poll_interval: Duration,
    /// Limit of a full poll.
    pub full_poll_timeout: Duration,
    /// State older than this is withdrawn; at least three poll intervals.
    pub stale_after: Duration,
    /// How long a new counter is shown at its first value; zero turns the hold off.
    pub counter_birth_hold: Duration,
    /// How long an entry stays after the source stopped listing it.
    pub ledger_retention: Duration,
    /// An older failure is not open any more.
    pub failure_open_for: Duration,
    /// Operations kept apart, at least 1; further ones fold into `other`.
    pub max_operations: usize,
    /// Sub-task names kept apart, at least 1; further ones fold into `other`.
    pub max_subtask_names: usize,
    /// Error codes kept apart, at least 1; further ones fold into `other`.
    pub max_error_codes: usize,
    /// Unfinished tasks with series of their own, oldest first, at least 1.
    pub max_open_tasks: usize,
    /// Failed tasks with series of their own, newest first, at least 1.
    pub max_open_failures: usize,
}

/// How the calls to a source are limited.
pub(super) struct Calls {
    pub(super) timeout: Duration,
    pub(super) most_per_second: u32,
}

/// The sections that may hold a setting; an earlier one wins.
pub(super) struct Layers<'a>(pub(super) &'a [(&'a Section<'a>, &'a Shared)]);

type Found<'a> = (&'a Section<'a>, &'a Spanned<String>);

impl Settings {
    pub(super) fn resolve(layers: &Layers<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            poll_interval: layers.duration("poll_interval", seconds(30))?,
            poll_timeout: layers.duration("poll_timeout", seconds(25))?,
            full_poll_interval: layers.duration("full_poll_interval", minutes(10))?,
            full_poll_timeout: layers.duration("full_poll_timeout", minutes(30))?,
            stale_after: layers.duration("stale_after", minutes(5))?,
            counter_birth_hold: layers.hold("counter_birth_hold", minutes(1))?,
            ledger_retention: layers.duration("ledger_retention", days(30))?,
            failure_open_for: layers.duration("failure_open_for", days(30))?,
            max_operations: layers.limit("max_operations", 200)?,
            max_subtask_names: layers.limit("max_subtask_names", 500)?,
            max_error_codes: layers.limit("max_error_codes", 100)?,
            max_open_tasks: layers.limit("max_open_tasks", 100)?,
            max_open_failures: layers.limit("max_open_failures", 50)?,
        })
    }

    /// The rule between two settings; apart from [`Settings::resolve`], as a source may mend what `global` says.
    pub(super) fn check(&self, layers: &Layers<'_>) -> Result<(), ConfigError> {
        let least = self.poll_interval * STALE_POLLS;
        if self.stale_after >= least {
            return Ok(());
        }
        let least = duration::format(least);
        if let Some((section, value)) = layers.find("stale_after") {
            let rule = format!("must be at least 3 poll intervals, which are {least}");
            return Err(section.wrong("stale_after", value, rule));
        }
        let Some((section, value)) = layers.find("poll_interval") else {
            return Ok(());
        };
        let stale = duration::format(self.stale_after);
        let rule = format!("needs a stale_after of at least {least}, it is {stale}");
        Err(section.wrong("poll_interval", value, rule))
    }
}

impl<'a> Layers<'a> {
    /// What belongs to the HTTP client.
    pub(super) fn calls(&self) -> Result<Calls, ConfigError> {
        let most = self.limit("max_requests_per_second", 100)?;
        Ok(Calls {
            timeout: self.duration("request_timeout", seconds(25))?,
            most_per_second: u32::try_from(most).unwrap_or(u32::MAX),
        })
    }

    /// The duration under `key`, which must be more than zero.
    fn duration(&self, key: &str, default: Duration) -> Result<Duration, ConfigError> {
        let duration = self.hold(key, default)?;
        match self.find(key) {
            Some((section, value)) if duration.is_zero() => {
                Err(section.wrong(key, value, "must be more than 0s"))
            }
            _ => Ok(duration),
        }
    }

    fn hold(&self, key: &str, default: Duration) -> Result<Duration, ConfigError> {
        let Some((section, value)) = self.find(key) else {
            return Ok(default);
        };
        duration::parse(&value.value).map_err(|error| section.wrong(key, value, error.to_string()))
    }

    fn limit(&self, key: &str, default: usize) -> Result<usize, ConfigError> {
        let Some((section, value)) = self.find(key) else {
            return Ok(default);
        };
        let limit = value.value.parse().ok();
        limit
            .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
            .ok_or_else(|| {
                let rule = format!("must be a whole number from 1 to {LARGEST_LIMIT}");
                section.wrong(key, value, rule)
            })
    }

    fn find(&self, key: &str) -> Option<Found<'a>> {
        let in_layer = |(section, shared): &(&'a Section<'a>, &'a Shared)| {
            shared.get(key).map(|value| (*section, value))
        };
        self.0.iter().find_map(in_layer)
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    seconds(count * 60)
}

const fn days(count: u64) -> Duration {
    minutes(count * 24 * 60)
}
