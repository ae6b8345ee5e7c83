//! A VirtShell server in memory, with the tasks API as it is documented and as
//! the real server has it.
//!
//! ```
//! use virt_task_exporter::clock::Clock;
//! use virt_task_exporter::simulator::{VirtShell, VirtShellOptions, VsOutcome, VsTask};
//!
//! let shell = VirtShell::new(Clock::system(), VirtShellOptions::default());
//! let uuid = shell.add(VsTask::new("create_instance"));
//! shell.set_status(&uuid, "dispatched", "task dispatched to host: 10.0.0.7");
//! shell.set_status(&uuid, "provisioned", "");
//! assert_eq!(shell.task(&uuid).map(|task| task.history.len()), Some(2));
//! assert_eq!(shell.totals().ended(VsOutcome::Succeeded), 1);
//! ```

mod auth;
mod call;
mod course;
mod handles;
mod history;
mod life;
mod options;
mod replies;
mod routes;
mod state;
mod task;
mod tasks;
mod totals;
mod wire;
mod workload;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::call::Call;
use self::state::State;
use super::call::whole;
use crate::clock::Clock;
use crate::web::server::{Body, Limits, serve};

pub use call::VsRequest;
pub use options::{VirtShellOptions, VsAuth, VsShape};
pub use task::VsTask;
pub use totals::{VsOutcome, VsTotals};
pub use workload::VsWorkload;

/// A VirtShell server in memory; cheap to clone, as it is a handle.
#[derive(Clone)]
pub struct VirtShell(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

impl fmt::Debug for VirtShell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtShell")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

impl VirtShell {
    /// A server without tasks.
    pub fn new(clock: Clock, options: VirtShellOptions) -> Self {
        Self(Arc::new(Shared {
            clock,
            state: Mutex::new(State::new(options)),
        }))
    }

    /// Does something with the state; nobody waits while it is locked.
    fn with<R>(&self, action: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        action(&mut state, now)
    }

    /// Serves the API over plain HTTP until `stop`.
    pub async fn serve(&self, listener: TcpListener, stop: CancellationToken) {
        let this = self.clone();
        let answer = move |request| {
            let this = this.clone();
            async move { this.answer(request).await }
        };
        serve(listener, answer, Limits::default(), stop).await;
    }

    /// Lets the living tasks go on, every `interval`, until `stop`.
    pub async fn live(&self, interval: Duration, stop: CancellationToken) {
        loop {
            self.tick();
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(interval) => {}
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let call = Call {
            path: head.uri.path().to_owned(),
            method: head.method,
            headers: head.headers,
            body: whole(body).await,
        };
        let reply = self.with(|state, now| routes::answer(state, &call, now));
        reply.into_response().await
    }
}

#[cfg(test)]
mod tests;
