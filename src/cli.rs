//! The command line and its environment variables.

mod help;
mod listen_address;
mod one_shot;
mod simulate;
mod values;

use std::ffi::{OsStr, OsString};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches as _, Parser, Subcommand};

use crate::build_info;
use crate::log::{Format, Level};

pub use listen_address::{ListenAddress, ListenAddressError};
pub use one_shot::{OnceArgs, TasksArgs, TasksFormat};
pub use simulate::{SimulateArgs, SimulatedSystem};
use values::shard_number;
pub use values::{Rate, RateError, ShardError, TelemetryPath, TelemetryPathError};

/// The port unless another is given; it is not registered with anyone.
pub const DEFAULT_PORT: u16 = 9894;

/// Where the ledgers are unless told otherwise.
const DEFAULT_STORAGE: &str = "data/";

/// The variable of that folder.
const STORAGE_VARIABLE: &str = "VTE_STORAGE_PATH";

/// Prometheus' tools print `NAME, version V`; clap prints the display name, a blank and the version.
const VERSIONED_NAME: &str = "virt-task-exporter,";

/// Exports the tasks of virtualization platforms as Prometheus metrics.
///
/// Without a command it serves.
#[derive(Clone, Debug, Parser)]
#[command(
    display_name = VERSIONED_NAME,
    version = build_info::TEXT,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = help::SERVING
)]
pub struct Args {
    /// Configuration file.
    #[arg(
        long = "config.file",
        env = "VTE_CONFIG_FILE",
        default_value = "virt-task-exporter.yml",
        value_name = "FILE",
        global = true
    )]
    pub config_file: PathBuf,

    /// Address to listen on, such as :9894 or localhost:9894; repeatable.
    ///
    /// An IPv6 address stands in brackets. A port alone means all interfaces of both IP families; the system chooses
    /// a port for 0. The default port is not registered with anyone.
    #[arg(
        long = "web.listen-address",
        env = "VTE_WEB_LISTEN_ADDRESS",
        default_values_t = [ListenAddress::any(DEFAULT_PORT)],
        value_delimiter = ',',
        value_name = "ADDRESS",
        global = true
    )]
    pub listen_addresses: Vec<ListenAddress>,

    /// Path of the metrics.
    #[arg(
        long = "web.telemetry-path",
        env = "VTE_WEB_TELEMETRY_PATH",
        default_value = "/metrics",
        value_name = "PATH",
        global = true
    )]
    pub telemetry_path: TelemetryPath,

    /// File with TLS, users, headers and a rate limit, as Prometheus' own exporters take it.
    #[arg(
        long = "web.config.file",
        env = "VTE_WEB_CONFIG_FILE",
        value_name = "FILE",
        global = true
    )]
    pub web_config_file: Option<PathBuf>,

    /// Most scrapes answered at once; 0 for no limit.
    #[arg(
        long = "web.max-requests",
        env = "VTE_WEB_MAX_REQUESTS",
        default_value_t = 40,
        value_name = "COUNT",
        global = true
    )]
    pub max_requests: usize,

    /// Leave out the metrics of the exporter's own process.
    #[arg(
        long = "web.disable-exporter-metrics",
        env = "VTE_WEB_DISABLE_EXPORTER_METRICS",
        action = ArgAction::Set,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        hide_possible_values = true,
        value_parser = BoolishValueParser::new(),
        value_name = "BOOL",
        global = true
    )]
    pub disable_exporter_metrics: bool,

    /// Folder of the ledgers [default: data/]; an empty text keeps them in memory alone.
    #[arg(
        long = "storage.path",
        env = STORAGE_VARIABLE,
        // clap's own parser of paths refuses an empty one.
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        value_name = "FOLDER",
        global = true
    )]
    pub storage_path: Option<PathBuf>,

    /// Which shard this instance is, from 0; the name of a pod of Kubernetes ends in it.
    #[arg(
        long,
        env = "VTE_SHARD",
        default_value_t = 0,
        value_parser = shard_number,
        value_name = "NUMBER",
        global = true
    )]
    pub shard: u32,

    /// How many shards there are; each polls the sources whose name hashes to it.
    #[arg(
        long,
        env = "VTE_TOTAL_SHARDS",
        default_value_t = NonZeroU32::MIN,
        value_name = "COUNT",
        global = true
    )]
    pub total_shards: NonZeroU32,

    /// Least severe messages to log.
    #[arg(
        long = "log.level",
        env = "VTE_LOG_LEVEL",
        default_value = "info",
        value_name = "LEVEL",
        global = true
    )]
    pub log_level: Level,

    /// Format of the log.
    #[arg(
        long = "log.format",
        env = "VTE_LOG_FORMAT",
        default_value = "logfmt",
        value_name = "FORMAT",
        global = true
    )]
    pub log_format: Format,

    /// What to do; serve if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Validate the configuration strictly.
    #[command(display_name = VERSIONED_NAME, after_help = help::CHECKING)]
    Check(CheckArgs),
    /// Poll each source once and print the metrics, for cron and node_exporter's textfile collector.
    #[command(display_name = VERSIONED_NAME, after_help = help::POLLING)]
    Once(OnceArgs),
    /// Poll each source once and print its tasks.
    #[command(display_name = VERSIONED_NAME, after_help = help::POLLING)]
    Tasks(TasksArgs),
    /// Serve with three simulated systems as sources; needs no configuration.
    #[command(display_name = VERSIONED_NAME, after_help = help::SERVING)]
    Demo,
    /// Simulate one system, to try and to measure.
    #[command(display_name = VERSIONED_NAME, after_help = help::SERVING)]
    Simulate(SimulateArgs),
}

/// What `check` does beside.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct CheckArgs {
    /// Log in to each source and read a first page, too.
    #[arg(long)]
    pub login: bool,
}

impl Args {
    /// Reads `arguments`, of which the first is the program's name, and the environment.
    ///
    /// `--help` and `--version` are errors too: clap's `exit_code` and `print` say what is to be done with each.
    pub fn read<I>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let mut command = help::without_idle(Self::command().mut_args(without_empty));
        let matches = command.try_get_matches_from_mut(arguments)?;
        let args = Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        if args.shard >= args.total_shards.get() {
            let rule = "--shard must be less than --total-shards";
            return Err(Self::command().error(ErrorKind::ValueValidation, rule));
        }
        Ok(args)
    }

    /// The command line as `--help` shows it, with all of each subcommand.
    pub fn shown() -> clap::Command {
        help::without_idle(Self::command())
    }

    /// The folder of the ledgers; `None` for memory only.
    pub fn storage_folder(&self) -> Option<&Path> {
        let folder = self.storage_path.as_deref();
        let folder = folder.unwrap_or_else(|| Path::new(DEFAULT_STORAGE));
        Some(folder).filter(|folder| !folder.as_os_str().is_empty())
    }
}

/// An empty variable is as good as none, as where a file for containers hands on
/// what nobody set; but the folder may be none.
fn without_empty(flag: Arg) -> Arg {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let variable = flag.get_env().filter(|name| *name != STORAGE_VARIABLE);
    if variable.is_some_and(is_empty) {
        flag.env(None::<&'static str>)
    } else {
        flag
    }
}

#[cfg(test)]
mod tests;
