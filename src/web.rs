//! What is served over HTTP.

pub mod accept;
mod config;
mod discovery;
mod encoding;
mod guard;
mod landing;
mod preferences;
mod rate;
mod refusal;
mod reply;
mod routes;
mod scrape;
mod selection;
pub mod server;
mod visitors;

pub use config::{WebConfig, WebConfigError};
pub use guard::Guard;
pub use routes::Site;
