//! The door of the simulator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::call::{Call, decoded, whole};
use super::options::SddcManagerOptions;
use super::routes;
use super::state::State;
use crate::clock::Clock;
use crate::web::server::{Body, Limits, serve};

/// Something to do after a page was served.
type PageHook = Arc<dyn Fn(&SddcManager, u32) + Send + Sync>;

/// An SDDC Manager in memory; cheap to clone, as it is a handle.
#[derive(Clone)]
pub struct SddcManager(Arc<Shared>);

struct Shared {
    clock: Clock,
    state: Mutex<State>,
    page_hook: Mutex<Option<PageHook>>,
}

impl fmt::Debug for SddcManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SddcManager")
            .field("clock", &self.0.clock)
            .finish_non_exhaustive()
    }
}

impl SddcManager {
    /// An SDDC Manager without tasks.
    pub fn new(clock: Clock, options: SddcManagerOptions) -> Self {
        Self(Arc::new(Shared {
            clock,
            state: Mutex::new(State::new(options)),
            page_hook: Mutex::new(None),
        }))
    }

    /// Does something with the state; nobody waits while it is locked.
    pub(super) fn with<R>(&self, action: impl FnOnce(&mut State, Timestamp) -> R) -> R {
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
            query: decoded(head.uri.query().unwrap_or_default()),
            authorization: head
                .headers
                .get(AUTHORIZATION)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            method: head.method,
            body: whole(body).await,
        };
        let (reply, page) = self.with(|state, now| routes::answer(state, &call, now));
        if let Some(page) = page {
            self.page_served(page);
        }
        reply.into_response().await
    }

    /// Calls the hook, without a lock, so that it may use the handle.
    fn page_served(&self, page: u32) {
        let hook = self
            .0
            .page_hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(hook) = hook {
            hook(self, page);
        }
    }

    /// Calls `hook` with the page's number, counted from 0, after a page was
    /// made and before its answer is sent, to change the list between pages.
    pub fn on_page(&self, hook: impl Fn(&Self, u32) + Send + Sync + 'static) {
        let place = self.0.page_hook.lock();
        *place.unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// Changes the options; tokens and tasks stay.
    pub fn configure(&self, change: impl FnOnce(&mut SddcManagerOptions)) {
        self.with(|state, _| change(&mut state.options));
    }
}
