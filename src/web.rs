//! What is served over HTTP.

pub mod accept;
mod encoding;
mod landing;
mod preferences;
mod refusal;
mod reply;
mod routes;
mod scrape;
pub mod server;

pub use routes::Site;
