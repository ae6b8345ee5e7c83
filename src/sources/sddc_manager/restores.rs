//! Restores: tasks that no list shows, read one by one by their configured ids.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::{Instant, timeout};
use tracing::{debug, warn};

use super::{SddcManager, is_rejection};
use crate::config::RestoresAuth;
use crate::sources::rest::{Answer, PAGE_LIMIT};
use crate::sources::{Reason, SourceError};
use crate::task::{Call, Extent, Listing, Task};

const RESTORE: &str = "/v1/restores/tasks/{id}";

/// How long basic authentication rests after it was rejected: accounts lock.
const REJECTED_REST: Duration = Duration::from_secs(30 * 60);

/// What part of a call's time a restore may take: the poll shall end in time,
/// with what it read before.
const SHARE: u32 = 5;

/// Restores without an answer after which the others wait for the next poll.
const MOST_UNANSWERED: usize = 2;

/// The part that a restore is.
pub(super) fn part(id: &str) -> String {
    format!("restore {id}")
}

impl SddcManager {
    /// Reads the configured restores. One that cannot be read fails nothing: an
    /// unknown id is a 400, and a restore stops the very services that answer.
    /// `extent` says how much of the list was read: only a full poll looks for
    /// what is missing.
    pub(super) async fn read_restores(&mut self, listing: &mut Listing, extent: Extent) {
        let mut unanswered = Vec::new();
        for id in self.restores.clone() {
            if unanswered.len() == MOST_UNANSWERED {
                break;
            }
            let part = part(&id);
            match self.restore_in_time(&id).await {
                Ok(Some(mut task)) => {
                    // The call that retries tasks of the list does not know restores.
                    task.retryable = None;
                    listing.meet(&part, Call::ById, task);
                    listing.read(&part, extent);
                }
                Ok(None) => debug!(restore = %id, "the restore is not known"),
                Err(error) => {
                    debug!(restore = %id, %error, reason = error.reason(), "the restore cannot be read");
                    unanswered.extend((error.reason == Reason::Timeout).then_some(id));
                }
            }
        }
        // The others have their turn first in the next poll.
        self.restores.retain(|id| !unanswered.contains(id));
        self.restores.extend(unanswered);
    }

    async fn restore_in_time(&mut self, id: &str) -> Result<Option<Task>, SourceError> {
        let limit = self.call_limit / SHARE;
        timeout(limit, self.restore(id))
            .await
            .unwrap_or_else(|_elapsed| {
                let detail = format!("no answer in {limit:?}");
                Err(SourceError::new(Reason::Timeout, RESTORE, detail))
            })
    }

    async fn restore(&mut self, id: &str) -> Result<Option<Task>, SourceError> {
        let path = format!("/v1/restores/tasks/{id}");
        let answer = match self.restores_auth {
            // Without a new login: the token has just served the list.
            RestoresAuth::Bearer => {
                let authorization = self.session.authorization(&mut self.rest).await?;
                self.send(RESTORE, &path, &[], (authorization, PAGE_LIMIT))
                    .await?
            }
            RestoresAuth::Basic => self.get_basic(&path).await?,
        };
        // The specification has no 404 for an unknown restore, but a 400.
        if matches!(
            answer.status,
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST
        ) {
            return Ok(None);
        }
        self.one(answer, RESTORE, id).map(Some)
    }

    async fn get_basic(&mut self, path: &str) -> Result<Answer, SourceError> {
        let now = Instant::now();
        if self.basic_rests_until.is_some_and(|until| until > now) {
            let detail = "basic authentication was rejected, and is not tried for half an hour";
            return Err(SourceError::new(Reason::Unauthorized, RESTORE, detail));
        }
        let authorization = self.session.basic()?;
        let answer = self
            .send(RESTORE, path, &[], (authorization, PAGE_LIMIT))
            .await?;
        if is_rejection(answer.status) {
            warn!(status = %answer.status, "basic authentication for restores was rejected");
            self.basic_rests_until = Some(now + REJECTED_REST);
        }
        Ok(answer)
    }
}
