//! The arguments of `simulate`.

use super::{ListenAddress, Rate};

/// What to simulate.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateArgs {
    /// System to simulate.
    #[arg(value_name = "SYSTEM")]
    pub system: SimulatedSystem,

    /// Address to listen on; the system chooses a port for 0.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: ListenAddress,

    /// Finished tasks to begin with.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pub tasks: usize,

    /// New tasks a second, such as 0.1.
    #[arg(long, default_value = "0.1", value_name = "NUMBER")]
    pub rate: Rate,
}

/// The systems that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SimulatedSystem {
    /// VMware Cloud Foundation's SDDC Manager.
    #[value(name = "sddc_manager")]
    SddcManager,
    /// vCenter Server.
    #[value(name = "vcenter")]
    Vcenter,
    /// VirtShell.
    #[value(name = "virtshell")]
    VirtShell,
}
