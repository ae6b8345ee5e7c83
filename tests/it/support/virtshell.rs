//! A simulated VirtShell on a port of 127.0.0.1, and its exporter.

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::config::SystemConfig;
use virt_task_exporter::simulator::{VirtShell as Simulator, VirtShellOptions};
use virt_task_exporter::sources::SourceError;
use virt_task_exporter::sources::virtshell::VirtShell;

use super::bench::source;
use super::{HeldClock, Page, Watch};

/// The exporter of the VirtShell at `url`, with further lines of configuration.
pub(crate) fn watch(url: &str, keys: &str, clock: Clock) -> Watch<VirtShell> {
    let source = source("virtshell", url, keys);
    let SystemConfig::VirtShell(config) = &source.system else {
        panic!("another system");
    };
    let system = VirtShell::new(source.url.clone(), &source.http, config, clock.clone());
    Watch::over(system.unwrap(), &source, clock)
}

/// A simulated VirtShell and its exporter.
#[derive(Debug)]
pub(crate) struct VsBench {
    pub(crate) sim: Simulator,
    pub(crate) clock: HeldClock,
    pub(crate) url: String,
    pub(crate) watch: Watch<VirtShell>,
    _server: JoinSet<()>,
}

impl VsBench {
    pub(crate) async fn new() -> Self {
        Self::with("", |_| {}).await
    }

    /// With further lines of configuration and another VirtShell.
    pub(crate) async fn with(keys: &str, change: impl FnOnce(&mut VirtShellOptions)) -> Self {
        let clock = HeldClock::new();
        let mut options = VirtShellOptions::default();
        change(&mut options);
        let prefix = options.prefix.clone();
        let sim = Simulator::new(clock.clock(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{prefix}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let virtshell = sim.clone();
        server.spawn(async move { virtshell.serve(listener, CancellationToken::new()).await });
        Self {
            watch: watch(&url, keys, clock.clock()),
            url,
            sim,
            clock,
            _server: server,
        }
    }

    /// Polls once, which must succeed.
    #[track_caller]
    pub(crate) fn poll(&mut self) -> impl Future<Output = Page> {
        self.watch.poll()
    }

    /// Polls once, which must fail.
    #[track_caller]
    pub(crate) fn fail(&mut self) -> impl Future<Output = SourceError> {
        self.watch.fail()
    }
}
