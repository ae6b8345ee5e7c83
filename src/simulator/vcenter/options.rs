//! How a vCenter behaves.

use std::time::Duration;

use jiff::SignedDuration;

use super::error::VcError;
use super::provider::{self, Provider};

/// How a vCenter behaves.
#[derive(Clone, Debug)]
pub struct VcenterOptions {
    /// The name that may log in.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Whether there is `/rest`, as from 6.7 on.
    pub rest: bool,
    /// Whether there is `/api`, as from 7.0 U2 on for tasks.
    pub api: bool,
    /// Who keeps the tasks; a task of a service that nobody claims is in no list.
    pub providers: Vec<Provider>,
    /// The most tasks of one list; more are an error.
    pub cap: usize,
    /// The most sessions at once.
    pub session_limit: usize,
    /// How long a session lives without a call.
    pub session_life: Duration,
    /// How long providers that do not say it themselves keep ended tasks;
    /// for ever when not set.
    pub retention: Option<Duration>,
    /// What calls end with that name a service of no provider.
    pub unknown_service: VcError,
    /// What errors look like.
    pub error_form: ErrorForm,
    /// The seed of ids, tokens and the past.
    pub seed: u64,
    /// How far its clock is ahead of the one it was given.
    pub skew: SignedDuration,
}

impl Default for VcenterOptions {
    fn default() -> Self {
        Self {
            username: "administrator@vsphere.local".to_owned(),
            password: "VMware123!".to_owned(),
            rest: true,
            api: true,
            providers: provider::usual(),
            cap: 1000,
            session_limit: 550,
            session_life: Duration::from_secs(120 * 60),
            retention: Some(Duration::from_secs(24 * 3600)),
            unknown_service: VcError::new("NOT_FOUND", "Cannot find provider"),
            error_form: ErrorForm::Typed,
            seed: 0,
            skew: SignedDuration::ZERO,
        }
    }
}

/// What errors look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorForm {
    /// Without `error_type`, as of 6.x; only `/rest` names the type then.
    Bare,
    /// With `error_type`, as from 7.0.3 on.
    Typed,
    /// HTML of the proxy in front: nothing but the status tells.
    ByStatus,
    /// As [`ErrorForm::Typed`] with the statuses of the developer portal:
    /// `resource_inaccessible` is 404 and `unauthorized` is 401.
    Swapped,
}

impl VcenterOptions {
    /// The first provider that claims a service.
    pub(super) fn provider_of(&self, service: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.has(service))
    }

    /// How long ended tasks of a service are kept.
    pub(super) fn retention_of(&self, service: &str) -> Option<Duration> {
        let own = self.provider_of(service)?.retention;
        own.or(self.retention)
    }
}
