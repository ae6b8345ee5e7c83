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
    Paging, SddcManager, SddcManagerOptions, VcWorkload, Vcenter, VcenterOptions, Workload,
};

/// How often the simulated systems move on.
const TICK: Duration = Duration::from_millis(200);

/// Births of tasks per second in each system of the demo.
const BIRTHS: f64 = 0.2;

/// The account of the simulated systems; they are reachable from this machine alone.
const ACCOUNT: (&str, &str) = ("svc-exporter@vsphere.local", "demo");

/// The simulated systems of the demo, while they run.
#[derive(Debug)]
pub(crate) struct Sources {
    addresses: Vec<(&'static str, String)>,
    running: JoinSet<()>,
    stop: CancellationToken,
}

impl Sources {
    /// Starts an SDDC Manager of each kind: two that page, from 1 and from 0,
    /// and one of 4.4, which knows no paging.
    pub(crate) async fn start() -> Result<Self, ProgramError> {
        let mut sources = Self {
            addresses: Vec::new(),
            running: JoinSet::new(),
            stop: CancellationToken::new(),
        };
        for (name, paging, seed) in [
            ("sfo-vcf01", Paging::FromOne, 1),
            ("lax-vcf01", Paging::FromZero, 2),
            ("nyc-vcf01", Paging::None, 3),
        ] {
            let sddc = sddc_manager(paging, seed);
            sddc.history(150);
            sddc.set_workload(Workload::new(BIRTHS, seed));
            let unbound = |error| ProgramError::System("cannot listen on 127.0.0.1", error);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .map_err(unbound)?;
            let address = listener.local_addr().map_err(unbound)?;
            sources.addresses.push((name, address.to_string()));
            sources.run(sddc, listener);
        }
        Ok(sources)
    }

    fn run(&mut self, sddc: SddcManager, listener: TcpListener) {
        let stop = self.stop.clone();
        self.running.spawn(run(sddc, listener, stop));
    }

    /// The configuration that has them as its sources.
    pub(crate) fn config(&self) -> String {
        let (username, password) = ACCOUNT;
        let mut config = String::from(
            "global: {poll_interval: 5s, stale_after: 30s, counter_birth_hold: 5s}\nsources:\n",
        );
        for (name, address) in &self.addresses {
            write!(
                config,
                "  - name: {name}\n    system: sddc_manager\n    url: http://{address}\n    \
                 username: {username}\n    password: {password}\n"
            )
            .expect("a string takes what is written");
        }
        config
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
    let (username, password) = ACCOUNT;
    match args.system {
        SimulatedSystem::SddcManager => {
            let sddc = sddc_manager(Paging::FromOne, 1);
            sddc.history(args.tasks);
            sddc.set_workload(Workload::new(args.rate.per_second(), 1));
            tracing::info!(username, password, "simulating an SDDC Manager");
            for listener in listeners {
                run(sddc.clone(), listener, stop.clone()).await;
            }
        }
        SimulatedSystem::Vcenter => {
            let vcenter = vcenter(args.rate.per_second(), 1);
            vcenter.history(args.tasks);
            tracing::info!(username, password, "simulating a vCenter");
            for listener in listeners {
                let stop = stop.clone();
                tokio::join!(
                    vcenter.serve(listener, stop.clone()),
                    vcenter.live(TICK, stop)
                );
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

fn sddc_manager(paging: Paging, seed: u64) -> SddcManager {
    let options = SddcManagerOptions {
        username: ACCOUNT.0.to_owned(),
        password: ACCOUNT.1.to_owned(),
        paging,
        clock_skew: Some(SignedDuration::ZERO),
        seed,
        ..SddcManagerOptions::default()
    };
    SddcManager::new(Clock::system(), options)
}

async fn run(sddc: SddcManager, listener: TcpListener, stop: CancellationToken) {
    tokio::join!(sddc.serve(listener, stop.clone()), sddc.live(TICK, stop));
}
