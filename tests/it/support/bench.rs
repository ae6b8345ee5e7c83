//! An exporter of one source that is polled by hand, in process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::config::{Config, SourceConfig, SystemConfig};
use virt_task_exporter::exporter::{limits, plan};
use virt_task_exporter::ledger::KeptLedger;
use virt_task_exporter::metrics::{Exporter, Exposition, SourcePage, TextFormat};
use virt_task_exporter::poller::Poller;
use virt_task_exporter::simulator::{
    Endpoint, SddcManager as Simulator, SddcManagerOptions, SimTask,
};
use virt_task_exporter::sources::sddc_manager::SddcManager;
use virt_task_exporter::sources::{Source, SourceError};

use super::Page;

/// A clock that stands until it is moved.
#[derive(Debug, Clone)]
pub(crate) struct HeldClock(Arc<AtomicI64>);

impl HeldClock {
    pub(crate) fn new() -> Self {
        let start: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    pub(crate) fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap())
    }

    /// Lets seconds pass.
    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// So many seconds before now.
    pub(crate) fn ago(&self, seconds: i64) -> Timestamp {
        self.now() - SignedDuration::from_secs(seconds)
    }
}

/// So many days, in seconds.
pub(crate) fn day(count: i64) -> i64 {
    count * 86_400
}

/// A running task with an id and nothing below it.
pub(crate) fn task(id: &str) -> SimTask {
    SimTask::new("UPGRADE", format!("Upgrade {id}"))
        .id(id)
        .status(virt_task_exporter::simulator::TaskStatus::InProgress)
}

/// Options whose tokens live long, and whose `Date` is the held clock's.
pub(crate) fn options() -> SddcManagerOptions {
    SddcManagerOptions {
        token_life: Duration::from_secs(400 * 86_400),
        clock_skew: Some(SignedDuration::ZERO),
        ..SddcManagerOptions::default()
    }
}

/// One source and what is exported of it.
#[derive(Debug)]
pub(crate) struct Watch<S = SddcManager> {
    poller: Poller<S>,
    pages: watch::Receiver<Arc<SourcePage>>,
    clock: Clock,
}

/// The lines of a source's configuration: `keys` are further ones, without a
/// login a password's.
pub(super) fn lines(system: &str, url: &str, keys: &str) -> String {
    let logs_in = ["password", "token", "api_key"];
    let login = if system == "virtshell" || logs_in.iter().any(|key| keys.contains(key)) {
        ""
    } else {
        "username: administrator@vsphere.local\npassword: VMware123!\n"
    };
    let hold = if keys.contains("counter_birth_hold") {
        ""
    } else {
        "counter_birth_hold: 0s\n"
    };
    let keys = format!("{hold}name: a\nsystem: {system}\nurl: {url}\n{login}{keys}");
    let lines: Vec<_> = keys.lines().map(|line| format!("    {line}\n")).collect();
    format!("sources:\n  -\n{}", lines.concat())
}

/// The configuration of one source.
pub(super) fn source(system: &str, url: &str, keys: &str) -> SourceConfig {
    // Another test may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let config = Config::parse(&lines(system, url, keys), Path::new("test.yml")).unwrap();
    config.sources.into_iter().next().unwrap()
}

impl Watch {
    /// The exporter of the SDDC Manager at `url`; `keys` are further lines of
    /// its configuration.
    pub(crate) fn new(url: &str, keys: &str, clock: Clock) -> Self {
        let source = source("sddc_manager", url, keys);
        let SystemConfig::SddcManager(system) = &source.system else {
            panic!("another system");
        };
        let system = SddcManager::new(source.url.clone(), &source.http, system, clock.clone());
        Self::over(system.unwrap(), &source, clock)
    }
}

impl<S: Source> Watch<S> {
    /// The exporter of a source.
    pub(super) fn over(system: S, source: &SourceConfig, clock: Clock) -> Self {
        let (facts, schedule) = plan(source);
        let ledger = KeptLedger::in_memory(limits(source));
        let (poller, pages) = Poller::new(system, facts, schedule, ledger, clock.clone());
        Self {
            poller,
            pages,
            clock,
        }
    }

