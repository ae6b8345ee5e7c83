//! Waiting for what will come, and telling what came instead.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks until there is an answer; without one in time, panics with the last
/// reason and with what `witness` knows.
pub(crate) async fn eventually<T>(
    what: &str,
    witness: impl AsyncFnOnce() -> String,
    mut ask: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let reason = match ask().await {
            Ok(answer) => return answer,
            Err(reason) => reason,
        };
        if Instant::now() > deadline {
            let witness = witness().await;
            panic!("{what}: not within {DEADLINE:?}\n--- at last\n{reason}\n{witness}");
        }
        sleep(PAUSE).await;
    }
}
