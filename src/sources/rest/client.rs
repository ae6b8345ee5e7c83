//! A reqwest client made from the configuration of a source.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use secrecy::ExposeSecret as _;
use thiserror::Error;
use url::Url;

use crate::config::{HttpConfig, SecretError, TlsConfig};

/// Why no client can be made of the configuration.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A certificate or key file cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A certificate or key file holds none.
    #[error("{} holds no usable {what} in PEM form", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A header's secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A header's value is none.
    #[error("the value of the header {0} has characters that a header cannot have")]
    Header(String),
    /// The server name cannot stand in a URL.
    #[error("tls_config.server_name is no host name")]
    ServerName,
    /// The client cannot be built of it; most likely no certificates are trusted.
    #[error(
        "cannot build the HTTP client: {0} (the package ca-certificates has the system's, \
         tls_config.ca_file names others)"
    )]
    Build(String),
}

/// The client for `base`.
pub(super) fn build(base: &Url, config: &HttpConfig) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("virt-task-exporter/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        // As in Prometheus, a proxy is one that the configuration names.
        .no_proxy()
        .timeout(config.request_timeout)
        .connect_timeout(config.request_timeout.min(Duration::from_secs(10)))
        .pool_max_idle_per_host(2)
        // Kept within a poll, not between polls: a server closes idle connections
        // when it likes, and a request sent at that moment would be lost.
        .pool_idle_timeout(Duration::from_secs(10))
        .tcp_keepalive(Duration::from_secs(30))
        .referer(false);
    let proxy_scheme = config.proxy_url.as_ref().map(Url::scheme);
    if base.scheme() == "http" && proxy_scheme != Some("https") {
        // Nothing is encrypted, so a machine without trusted certificates will do.
        builder = builder.tls_certs_only([]);
    }
    builder = with_tls(builder, &config.tls)?;
    if let Some(name) = &config.tls.server_name {
        builder = builder.dns_resolver(std::sync::Arc::new(StandIn::new(name, base)));
    }
    if let Some(proxy) = &config.proxy_url {
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(|error| build_error(&error))?);
    }
    builder.build().map_err(|error| build_error(&error))
}

/// The headers that every request carries.
pub(super) fn headers(base: &Url, config: &HttpConfig) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    for header in &config.headers {
        let invalid = || ClientError::Header(header.name.to_string());
        let name = HeaderName::try_from(header.name.as_str()).map_err(|_invalid| invalid())?;
        for value in &header.values {
            let value = value.read()?;
            let mut value =
                HeaderValue::try_from(value.expose_secret()).map_err(|_invalid| invalid())?;
            value.set_sensitive(true);
            headers.append(name.clone(), value);
        }
    }
    if config.tls.server_name.is_some()
        && let Some(host) = authority(base)
    {
        headers.insert(HOST, host);
    }
    Ok(headers)
}

/// The URL that is dialled: with a `server_name`, the certificate is checked
/// against that name, so it takes the host's place and [`StandIn`] finds the host.
pub(super) fn dialled(mut base: Url, config: &HttpConfig) -> Result<Url, ClientError> {
    if let Some(name) = &config.tls.server_name {
        base.set_host(Some(name))
            .map_err(|_invalid| ClientError::ServerName)?;
    }
    Ok(base)
}

fn authority(base: &Url) -> Option<HeaderValue> {
    let host = base.host_str()?;
    let authority = base
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    HeaderValue::try_from(authority).ok()
}

fn with_tls(builder: ClientBuilder, tls: &TlsConfig) -> Result<ClientBuilder, ClientError> {
    let mut builder = builder.tls_danger_accept_invalid_certs(tls.insecure_skip_verify);
    if let Some(path) = &tls.ca_file {
        let unusable = || pem(path, "certificate");
        let bundle = Certificate::from_pem_bundle(&read(path)?).map_err(|_error| unusable())?;
        if bundle.is_empty() {
            return Err(unusable());
        }
        builder = builder.tls_certs_only(bundle);
    }
    if let (Some(certificate), Some(key)) = (&tls.cert_file, &tls.key_file) {
        let both = [read(certificate)?, read(key)?].concat();
        let identity =
            Identity::from_pem(&both).map_err(|_error| pem(certificate, "certificate and key"))?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| ClientError::Read {
        path: path.to_owned(),
        error,
    })
}

fn pem(path: &Path, what: &'static str) -> ClientError {
    ClientError::Pem {
        path: path.to_owned(),
        what,
    }
}

fn build_error(error: &reqwest::Error) -> ClientError {
    ClientError::Build(super::exchange::chain(error))
}

/// Finds the configured host under the name that its certificate carries.
struct StandIn {
    name: String,
    host: String,
}

impl StandIn {
    fn new(name: &str, base: &Url) -> Self {
        let host = base.host_str().unwrap_or_default();
        Self {
            name: name.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
        }
    }
}

impl Resolve for StandIn {
    fn resolve(&self, name: Name) -> Resolving {
        let host = if name.as_str().eq_ignore_ascii_case(&self.name) {
            self.host.clone()
        } else {
            name.as_str().to_owned()
        };
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