    /// Polls once, with whatever success.
    pub(crate) async fn try_poll(&mut self) -> Result<(), SourceError> {
        self.poller.poll().await
    }

    /// Polls once, which must succeed.
    #[track_caller]
    pub(crate) fn poll(&mut self) -> impl Future<Output = Page> {
        let place = std::panic::Location::caller();
        async move {
            if let Err(error) = self.poller.poll().await {
                panic!("{place}: the poll failed: {error:?}");
            }
            self.page()
        }
    }

    /// Polls once, steadily if that can be, which must succeed.
    #[track_caller]
    pub(crate) fn poll_steadily(&mut self) -> impl Future<Output = Page> {
        let place = std::panic::Location::caller();
        async move {
            if let Err(error) = self.poller.poll_steadily().await {
                panic!("{place}: the poll failed: {error:?}");
            }
            self.page()
        }
    }

    /// Reads one page of a full poll; true if that was its end.
    pub(crate) async fn poll_a_page(&mut self) -> bool {
        let result = self.poller.poll_on(Instant::now()).await;
        result.map(Result::unwrap).is_some()
    }

    /// Polls once, which must fail.
    #[track_caller]
    pub(crate) fn fail(&mut self) -> impl Future<Output = SourceError> {
        let place = std::panic::Location::caller();
        async move {
            match self.poller.poll().await {
                Ok(()) => panic!("{place}: the poll succeeded\n{}", self.page().text()),
                Err(error) => error,
            }
        }
    }

    /// The page as of now.
    #[track_caller]
    pub(crate) fn page(&self) -> Page {
        Page::read(&self.text(TextFormat::Classic, Instant::now()))
    }

    /// The page as it will be.
    pub(crate) fn text(&self, format: TextFormat, now: Instant) -> String {
        let exporter = Exporter::alone(self.clock.now());
        let page = Arc::clone(&self.pages.borrow());
        Exposition::new(vec![page], &exporter, now).text(format)
    }
}

/// A simulated SDDC Manager on a port of 127.0.0.1, and its exporter.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) sim: Simulator,
    pub(crate) clock: HeldClock,
    pub(crate) url: String,
    pub(crate) watch: Watch,
    _server: JoinSet<()>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with("", options()).await
    }

    /// With further lines of configuration.
    pub(crate) async fn configured(keys: &str) -> Self {
        Self::with(keys, options()).await
    }

    /// With further lines of configuration and another SDDC Manager.
    pub(crate) async fn with(keys: &str, options: SddcManagerOptions) -> Self {
        let clock = HeldClock::new();
        Self::at(clock.clock(), clock, keys, options).await
    }

    /// Whose simulator goes by the system's clock, as for the built binary.
    pub(crate) async fn real_time(options: SddcManagerOptions) -> Self {
        Self::at(Clock::system(), HeldClock::new(), "", options).await
    }

    async fn at(time: Clock, clock: HeldClock, keys: &str, options: SddcManagerOptions) -> Self {
        let sim = Simulator::new(time.clone(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let manager = sim.clone();
        server.spawn(async move { manager.serve(listener, CancellationToken::new()).await });
        let watch = Watch::new(&url, keys, time);
        Self {
            sim,
            clock,
            url,
            watch,
            _server: server,
        }
    }

    /// Polls once, which must succeed.
    #[track_caller]
    pub(crate) fn poll(&mut self) -> impl Future<Output = Page> {
        self.watch.poll()
    }

    /// Polls once, steadily if that can be, which must succeed.
    #[track_caller]
    pub(crate) fn poll_steadily(&mut self) -> impl Future<Output = Page> {
        self.watch.poll_steadily()
    }

    /// Polls once, which must fail.
    #[track_caller]
    pub(crate) fn fail(&mut self) -> impl Future<Output = SourceError> {
        self.watch.fail()
    }

    pub(crate) fn logins(&self) -> u64 {
        self.sim.request_count(Endpoint::Login)
    }
}
