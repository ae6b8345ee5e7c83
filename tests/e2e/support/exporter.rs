//! The built binary.

use std::path::Path;
use std::process::{Command, ExitStatus};

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use rustix::process::Signal;

use super::{Page, Process, client, eventually};

/// The text formats of a page, as one asks for them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Classic,
    OpenMetrics,
}

impl Format {
    const fn accept(self) -> &'static str {
        match self {
            Self::Classic => "text/plain;version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text;version=1.0.0",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The program while it listens.
#[derive(Debug)]
pub(crate) struct Exporter {
    process: Process,
    address: String,
    client: reqwest::Client,
}

impl Exporter {
    /// Starts the binary in `folder`, with nothing in its environment, and
    /// waits until it says where it listens.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_virt-task-exporter"))
                .args(arguments)
                .env_clear()
                .current_dir(folder),
        );
        let address = eventually(
            "the program listens",
            async || String::new(),
            async || {
                let log = process.log();
                if let Some(status) = process.ended() {
                    panic!("the program ended with {status}:\n{log}");
                }
                bound(&log).ok_or(log)
            },
        )
        .await;
        Self {
            process,
            address,
            client: client(),
        }
    }

    /// Where it listens, `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// The status code and the body of a page.
    pub(crate) async fn get(&self, path: &str) -> Result<(u16, String), String> {
        let url = format!("http://{}{path}", self.address);
        let text = |error: reqwest::Error| error.to_string();
        let answer = self.client.get(url).send().await.map_err(text)?;
        let code = answer.status().as_u16();
        Ok((code, answer.text().await.map_err(text)?))
    }

    /// The metrics as they are now.
    pub(crate) async fn page(&self, format: Format) -> Page {
        let url = format!("http://{}/metrics", self.address);
        let request = self.client.get(url).header(ACCEPT, format.accept());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CONTENT_TYPE], format.content_type());
        Page::parse(answer.text().await.unwrap())
    }

    /// The log and the page, for a message of failure.
    pub(crate) async fn witness(&self) -> String {
        let page = self.get("/metrics").await;
        let page = page.map_or_else(|error| error, |(_, page)| page);
        format!("--- the log\n{}--- the page\n{page}", self.log())
    }

    /// Waits until every source was polled once.
    pub(crate) async fn ready(&self) {
        let witness = async || self.witness().await;
        eventually("/-/ready answers 200", witness, async || {
            let (code, body) = self.get("/-/ready").await?;
            if code == 200 { Ok(()) } else { Err(body) }
        })
        .await;
    }

    /// Ends it; gives its status and its whole log.
    pub(crate) async fn stop(self) -> (ExitStatus, String) {
        self.process.stop().await
    }

    /// Ends it by a signal, and keeps what is known of it.
    pub(crate) async fn end(&mut self, signal: Signal) -> ExitStatus {
        self.process.end(signal).await
    }
}

/// The address in the line that says where it listens.
fn bound(log: &str) -> Option<String> {
    let line = log
        .lines()
        .find(|line| line.contains("message=listening"))?;
    let (_, rest) = line.split_once(" address=")?;
    let address = rest.split(' ').next()?;
    Some(address.trim_matches('"').to_owned())
}
