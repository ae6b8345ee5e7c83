//! The simulated systems, and what befalls them.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use virt_task_exporter::clock::Clock;
use virt_task_exporter::simulator::{
    Endpoint, Fault, FaultKind, SddcManager, SddcManagerOptions, TaskStatus, VcWorkload, Vcenter,
    VcenterOptions, VirtShell, VirtShellOptions, VsWorkload, Workload,
};

use super::Result;

/// How many there are of each system.
const EACH: [u64; 3] = [10, 6, 4];

/// How fast their tasks go on.
const TICK: Duration = Duration::from_millis(200);

/// How long ended tasks stay, so that a ledger that grows does so for no reason.
const RETENTION: Duration = Duration::from_secs(120);

const ACCOUNT: (&str, &str) = ("svc-exporter@vsphere.local", "soak");

/// One of them.
enum System {
    Sddc(SddcManager),
    Vcenter(Vcenter),
    Shell(VirtShell),
}

pub(super) struct Systems {
    all: Vec<System>,
    sources: String,
    random: fastrand::Rng,
    /// How often the configuration was changed.
    changes: u32,
    /// How many tasks of the SDDC Managers had ended before.
    before: u64,
    running: JoinSet<()>,
}

impl Systems {
    /// Starts all of them, with tasks that come and go.
    pub(super) async fn start() -> Result<Self> {
        let mut systems = Self {
            all: Vec::new(),
            sources: String::new(),
            random: fastrand::Rng::with_seed(7),
            changes: 0,
            before: 0,
            running: JoinSet::new(),
        };
        let [sddcs, vcenters, shells] = EACH;
        for seed in 0..sddcs {
            systems.add_sddc(seed).await?;
        }
        for seed in 0..vcenters {
            systems.add_vcenter(seed).await?;
        }
        for seed in 0..shells {
            systems.add_shell(seed).await?;
        }
        systems.before = systems.ended();
        Ok(systems)
    }

    async fn add_sddc(&mut self, seed: u64) -> Result<()> {
        let sddc = SddcManager::new(
            Clock::system(),
            SddcManagerOptions {
                username: ACCOUNT.0.to_owned(),
                password: ACCOUNT.1.to_owned(),
                clock_skew: None,
                seed,
                ..SddcManagerOptions::default()
            },
        );
        sddc.history(500);
        sddc.set_workload(Workload::new(0.3, seed).retention(RETENTION));
        sddc.tick();
        let listener = self.listen("sddc", seed, "sddc_manager").await?;
        self.all.push(System::Sddc(sddc.clone()));
        self.running.spawn(async move {
            let stop = CancellationToken::new();
            tokio::join!(sddc.serve(listener, stop.clone()), sddc.live(TICK, stop));
        });
        Ok(())
    }

    async fn add_vcenter(&mut self, seed: u64) -> Result<()> {
        let vcenter = Vcenter::new(
            Clock::system(),
            VcenterOptions {
                username: ACCOUNT.0.to_owned(),
                password: ACCOUNT.1.to_owned(),
                retention: Some(RETENTION),
                // Those whose login was answered with a fault are known to nobody.
                session_life: RETENTION,
                seed,
                ..VcenterOptions::default()
            },
        );
        vcenter.set_workload(Some(VcWorkload {
            seed,
            ..VcWorkload::default()
        }));
        let listener = self.listen("vc", seed, "vcenter").await?;
        self.all.push(System::Vcenter(vcenter.clone()));
        self.running.spawn(async move {
            let stop = CancellationToken::new();
            tokio::join!(
                vcenter.serve(listener, stop.clone()),
                vcenter.live(TICK, stop)
            );
        });
        Ok(())
    }

    async fn add_shell(&mut self, seed: u64) -> Result<()> {
        let shell = VirtShell::new(
            Clock::system(),
            VirtShellOptions {
                seed,
                ..VirtShellOptions::default()
            },
        );
        // It never forgets, so there are few tasks.
        shell.set_workload(Some(VsWorkload {
            rate: 1.0,
            seed,
            ..VsWorkload::default()
        }));
        let listener = self.listen("vs", seed, "virtshell").await?;
        self.all.push(System::Shell(shell.clone()));
        self.running.spawn(async move {
            let stop = CancellationToken::new();
            tokio::join!(shell.serve(listener, stop.clone()), shell.live(TICK, stop));
        });
        Ok(())
    }

