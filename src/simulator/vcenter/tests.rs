//! The API over real sockets, and the life behind it.

/// Errors in every form, and dialects that are not there.
mod errors;
/// Each fault as a client sees it.
mod faults;
/// What a list lets pass.
mod filters;
/// History, workload and retention.
mod life;
/// The list call: providers, cap and shapes.
mod lists;
/// Logins, tokens and their ends.
mod sessions;
/// A running simulator with a client.
mod support;
/// A task's members in each state.
mod tasks;
