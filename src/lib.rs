//! Prometheus exporter for the tasks of virtualization platforms.

pub mod build_info;
pub mod cli;
pub mod clock;
pub mod config;
pub mod histogram;
pub mod ledger;
pub mod log;
pub mod metrics;
pub mod poller;
pub mod simulator;
pub mod sources;
pub mod task;
pub mod web;
