use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::simulator::{SddcManager, SddcManagerOptions, SimTask, TaskStatus};

/// When the held clock starts.
pub(in crate::simulator) const START: &str = "2026-11-20T15:00:00Z";

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(in crate::simulator) struct HeldClock(Arc<AtomicI64>);

impl HeldClock {
    pub(in crate::simulator) fn new() -> Self {
        let start: Timestamp = START.parse().unwrap();
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    pub(in crate::simulator) fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap())
    }

    pub(in crate::simulator) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(in crate::simulator) fn now(&self) -> Timestamp {
        self.clock().now()
    }
}

/// An SDDC Manager on a port, with a client that is logged in.
pub(super) struct Bench {
    pub(super) sim: SddcManager,
    pub(super) clock: HeldClock,
    pub(super) client: Client,
    base: String,
    token: String,
    _server: JoinSet<()>,
}

impl Bench {
    pub(super) async fn new(change: impl FnOnce(&mut SddcManagerOptions)) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut options = SddcManagerOptions::default();
        change(&mut options);
        let clock = HeldClock::new();
        let sim = SddcManager::new(clock.clock(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let manager = sim.clone();
        server.spawn(async move { manager.serve(listener, CancellationToken::new()).await });
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut bench = Self {
            sim,
            clock,
            client,
            base,
            token: String::new(),
            _server: server,
        };
        bench.log_in().await;
        bench
    }

    pub(super) async fn log_in(&mut self) -> Value {
        let options = SddcManagerOptions::default();
        let body = json!({"username": options.username, "password": options.password});
        let answer = self.login(&body).await;
        let pair: Value = answer.json().await.unwrap();
        self.token = pair["accessToken"].as_str().unwrap_or_default().to_owned();
        pair
    }

    pub(super) async fn login(&self, body: &Value) -> Response {
        let call = self.bare(Method::POST, "/v1/tokens");
        call.body(body.to_string()).send().await.unwrap()
    }

    /// A call without a token.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.token)
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, path).send().await.unwrap()
    }

    pub(super) async fn code(&self, method: Method, path: &str) -> StatusCode {
        self.call(method, path).send().await.unwrap().status()
    }

    pub(super) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let code = answer.status();
        let text = answer.text().await.unwrap();
        assert!(code.is_success(), "{path}: {code} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The ids of one page.
    pub(super) async fn ids(&self, query: &str) -> Vec<String> {
        ids(&self.json(&format!("/v1/tasks{query}")).await)
    }

    /// Adds tasks `t1`, `t2` and so on, a minute apart.
    pub(super) fn add_many(&self, count: i64) {
        for number in 1..=count {
            self.clock.pass(60);
            self.sim.add(task(&format!("t{number}")));
        }
    }
}

/// The ids of a list answer.
pub(super) fn ids(list: &Value) -> Vec<String> {
    let elements = list["elements"].as_array().unwrap();
    let id = |element: &Value| element["id"].as_str().unwrap().to_owned();
    elements.iter().map(id).collect()
}

pub(super) fn task(id: &str) -> SimTask {
    let name = format!("Commissioning host {id}");
    SimTask::new("HOST_COMMISSION", name)
        .id(id)
        .status(TaskStatus::InProgress)
}
