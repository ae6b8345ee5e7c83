//! All of it together: a simulated SDDC Manager, the exporter, Prometheus.

use std::fs;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{SddcManager, SddcManagerOptions};

use super::{Exporter, Prometheus, Series, eventually};

/// The name of the source.
pub(crate) const SOURCE: &str = "sfo-vcf01";

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
        let options = SddcManagerOptions::default();
        let config = format!(
            "global: {{poll_interval: 200ms, stale_after: 5s}}\n\
             sources:\n  \
               - name: {SOURCE}\n    \
                 system: sddc_manager\n    \
                 url: http://{}\n    \
                 username: {}\n    \
                 password: {}\n",
            self.address, options.username, options.password
        );
        fs::write(folder.path().join("exporter.yml"), config).unwrap();
        let arguments = [
            "--config.file=exporter.yml",
            "--web.listen-address=127.0.0.1:0",
        ];
        Exporter::start(folder.path(), &arguments).await
    }
}

/// The whole line.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) exporter: Exporter,
    pub(crate) prometheus: Prometheus,
    _folder: TempDir,
}

impl World {
    /// Starts an exporter over `simulated` and a Prometheus over that.
    pub(crate) async fn over(simulated: &Simulated) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let exporter = simulated.exporter(&folder).await;
        let prometheus = Prometheus::start(folder.path(), exporter.address()).await;
        Self {
            exporter,
            prometheus,
            _folder: folder,
        }
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
