//! Prometheus exporter for the tasks of virtualization platforms.
//!
//! The data goes one straight way, and the modules are best read in its order:
//!
//! ```text
//! sources (pages) -> task (one vocabulary) -> ledger (what changed) -> metrics (families) -> web (exposition)
//!                  poller drives it, one for each source
//! ```
//!
//! - [`sources`] log in, read pages and translate them. Nothing behind them
//!   knows a system's own words.
//! - [`task`] is the vocabulary: a task, its status, its tree of sub-tasks, and
//!   the listing of one poll. It does no I/O.
//! - [`ledger`] compares a listing with what it remembers and says what changed,
//!   so that each outcome is counted once. It is pure: the time is an argument.
//!   [`ledger::storage`] keeps it in a file, and [`ledger::KeptLedger`] is both.
//! - [`metrics`] has the catalogue of families in one table, and makes a sorted
//!   snapshot of a source after each poll.
//! - [`overview`] is what people are shown of a source, made at the same time.
//! - [`web`] answers scrapes from the snapshots. A scrape never waits for a poll.
//! - [`poller`] owns a source and its ledger, and nobody else does; others get
//!   the snapshot through a watch channel.
//!
//! Around the line stand
//!
//! - [`config`] and [`cli`]: what the user typed, made into what the program needs.
//! - [`exporter`]: puts the line together, anew for each source that a
//!   [`reload`] changes.
//! - [`program`]: subcommands and exit codes; `report`: what `tasks` prints.
//! - [`log`] and [`visible`], so that no text of a source acts on a terminal or a
//!   browser; `systemd`, which is told how it goes.
//! - `panics`: caught where they cost least, and logged.
//! - [`clock`]: the one place that asks the system for the time.
//! - [`simulator`]: the three systems in memory, for `demo`, `simulate`, the
//!   tests and the benchmarks.
//!
//! To add a system takes a file in `sources/` that implements
//! [`sources::Source`], one in `config/` with its keys, one in `simulator/`, and
//! an arm in each `match` over the systems, in `config/source.rs`, `exporter/` and
//! `demo.rs`, which the compiler finds. To add a metric takes a row in [`metrics`]
//! and the samples for it. CONTRIBUTING.md has the list.

pub mod build_info;
pub mod cli;
pub mod clock;
pub mod config;
mod demo;
pub mod exporter;
pub mod histogram;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod overview;
mod panics;
pub mod poller;
pub mod program;
pub mod reload;
mod report;
pub mod simulator;
pub mod sources;
mod systemd;
pub mod task;
pub mod visible;
pub mod web;
