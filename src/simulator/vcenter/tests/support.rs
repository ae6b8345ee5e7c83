use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::simulator::tests::support::HeldClock;
use crate::simulator::{VcTask, Vcenter, VcenterOptions};

pub(super) const VM: &str = "com.vmware.vcenter.VM";
pub(super) const SOFTWARE: &str = "com.vmware.esx.settings.clusters.software";
pub(super) const BUNDLE: &str = "com.vmware.appliance.support_bundle";

pub(super) const REST_SESSION: &str = "/rest/com/vmware/cis/session";
pub(super) const API_LIST: &str = "/api/cis/tasks?action=list";

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
        self.json()
    }

    /// The code and the error type of an answer in either dialect.
    #[track_caller]
    pub(super) fn error(&self) -> (u16, String) {
        let body = self.json();
        let error = body.get("value").unwrap_or(&body);
        let kind = error["error_type"].as_str().unwrap_or_default();
        (self.code, kind.to_owned())
    }

    /// The id of the first message.
    #[track_caller]
    pub(super) fn message_id(&self) -> String {
        let body = self.json();
        let error = body.get("value").unwrap_or(&body);
        error["messages"][0]["id"].as_str().unwrap().to_owned()
    }
}

/// A vCenter on a port, with a client that is logged in.
pub(super) struct Bench {
    pub(super) sim: Vcenter,
    pub(super) clock: HeldClock,
    client: Client,
    base: String,
    token: String,
    _server: JoinSet<()>,
}

impl Bench {
    pub(super) async fn new(change: impl FnOnce(&mut VcenterOptions)) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut options = VcenterOptions::default();
        change(&mut options);
        let path = if options.api {
            "/api/session"
        } else {
            REST_SESSION
        };
        let clock = HeldClock::new();
        let sim = Vcenter::new(clock.clock(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let vcenter = sim.clone();
        server.spawn(async move { vcenter.serve(listener, CancellationToken::new()).await });
        let mut bench = Self {
            sim,
            clock,
            client: Client::builder().no_proxy().build().unwrap(),
            base,
            token: String::new(),
            _server: server,
        };
        bench.token = bench.log_in(path).await;
        bench
    }

    /// A new token; nothing if there is none to be had.
    pub(super) async fn log_in(&self, path: &str) -> String {
        let body = self.login(path, "VMware123!").await.json();
        let token = body.get("value").unwrap_or(&body).as_str();
        token.unwrap_or_default().to_owned()
    }

    pub(super) async fn login(&self, path: &str, password: &str) -> Answer {
        let call = self.bare(Method::POST, path);
        send(call.basic_auth("administrator@vsphere.local", Some(password))).await
    }

    /// A call without a token.
    pub(super) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let call = self.bare(method, path);
        call.header("vmware-api-session-id", &self.token)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        send(self.call(Method::GET, path)).await
    }

    /// `GET /rest/cis/tasks`.
    pub(super) async fn rest(&self, query: &str) -> Answer {
        self.get(&format!("/rest/cis/tasks?{query}")).await
    }

    /// `POST /api/cis/tasks?action=list`.
    pub(super) async fn api(&self, body: &Value) -> Answer {
        let call = self.call(Method::POST, API_LIST);
        let call = call.header("content-type", "application/json");
        send(call.body(body.to_string())).await
    }

    /// The ids of a list of services' tasks, by `/api`.
    pub(super) async fn ids(&self, services: &[&str]) -> Vec<String> {
        let body = json!({"filter_spec": {"services": services}});
        let list = self.api(&body).await.good();
        list.as_object().unwrap().keys().cloned().collect()
    }

    /// A task by its id, by `/api`.
    pub(super) async fn task(&self, id: &str) -> Value {
        self.get(&format!("/api/cis/tasks/{id}")).await.good()
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

/// The list filter of one service.
pub(super) fn of(service: &str) -> Value {
    json!({"filter_spec": {"services": [service]}})
}

pub(super) fn clone_task(id: &str) -> VcTask {
    VcTask::new(VM, "clone").id(format!("{id}:{VM}"))
}
