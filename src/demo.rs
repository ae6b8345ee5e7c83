//! Simulated systems: as the sources of `demo`, and one alone for `simulate`.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::{SimulateArgs, SimulatedSystem};
use crate::clock::Clock;
use crate::exporter;
use crate::program::ProgramError;
use crate::simulator::{
    Paging, SddcManager, SddcManagerOptions, VcWorkload, Vcenter, VcenterOptions, VirtShell,
    VirtShellOptions, VsWorkload, Workload,
};

/// How often the simulated systems move on.
const TICK: Duration = Duration::from_millis(200);

/// Births of tasks per second in each system of the demo.
const BIRTHS: f64 = 0.2;

/// Ended tasks of the past in each system of the demo.
const HISTORY: usize = 150;

/// The account of the simulated systems; they are reachable from this machine alone.
const ACCOUNT: (&str, &str) = ("svc-exporter@vsphere.local", "demo");

/// The simulated systems of the demo, while they run.
#[derive(Debug)]
pub(crate) struct Sources {
    /// The configuration that has them as its sources.
    config: String,
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Sources {
    /// Starts one of each system.
    pub(crate) async fn start() -> Result<Self, ProgramError> {
        let mut sources = Self {
            config: "global: {poll_interval: 5s, stale_after: 30s, counter_birth_hold: 5s}
sources:
"
            .to_owned(),
            running: JoinSet::new(),
            stop: CancellationToken::new(),
        };
        let listener = sources.listen("sfo-vcf01", "sddc_manager").await?;
        let sddc = sddc_manager(BIRTHS, 1);
        sddc.history(HISTORY);
        sources
            .running
            .spawn(run_sddc_manager(sddc, listener, sources.stop.clone()));
        let listener = sources.listen("sfo-m01-vc01", "vcenter").await?;
        let vcenter = vcenter(BIRTHS, 2);
        vcenter.history(HISTORY);
        sources
            .running
            .spawn(run_vcenter(vcenter, listener, sources.stop.clone()));
        let listener = sources.listen("lab", "virtshell").await?;
        let virtshell = virtshell(BIRTHS, 3);
        virtshell.history(HISTORY);
        sources
            .running
            .spawn(run_virtshell(virtshell, listener, sources.stop.clone()));
        Ok(sources)
    }

    /// A port for a system, which becomes a source.
    async fn listen(&mut self, name: &str, system: &str) -> Result<TcpListener, ProgramError> {
        let unbound = |error| ProgramError::System("cannot listen on 127.0.0.1", error);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?;
        let (username, password) = ACCOUNT;
        let login = match system {
            "virtshell" => String::new(),
            _ => format!(", username: {username}, password: {password}"),
        };
        writeln!(
            self.config,
            "  - {{name: {name}, system: {system}, url: 'http://{address}'{login}}}"
        )
        .expect("a string takes what is written");
        Ok(listener)
    }

    /// The configuration that has them as its sources.
    pub(crate) fn config(&self) -> &str {
        &self.config
    }

    /// Stops them.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

/// Serves one simulated system until `stop` is cancelled.
pub(crate) async fn simulate(
    args: &SimulateArgs,
    stop: CancellationToken,
) -> Result<(), ProgramError> {
    let listeners = exporter::bind(std::slice::from_ref(&args.listen)).await?;
    let (births, system) = (args.rate.per_second(), args.system);
    if system == SimulatedSystem::VirtShell {
        tracing::info!(?system, "simulating, without a login");
    } else {
        let (username, password) = ACCOUNT;
        tracing::info!(username, password, ?system, "simulating");
    }
    for listener in listeners {
        match system {
            SimulatedSystem::SddcManager => {
                let sddc = sddc_manager(births, 1);
                sddc.history(args.tasks);
                run_sddc_manager(sddc, listener, stop.clone()).await;
            }
            SimulatedSystem::Vcenter => {
                let vcenter = vcenter(births, 1);
                vcenter.history(args.tasks);
                run_vcenter(vcenter, listener, stop.clone()).await;
            }
            SimulatedSystem::VirtShell => {
                let shell = virtshell(births, 1);
                shell.history(args.tasks);
                run_virtshell(shell, listener, stop.clone()).await;
            }
        }
    }
    Ok(())
}

/// A vCenter with so many births of tasks per second.
fn vcenter(births: f64, seed: u64) -> Vcenter {
    let options = VcenterOptions {
        username: ACCOUNT.0.to_owned(),
        password: ACCOUNT.1.to_owned(),
        seed,
        ..VcenterOptions::default()
    };
    let vcenter = Vcenter::new(Clock::system(), options);
    vcenter.set_workload(Some(VcWorkload {
        rate: births * 60.0,
        seed,
        ..VcWorkload::default()
    }));
    vcenter
}

/// A VirtShell server with so many births of tasks per second.
fn virtshell(births: f64, seed: u64) -> VirtShell {
    let options = VirtShellOptions {
        seed,
        ..VirtShellOptions::default()
    };
    let shell = VirtShell::new(Clock::system(), options);
    shell.set_workload(Some(VsWorkload {
        rate: births * 60.0,
        seed,
        ..VsWorkload::default()
    }));
    shell
}

/// An SDDC Manager with so many births of tasks per second.
fn sddc_manager(births: f64, seed: u64) -> SddcManager {
    let options = SddcManagerOptions {
        username: ACCOUNT.0.to_owned(),
        password: ACCOUNT.1.to_owned(),
        paging: Paging::FromOne,
        clock_skew: Some(SignedDuration::ZERO),
        seed,
        ..SddcManagerOptions::default()
    };
    let sddc = SddcManager::new(Clock::system(), options);
    sddc.set_workload(Workload::new(births, seed));
    sddc
}

async fn run_sddc_manager(sddc: SddcManager, listener: TcpListener, stop: CancellationToken) {
    tokio::join!(sddc.serve(listener, stop.clone()), sddc.live(TICK, stop));
}

async fn run_vcenter(vcenter: Vcenter, listener: TcpListener, stop: CancellationToken) {
    tokio::join!(
        vcenter.serve(listener, stop.clone()),
        vcenter.live(TICK, stop)
    );
}

async fn run_virtshell(shell: VirtShell, listener: TcpListener, stop: CancellationToken) {
    tokio::join!(shell.serve(listener, stop.clone()), shell.live(TICK, stop));
}
