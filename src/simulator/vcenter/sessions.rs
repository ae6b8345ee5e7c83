//! Who is logged in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::options::VcenterOptions;
use super::problem::Problem;
use crate::simulator::sessions::basic_admits;
use crate::simulator::stamp::stamp;

/// The sessions by their tokens, and how many there ever were.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_token: BTreeMap<String, Session>,
    pub(super) logins: u64,
}

#[derive(Debug)]
struct Session {
    created: Timestamp,
    last_accessed: Timestamp,
}

impl Session {
    fn lives(&self, life: Duration, now: Timestamp) -> bool {
        let idle = now.duration_since(self.last_accessed);
        idle < SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX)
    }
}

impl Sessions {
    /// Forgets the sessions that were idle for too long.
    pub(super) fn sweep(&mut self, life: Duration, now: Timestamp) {
        self.by_token.retain(|_, session| session.lives(life, now));
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.by_token.len()
    }

    /// The token of a new session.
    pub(super) fn create(
        &mut self,
        authorization: Option<&str>,
        options: &VcenterOptions,
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) -> Result<String, Problem> {
        if !basic_admits(authorization, &options.username, &options.password) {
            return Err(Problem::unauthenticated());
        }
        if self.count() >= options.session_limit {
            return Err(full(self.count(), &options.username));
        }
        let token = format!("{:032x}", rng.u128(..));
        let session = Session {
            created: now,
            last_accessed: now,
        };
        self.by_token.insert(token.clone(), session);
        self.logins += 1;
        Ok(token)
    }

    /// Whether a token is good; the session lives on then.
    pub(super) fn admits(&mut self, token: Option<&str>, now: Timestamp) -> bool {
        let session = token.and_then(|token| self.by_token.get_mut(token));
        session.map(|session| session.last_accessed = now).is_some()
    }

    /// What a session says of itself.
    pub(super) fn info(&self, token: Option<&str>, user: &str) -> Option<Value> {
        let session = self.by_token.get(token?)?;
        Some(json!({
            "user": user,
            "created_time": stamp(session.created),
            "last_accessed_time": stamp(session.last_accessed),
        }))
    }

    /// Ends a session; false if there is none.
    pub(super) fn end(&mut self, token: Option<&str>) -> bool {
        token.is_some_and(|token| self.by_token.remove(token).is_some())
    }

    /// Ends all sessions.
    pub(super) fn clear(&mut self) {
        self.by_token.clear();
    }
}

/// There are too many sessions (as reported in vmware-tanzu/tanzu-cli#749).
fn full(count: usize, user: &str) -> Problem {
    let text = format!("User session count for user '{user}' is limited to {count}.");
    Problem::new(
        "SERVICE_UNAVAILABLE",
        "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached",
        text,
    )
    .args([count.to_string(), user.to_owned()])
}
