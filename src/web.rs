//! What is served over HTTP.

pub mod accept;
mod age;
mod cache;
mod config;
mod deadline;
mod discovery;
mod encoding;
mod guard;
mod lineup;
mod origin;
mod preferences;
mod query;
mod queue;
mod rate;
mod refusal;
mod reply;
mod report;
mod routes;
mod scrape;
mod seats;
mod selection;
pub mod server;
mod status_page;
mod view;
mod visitors;

pub use config::{WebConfig, WebConfigError};
pub use guard::Guard;
pub use lineup::Lineup;
pub use routes::Site;
