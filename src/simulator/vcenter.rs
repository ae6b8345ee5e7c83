//! A vCenter in memory, with the task API of its common infrastructure
//! services in both dialects.
//!
//! ```
//! use virt_task_exporter::clock::Clock;
//! use virt_task_exporter::simulator::{VcError, VcStatus, VcTask, Vcenter, VcenterOptions};
//!
//! let vcenter = Vcenter::new(Clock::system(), VcenterOptions::default());
//! let id = vcenter.add(VcTask::new("com.vmware.vcenter.VM", "clone"));
//! vcenter.begin(&id);
//! vcenter.fail(&id, VcError::new("RESOURCE_BUSY", "The machine is in use."));
//! assert_eq!(vcenter.task(&id).map(|task| task.status), Some(VcStatus::Failed));
//! assert_eq!(vcenter.totals().ended(VcStatus::Failed), 1);
//! ```

mod call;
mod course;
mod error;
mod filter;
mod handles;
mod history;
mod indexed;
mod life;
mod listing;
mod options;
mod problem;
mod provider;
mod recipes;
mod results;
mod routes;
mod sessions;
mod state;
mod status;
mod task;
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
use super::call::{Endpoint, decoded, whole};
use crate::clock::Clock;
use crate::web::server::{Body, Limits, serve};

pub use call::VcRequest;
pub use error::VcError;
pub use options::{ErrorForm, VcenterOptions};
pub use provider::{Provider, ProviderState};
pub use status::VcStatus;
pub use task::{VcTarget, VcTask};
pub use totals::VcTotals;
pub use workload::VcWorkload;

/// Something to do before a list is made.
type ListHook = Arc<dyn Fn(&Vcenter, usize) + Send + Sync>;

/// A vCenter in memory; cheap to clone, as it is a handle.
#[derive(Clone)]
pub struct Vcenter(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
    list_hook: Mutex<Option<ListHook>>,
}

impl fmt::Debug for Vcenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vcenter")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

impl Vcenter {
    /// A vCenter without tasks.
    pub fn new(clock: Clock, options: VcenterOptions) -> Self {
        Self(Arc::new(Shared {
            clock,
            state: Mutex::new(State::new(options)),
            list_hook: Mutex::new(None),
        }))
    }

    /// Does something with the state, at the time of the vCenter's own clock;
    /// nobody waits while it is locked.
    fn with<R>(&self, action: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.at(now, action)
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
            query: decoded(head.uri.query().unwrap_or_default()),
            method: head.method,
            headers: head.headers,
            body: whole(body).await,
        };
        if let Some(number) = self.number_of_list(&call) {
            self.list_comes(number);
        }
        let reply = self.with(|state, now| routes::answer(state, &call, now));
        reply.into_response().await
    }

    /// Which list call it is, counted from 0, if it is one.
    fn number_of_list(&self, call: &Call) -> Option<usize> {
        self.with(|state, _| {
            let is_list = call.route(&state.options).endpoint() == Endpoint::List;
            is_list.then(|| {
                state.lists += 1;
                state.lists - 1
            })
        })
    }

    /// Calls the hook, without a lock, so that it may use the handle.
    fn list_comes(&self, number: usize) {
        let hook = self
            .0
            .list_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(hook) = hook {
            hook(self, number);
        }
    }

    /// Calls `hook` with the number of the list call, counted from 0 and
    /// whether it will go well or not, before its answer is made.
    pub fn on_list(&self, hook: impl Fn(&Self, usize) + Send + Sync + 'static) {
        let place = self.0.list_hook.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }
}

#[cfg(test)]
mod tests;
