//! `--web.config.file`: TLS, users, headers and a rate limit, in the format of
//! Prometheus' exporter-toolkit.

mod client_names;
mod error;
mod headers;
mod pem;
mod raw;
mod reader;
mod tls;
mod users;

use std::path::Path;
use std::sync::Arc;

use hyper::HeaderMap;
use rustls::ServerConfig;

pub use error::WebConfigError;
pub(super) use reader::Reader;
pub(super) use users::Users;

use super::rate::Rate;

/// What the file asks for.
#[derive(Debug, Default)]
pub struct WebConfig {
    /// TLS; `None` for plain HTTP.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Headers of every answer.
    pub(super) headers: HeaderMap,
    /// Who may ask; everybody if there are none.
    pub(super) users: Users,
    /// How often one may ask.
    pub(super) rate: Option<Rate>,
}

impl WebConfig {
    /// Reads and judges a file, and the files that it names.
    pub fn load(file: &Path) -> Result<Self, WebConfigError> {
        Self::read(&mut Reader::new(file))
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self, WebConfigError> {
        let raw = raw::File::read(reader)?;
        let http = raw.http_server_config.unwrap_or_default();
        Ok(Self {
            tls: tls::resolve(reader, raw.tls_server_config)?,
            headers: headers::resolve(reader, http.headers.unwrap_or_default())?,
            users: Users::resolve(reader, raw.basic_auth_users.unwrap_or_default())?,
            rate: raw::rate(reader, raw.rate_limit.unwrap_or_default())?,
        })
    }
}
