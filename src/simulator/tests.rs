//! The API over real sockets, and the life behind it.

/// Each call's codes and bodies.
mod api;
/// Each fault as a client sees it.
mod faults;
/// The workload and its totals.
mod life;
/// Pages, filters and orders.
mod paging;
/// A running simulator with a client.
pub(super) mod support;
