//! The built binary from outside: under a real Prometheus, and under promtool.
//!
//! `tests/run e2e` runs it. It needs Debian's packages `prometheus`,
//! `prometheus-alertmanager`, `victoria-metrics` and `python3-prometheus-client`,
//! and fails without them; plain `cargo test` leaves it out.

/// Who is told of a failed task, through a real Alertmanager.
#[cfg(test)]
mod alerts;
/// Servers that scrape, each with its own wishes.
#[cfg(test)]
mod clients;
/// The demonstration, as a newcomer starts it.
#[cfg(test)]
mod demo;
/// The page itself: promtool's opinion, the strict parser's, and both formats side by side.
#[cfg(test)]
mod page;
/// Whether each panel of the dashboards has something to show.
#[cfg(test)]
mod panels;
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
