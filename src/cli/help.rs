//! What `--help` and the manual say beside the flags.

use clap::Command;

/// The exit codes of what serves.
pub(super) const SERVING: &str = "\
Exit codes:
  0  it was ended by a signal
  1  an address cannot be listened on, or the system refuses what it needs
  2  the command line or the configuration is wrong";

/// The exit codes of `check`.
pub(super) const CHECKING: &str = "\
Exit codes:
  0  all is well
  1  the configuration is wrong, or a source cannot be read
  2  the command line is wrong";

/// The exit codes of `once` and `tasks`.
pub(super) const POLLING: &str = "\
Exit codes:
  0  each source was polled
  1  a source was not polled, or what came of it cannot be written
  2  the command line or the configuration is wrong";

/// The flags of all commands that this one looks at; `None`: it is not said.
fn heeded(command: &str) -> Option<&'static [&'static str]> {
    match command {
        "check" => Some(&["config_file", "web_config_file"]),
        "simulate" => Some(&["log_level", "log_format"]),
        _ => None,
    }
}

/// `command` with all that is global in its subcommands, and those flags hidden there
/// that are taken and have no effect.
pub(super) fn without_idle(mut command: Command) -> Command {
    let ids = command.get_arguments().map(|flag| flag.get_id().clone());
    let global: Vec<_> = ids.collect();
    command.build();
    command.mut_subcommands(|sub| {
        let Some(heeded) = heeded(sub.get_name()) else {
            return sub;
        };
        sub.mut_args(|flag| {
            let id = flag.get_id();
            let idle = global.contains(id) && !heeded.contains(&id.as_str());
            if idle { flag.hide(true) } else { flag }
        })
    })
}
