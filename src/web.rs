//! What is served over HTTP.

pub mod accept;
mod landing;
mod routes;
pub mod server;

pub use routes::Site;
