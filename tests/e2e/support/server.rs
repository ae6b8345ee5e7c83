//! A real Prometheus, what takes its place, or the Alertmanager behind it.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{Process, client, eventually};

/// How often a port that somebody else took meanwhile is replaced.
const ATTEMPTS: u32 = 5;

/// The configuration, in the folder that each server has for itself.
const CONFIG: &str = "config.yml";

/// Programs that scrape and answer in the same language, and the one that notifies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Brand {
    Prometheus,
    VictoriaMetrics,
    Alertmanager,
}

impl Brand {
    fn command(self, address: &str) -> Command {
        let (program, arguments) = match self {
            Self::Prometheus => (
                "prometheus",
                vec![
                    format!("--config.file={CONFIG}"),
                    "--storage.tsdb.path=storage".to_owned(),
                    format!("--web.listen-address={address}"),
                ],
            ),
            Self::VictoriaMetrics => (
                "victoria-metrics",
                vec![
                    format!("-promscrape.config={CONFIG}"),
                    "-storageDataPath=storage".to_owned(),
                    format!("-httpListenAddr={address}"),
                    // Else what was just scraped is not shown for half a minute.
                    "-search.latencyOffset=0s".to_owned(),
                ],
            ),
            Self::Alertmanager => (
                "prometheus-alertmanager",
                vec![
                    format!("--config.file={CONFIG}"),
                    "--storage.path=storage".to_owned(),
                    format!("--web.listen-address={address}"),
                    // It is alone.
                    "--cluster.listen-address=".to_owned(),
                ],
            ),
        };
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    const fn ready_path(self) -> &'static str {
        match self {
            Self::Prometheus | Self::Alertmanager => "/-/ready",
            Self::VictoriaMetrics => "/health",
        }
    }
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// The server while it runs.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    address: String,
    client: reqwest::Client,
}

impl Server {
    /// Starts a server of a brand with this configuration.
    pub(crate) async fn configured(brand: Brand, folder: &Path, config: &str) -> Self {
        fs::write(folder.join(CONFIG), config).unwrap();
        for _ in 0..ATTEMPTS {
            if let Some(server) = Self::attempt(brand, folder).await {
                return server;
            }
        }
        panic!("{brand:?} found no free port {ATTEMPTS} times");
    }

    /// Starts on a port that was free a moment ago; `None` if it is taken again.
    async fn attempt(brand: Brand, folder: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap().to_string();
        drop(port);
        let process = Process::start(brand.command(&address).current_dir(folder));
        let mut server = Self {
            process,
            address,
            client: client(),
        };
        let started = eventually(
            "the server is ready",
            async || String::new(),
            async || {
                let log = server.process.log();
                match server.process.ended() {
                    Some(_) if log.contains("address already in use") => return Ok(false),
                    Some(status) => panic!("{brand:?} ended with {status}:\n{log}"),
                    None => {}
                }
                let url = format!("http://{}{}", server.address, brand.ready_path());
                let answer = server.client.get(url).send().await;
                let answer = answer.and_then(reqwest::Response::error_for_status);
                answer
                    .map(|_| true)
                    .map_err(|error| format!("{error}\n{log}"))
            },
        )
        .await;
        started.then_some(server)
    }

    /// Where it listens, `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// What an expression gives now.
    pub(crate) async fn query(&self, expression: &str) -> Result<Vec<Series>, String> {
        let data = self.api("query", &[("query", expression)]).await?;
        let result = data["result"].as_array().cloned().unwrap_or_default();
        Ok(result.iter().map(series).collect())
    }

    /// The values that the one series of a selector had, without repetitions.
    pub(crate) async fn history(&self, selector: &str) -> Result<Vec<f64>, String> {
        let query = format!("{selector}[10m]");
        let data = self.api("query", &[("query", &query)]).await?;
        let result = data["result"].as_array().cloned().unwrap_or_default();
        let [series] = result.as_slice() else {
            return Err(format!("{} series", result.len()));
        };
        let samples = series["values"].as_array().unwrap().iter();
        let value = |sample: &Value| sample[1].as_str().unwrap().parse().unwrap();
        let mut values: Vec<f64> = samples.map(value).collect();
        values.dedup();
        Ok(values)
    }

    /// The type that each scraped family was announced with.
    pub(crate) async fn types(&self) -> Result<BTreeMap<String, String>, String> {
        let data = self.api("metadata", &[]).await?;
        let families = data.as_object().cloned().unwrap_or_default();
        let kind = |entries: &Value| entries[0]["type"].as_str().unwrap_or_default().to_owned();
        let types = families
            .iter()
            .map(|(name, entries)| (name.clone(), kind(entries)));
        Ok(types.collect())
    }

    async fn api(&self, call: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("http://{}/api/v1/{call}", self.address);
        let text = |error: reqwest::Error| error.to_string();
        let request = self.client.get(url).query(query);
        let answer: Value = request
            .send()
            .await
            .map_err(text)?
            .json()
            .await
            .map_err(text)?;
        assert_eq!(answer["status"], "success", "{call} {query:?}: {answer}");
        Ok(answer["data"].clone())
    }
}

fn series(element: &Value) -> Series {
    let labels = element["metric"].as_object().unwrap().iter();
    let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    Series {
        labels: labels.collect(),
        value: element["value"][1].as_str().unwrap().parse().unwrap(),
    }
}
