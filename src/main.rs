//! The program: arguments in, an exit code out.

use std::process::ExitCode;

use virt_task_exporter::cli::Args;

fn main() -> ExitCode {
    let args = match Args::read(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => {
            // Nothing is left to do where not even the help can be printed.
            error.print().unwrap_or_default();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    virt_task_exporter::program::run(&args)
}
