//! All of it together: a simulated SDDC Manager, the exporter, Prometheus.

use std::fs;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{SddcManager, SddcManagerOptions};

use super::{Brand, Exporter, Series, Server, eventually};

/// The name of the source.
pub(crate) const SOURCE: &str = "sfo-vcf01";

/// How long a new counter is held back: long enough for two scrapes.
const HOLD: &str = "2500ms";

/// A simulated SDDC Manager that is served while this lives.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) sddc: SddcManager,
    address: String,
    _server: JoinSet<()>,
}

/// An SDDC Manager without tasks, on a port of its own.
pub(crate) async fn simulated() -> Simulated {
    let sddc = SddcManager::new(Clock::system(), SddcManagerOptions::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut server = JoinSet::new();
    let handle = sddc.clone();
    server.spawn(async move { handle.serve(listener, CancellationToken::new()).await });
    Simulated {
        sddc,
        address,
        _server: server,
    }
}

impl Simulated {
    /// Starts an exporter that polls it, with its files in `folder`.
    pub(crate) async fn exporter(&self, folder: &TempDir) -> Exporter {
        self.exporter_at("127.0.0.1:0", folder).await
    }

    /// Starts an exporter that listens on `address`.
    async fn exporter_at(&self, address: &str, folder: &TempDir) -> Exporter {
        let options = SddcManagerOptions::default();
        let config = format!(
            "global: {{poll_interval: 200ms, stale_after: 5s, counter_birth_hold: {HOLD}}}\n\
             sources:\n  \
               - name: {SOURCE}\n    \
                 system: sddc_manager\n    \
                 url: http://{}\n    \
                 username: {}\n    \
                 password: {}\n",
            self.address, options.username, options.password
        );
        fs::write(folder.path().join("exporter.yml"), config).unwrap();
        let listens = format!("--web.listen-address={address}");
        let arguments = ["--config.file=exporter.yml", &listens];
        Exporter::start(folder.path(), &arguments).await
    }
}

/// A configuration of Prometheus that scrapes `target` every second.
pub(crate) fn scrapes(target: &str) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs:\n  \
           - job_name: virt-task-exporter\n    \
             static_configs: [{{targets: ['{target}']}}]\n"
    )
}

/// The whole line.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) exporter: Exporter,
    pub(crate) prometheus: Server,
    folder: TempDir,
}

impl World {
    /// Starts an exporter over `simulated` and a Prometheus over that.
    pub(crate) async fn over(simulated: &Simulated) -> Self {
        Self::with(simulated, "").await
    }

    /// The same, with more in the configuration of Prometheus.
    pub(crate) async fn with(simulated: &Simulated, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Nobody else takes a port of this address while the exporter is down.
        let [a, b, c] = [0; 3].map(|_: u8| fastrand::u8(1..255));
        let address = format!("127.{a}.{b}.{c}:0");
        let exporter = simulated.exporter_at(&address, &folder).await;
        // Servers that evaluate no rules refuse the key.
        let (limit, evaluated) = ("scrape_timeout: 1s", "evaluation_interval: 1s");
        let config = scrapes(exporter.address());
        let config = config.replace(limit, &format!("{limit}, {evaluated}")) + more;
        let prometheus = Server::configured(Brand::Prometheus, folder.path(), &config).await;
        Self {
            exporter,
            prometheus,
            folder,
        }
    }

    /// Ends the exporter by a signal, and waits until Prometheus knows.
    pub(crate) async fn goes_down(&mut self, signal: Signal) {
        let status = self.exporter.end(signal).await;
        let clean = signal == Signal::TERM;
        assert_eq!(status.code(), clean.then_some(0), "{}", self.exporter.log());
        self.is("up", 0.0).await;
    }

    /// Starts the exporter again where it was, and waits until Prometheus knows.
    pub(crate) async fn comes_back(&mut self, simulated: &Simulated) {
        let address = self.exporter.address().to_owned();
        self.exporter = simulated.exporter_at(&address, &self.folder).await;
        self.is("up", 1.0).await;
    }

    /// Waits until the one series of a selector has had these values, in this
    /// order, and no others.
    pub(crate) async fn had(&self, selector: &str, values: &[f64]) {
        let what = format!("{selector} had {values:?}");
        let witness = async || self.exporter.witness().await;
        eventually(&what, witness, async || {
            let had = self.prometheus.history(selector).await?;
            if had == values {
                return Ok(());
            }
            Err(format!("{had:?}"))
        })
        .await;
    }

    /// Waits until an expression gives just one series, with this value.
    pub(crate) async fn is(&self, expression: &str, value: f64) -> Series {
        let what = format!("{expression} is {value}");
        let fits =
            |answer: &[Series]| matches!(answer, [one] if one.value.total_cmp(&value).is_eq());
        let mut answer = self.answer(&what, expression, fits).await;
        answer.swap_remove(0)
    }

    /// Waits until an expression gives at least one series.
    pub(crate) async fn some(&self, expression: &str) -> Vec<Series> {
        let what = format!("{expression} gives something");
        self.answer(&what, expression, |answer| !answer.is_empty())
            .await
    }

    /// Waits until an expression gives nothing.
    pub(crate) async fn none(&self, expression: &str) {
        let what = format!("{expression} gives nothing");
        self.answer(&what, expression, <[Series]>::is_empty).await;
    }

    async fn answer(
        &self,
        what: &str,
        expression: &str,
        fits: impl Fn(&[Series]) -> bool,
    ) -> Vec<Series> {
        let witness = async || self.exporter.witness().await;
        eventually(what, witness, async || {
            let answer = self.prometheus.query(expression).await?;
            if fits(&answer) {
                return Ok(answer);
            }
            Err(format!("{answer:#?}"))
        })
        .await
    }
}