    /// A port for a system, which becomes a source.
    async fn listen(&mut self, name: &str, seed: u64, system: &str) -> Result<TcpListener> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (username, password) = ACCOUNT;
        let login = match system {
            "virtshell" => String::new(),
            _ => format!(", username: {username}, password: {password}"),
        };
        writeln!(
            self.sources,
            "  - {{name: {name}{seed}, system: {system}, url: 'http://{address}'{login}}}"
        )?;
        Ok(listener)
    }

    /// The configuration of all of them.
    pub(super) fn config(&self) -> String {
        let global = "poll_interval: 1s, full_poll_interval: 20s, stale_after: 10s, \
                      request_timeout: 2s, poll_timeout: 3s, ledger_retention: 1m";
        format!("global: {{{global}}}\nsources:\n{}", self.sources)
    }

    /// Another one: the last source comes and goes, and all others change.
    pub(super) fn changed_config(&mut self) -> String {
        self.changes += 1;
        let limit = format!("max_open_tasks: {}, request", 100 + self.changes);
        let mut config = self.config().replacen("request", &limit, 1);
        if self.changes % 2 == 1 {
            let end = config.trim_end().rfind('\n').unwrap_or_default();
            config.truncate(end + 1);
        }
        config
    }

    /// Ends the faults of one system and lets another one have some.
    pub(super) fn disturb(&mut self) {
        let faults = [
            FaultKind::Status(500),
            FaultKind::Status(401),
            FaultKind::RetryAfter(503, 2),
            FaultKind::Html(502),
            FaultKind::CutBody,
            FaultKind::TruncatedJson,
            FaultKind::WrongType,
            FaultKind::SlowHead(Duration::from_secs(3)),
            FaultKind::Dropped,
        ];
        let fault = self.random.choice(faults);
        let (one, other) = (
            self.random.usize(..self.all.len()),
            self.random.usize(..self.all.len()),
        );
        if let Some(system) = self.all.get(one) {
            system.recover();
        }
        if let (Some(system), Some(kind)) = (self.all.get(other), fault) {
            system.fail(kind);
        }
    }

    /// Ends all faults and lets nothing new happen.
    pub(super) fn rest(&self) {
        for system in &self.all {
            system.recover();
            if let System::Sddc(sddc) = system {
                sddc.set_workload(Workload::new(0.0, 0));
            }
        }
    }

    /// Sessions of the vCenters.
    pub(super) fn sessions(&self) -> usize {
        let systems = self.all.iter();
        let sessions = systems.map(|system| match system {
            System::Vcenter(vcenter) => vcenter.sessions(),
            System::Sddc(_) | System::Shell(_) => 0,
        });
        sessions.sum()
    }

    /// How many tasks of the SDDC Managers have ended since the start.
    pub(super) fn outcomes(&self) -> u64 {
        self.ended() - self.before
    }

    fn ended(&self) -> u64 {
        const OUTCOMES: [TaskStatus; 5] = [
            TaskStatus::Successful,
            TaskStatus::CompletedWithWarning,
            TaskStatus::Failed,
            TaskStatus::Cancelled,
            TaskStatus::Skipped,
        ];
        let systems = self.all.iter();
        let ended = systems.map(|system| match system {
            System::Sddc(sddc) => {
                let totals = sddc.totals();
                OUTCOMES.iter().map(|status| totals.ended(*status)).sum()
            }
            System::Vcenter(_) | System::Shell(_) => 0,
        });
        ended.sum()
    }
}

impl System {
    fn fail(&self, kind: FaultKind) {
        let fault = Fault::new(Endpoint::Any, kind);
        match self {
            Self::Sddc(sddc) => sddc.inject(fault),
            Self::Vcenter(vcenter) => vcenter.inject(fault),
            Self::Shell(shell) => shell.inject(fault),
        }
    }

    fn recover(&self) {
        match self {
            Self::Sddc(sddc) => {
                sddc.clear_faults();
                sddc.clear_requests();
            }
            Self::Vcenter(vcenter) => vcenter.clear_faults(),
            Self::Shell(shell) => shell.clear_faults(),
        }
    }
}
