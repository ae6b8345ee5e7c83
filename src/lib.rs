//! Prometheus exporter for the tasks of virtualization platforms.

pub mod clock;
pub mod task;
pub mod web;
