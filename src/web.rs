//! What is served over HTTP.

pub mod accept;
mod discovery;
mod encoding;
mod landing;
mod preferences;
mod refusal;
mod reply;
mod routes;
mod scrape;
mod selection;
pub mod server;

pub use routes::Site;
