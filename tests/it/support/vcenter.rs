//! A simulated vCenter on a port of 127.0.0.1, and its exporter.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::config::SystemConfig;
use virt_task_exporter::simulator::{
    Endpoint, VcRequest, VcTask, Vcenter as Simulator, VcenterOptions,
};
use virt_task_exporter::sources::SourceError;
use virt_task_exporter::sources::vcenter::Vcenter;

use super::bench::source;
use super::{HeldClock, Page, Watch};

/// What [`clone`] does, as the label says it.
pub(crate) const CLONE: &str = "com.vmware.vcenter.VM.clone";

/// A task that waits.
pub(crate) fn clone(id: &str) -> VcTask {
    VcTask::new("com.vmware.vcenter.VM", "clone").id(format!("{id}:com.vmware.vcenter.VM"))
}

/// A simulated vCenter and its exporter.
#[derive(Debug)]
pub(crate) struct VcBench {
    pub(crate) sim: Simulator,
    pub(crate) clock: HeldClock,
    pub(crate) url: String,
    pub(crate) watch: Watch<Vcenter>,
    _server: JoinSet<()>,
}

impl VcBench {
    pub(crate) async fn new() -> Self {
        Self::with("", |_| {}).await
    }

    /// With further lines of configuration and another vCenter.
    pub(crate) async fn with(keys: &str, change: impl FnOnce(&mut VcenterOptions)) -> Self {
        let clock = HeldClock::new();
        Self::at(clock.clock(), clock, keys, change).await
    }

    /// Whose simulator goes by the system's clock, as for the built binary.
    pub(crate) async fn real_time(change: impl FnOnce(&mut VcenterOptions)) -> Self {
        Self::at(Clock::system(), HeldClock::new(), "", change).await
    }

    async fn at(
        time: Clock,
        clock: HeldClock,
        keys: &str,
        change: impl FnOnce(&mut VcenterOptions),
    ) -> Self {
        let mut options = VcenterOptions {
            session_life: Duration::from_secs(400 * 86_400),
            retention: None,
            ..VcenterOptions::default()
        };
        for provider in &mut options.providers {
            provider.retention = None;
        }
        change(&mut options);
        let sim = Simulator::new(time.clone(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let vcenter = sim.clone();
        server.spawn(async move { vcenter.serve(listener, CancellationToken::new()).await });
        Self {
            sim,
            clock,
            watch: watch(&url, keys, time),
            url,
            _server: server,
        }
    }

    /// The exporter of the vCenter at `url`, whatever that is.
    pub(crate) fn watch(url: &str, keys: &str) -> Watch<Vcenter> {
        watch(url, keys, HeldClock::new().clock())
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

    /// The list calls since there were `before` of all calls.
    pub(crate) fn lists(&self, before: usize) -> Vec<VcRequest> {
        let requests = self.sim.requests().into_iter().skip(before);
        requests
            .filter(|request| request.endpoint == Endpoint::List)
            .collect()
    }
}

fn watch(url: &str, keys: &str, clock: Clock) -> Watch<Vcenter> {
    let source = source("vcenter", url, keys);
    let SystemConfig::Vcenter(config) = &source.system else {
        panic!("another system");
    };
    let system = Vcenter::new(source.url.clone(), &source.http, config, clock.clone());
    Watch::over(system.unwrap(), &source, clock)
}
