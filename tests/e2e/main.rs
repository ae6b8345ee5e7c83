//! The built binary from outside: under a real Prometheus, and under promtool.
//!
//! `tests/run e2e` runs it. It needs Debian's packages `prometheus`,
//! `victoria-metrics` and `python3-prometheus-client`, and fails without them; plain `cargo test` leaves it out.

/// Servers that scrape, each with its own wishes.
#[cfg(test)]
mod clients;
/// The demonstration, as a newcomer starts it.
#[cfg(test)]
mod demo;
/// The page itself: promtool's opinion, the strict parser's, and both formats side by side.
#[cfg(test)]
mod page;
/// What `increase()` sees over the exporter's stops, crashes and starts.
#[cfg(test)]
mod restarts;
/// One task's life, as Prometheus remembers it.
#[cfg(test)]
mod story;
/// The exporter, Prometheus and the questions to them.
#[cfg(test)]
mod support;
/// Who may scrape: promtool's opinion of the rules, and clients that keep them.
#[cfg(test)]
mod web_config;
