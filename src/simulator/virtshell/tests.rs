//! The API over real sockets, and the life behind it.

/// Header values, signatures and their times.
mod auth;
/// Errors and what is no path of the API.
mod errors;
/// Each fault as a client sees it.
mod faults;
/// History, workload and totals.
mod life;
/// Lists: by status, cached, under a prefix.
mod lists;
/// A running simulator with a client.
mod support;
/// A task in each shape.
mod tasks;
/// Tasks posted, changed and deleted.
mod writes;
