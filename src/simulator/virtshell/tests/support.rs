use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::simulator::tests::support::HeldClock;
use crate::simulator::{VirtShell, VirtShellOptions, VsShape, VsTask};

pub(super) const A: &str = "8b21a1e4-0000-4000-8000-00000000000a";
pub(super) const B: &str = "8b21a1e4-0000-4000-8000-00000000000b";
pub(super) const OBJECT: &str = "ab8076c0-db91-11e2-82ce-0002a5d5c51b";

/// An answer, read in full.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.text);
        parsed.unwrap_or_else(|error| panic!("{error}: {} {}", self.code, self.text))
    }

    /// The body of an answer that went well.
    #[track_caller]
    pub(super) fn good(&self) -> Value {
        assert_eq!(self.code, 200, "{}", self.text);
        assert_eq!(self.headers["content-type"], "text/html; charset=UTF-8");
        self.json()
    }

    /// The uuids of a list.
    #[track_caller]
    pub(super) fn uuids(&self) -> Vec<String> {
        let body = self.good();
        let tasks = body["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| task["uuid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The code and the type of an answer that is no JSON.
    #[track_caller]
    pub(super) fn page(&self) -> (u16, &str) {
        assert!(serde_json::from_str::<Value>(&self.text).is_err());
        (self.code, self.headers["content-type"].to_str().unwrap())
    }
}

/// A VirtShell server on a port, with a client.
pub(super) struct Bench {
    pub(super) sim: VirtShell,
    pub(super) clock: HeldClock,
    pub(super) address: String,
    client: Client,
    _server: JoinSet<()>,
}

impl Bench {
    pub(super) async fn new(change: impl FnOnce(&mut VirtShellOptions)) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut options = VirtShellOptions::default();
        change(&mut options);
        let clock = HeldClock::new();
        let sim = VirtShell::new(clock.clock(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut server = JoinSet::new();
        let shell = sim.clone();
        server.spawn(async move { shell.serve(listener, CancellationToken::new()).await });
        Self {
            sim,
            clock,
            address,
            client: Client::builder().no_proxy().build().unwrap(),
            _server: server,
        }
    }

    pub(super) async fn shaped(shape: VsShape) -> Self {
        Self::new(|options| options.shape = shape).await
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        send(self.call(Method::GET, path)).await
    }

    pub(super) async fn with(&self, method: Method, path: &str, body: &Value) -> Answer {
        send(self.call(method, path).body(body.to_string())).await
    }

    /// A task by its uuid.
    pub(super) async fn task(&self, uuid: &str) -> Value {
        self.get(&format!("/tasks/{uuid}")).await.good()
    }
}

pub(super) async fn send(call: RequestBuilder) -> Answer {
    let answer = call.send().await.unwrap();
    Answer {
        code: answer.status().as_u16(),
        headers: answer.headers().clone(),
        text: answer.text().await.unwrap(),
    }
}

pub(super) fn create(uuid: &str) -> VsTask {
    VsTask::new("create_instance").uuid(uuid).object(OBJECT)
}
