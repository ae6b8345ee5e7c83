//! The arguments of the commands that poll once: `once` and `tasks`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::task::Status;

/// Where the metrics go.
#[derive(Clone, Debug, clap::Args)]
pub struct OnceArgs {
    /// File to write the metrics to, all at once or not at all; standard output if there is none.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which tasks are printed, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct TasksArgs {
    /// Only tasks in this status; repeatable.
    #[arg(long, value_name = "STATUS", value_parser = status(), ignore_case = true)]
    pub status: Vec<Status>,

    /// Only tasks of this source, and no other is polled; repeatable.
    #[arg(long, value_name = "NAME")]
    pub source: Vec<String>,

    /// For people or for programs.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: TasksFormat,
}

/// How tasks are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TasksFormat {
    /// A table as wide as the terminal.
    Table,
    /// A JSON object.
    Json,
}

/// A status by its label value.
fn status() -> impl TypedValueParser<Value = Status> {
    let words = Status::ALL.map(|status| PossibleValue::new(status.as_str()));
    PossibleValuesParser::new(words).map(|word| {
        let mut all = Status::ALL.into_iter();
        all.find(|status| status.as_str().eq_ignore_ascii_case(&word))
            .expect("no other word gets through")
    })
}
