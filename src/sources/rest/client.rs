//! A reqwest client made from the configuration of a source.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use thiserror::Error;
use url::Url;

use crate::config::{HttpConfig, Secret, SecretError, TlsConfig};
use crate::visible;

/// Why no client can be made of the configuration.
#[derive(Debug, Error)]
pub enum ClientError {
    /// A certificate or key file cannot be read.
    #[error("cannot read {}: {error}", visible::path(.path))]
    Read {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A certificate or key file holds none.
    #[error("{} holds no usable {what} in PEM form", visible::path(.path))]
    Pem {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// Our key is not that of our certificate.
    #[error("{} is not the key of the certificate in cert_file", visible::path(.0))]
    OtherKey(PathBuf),
    /// A header's value cannot be read.
    #[error("{error}")]
    Secret {
        /// The key that names its file.
        key: String,
        /// Why.
        error: SecretError,
    },
    /// A header's value is none.
    #[error("the value has characters that a header cannot have")]
    Header {
        /// The key that names its file.
        key: String,
    },
    /// The certificate cannot be checked against the server name.
    #[error("{0}")]
    ServerName(&'static str),
    /// The client cannot be built of it; most likely no certificates are trusted.
    #[error(
        "cannot build the HTTP client: {0} (the package ca-certificates has the system's, \
         tls_config.ca_file names others)"
    )]
    Build(String),
}

const CA_FILE: &str = "tls_config.ca_file";
const CERT_FILE: &str = "tls_config.cert_file";
const KEY_FILE: &str = "tls_config.key_file";

impl ClientError {
    /// The key of the source that is wrong, if it is one alone.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Read { key, .. } | Self::Pem { key, .. } => Some(key),
            Self::OtherKey(_) => Some(KEY_FILE),
            Self::Secret { key, .. } | Self::Header { key } => Some(key),
            Self::ServerName(_) => Some("tls_config.server_name"),
            Self::Build(_) => None,
        }
    }
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
    if let Some(name) = server_name(base, config)? {
        builder = builder.dns_resolver(std::sync::Arc::new(StandIn::new(name, base)));
    }
    if let Some(proxy) = &config.proxy_url {
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(|error| build_error(&error))?);
    }
    builder
        .build()
        .map_err(|error| match (&config.tls.key_file, is_mismatch(&error)) {
            (Some(key), true) => ClientError::OtherKey(key.clone()),
            _ => build_error(&error),
        })
}

/// Whether a certificate and a key do not belong together.
fn is_mismatch(error: &reqwest::Error) -> bool {
    let first: &dyn std::error::Error = error;
    let mut causes = std::iter::successors(Some(first), |error| error.source());
    causes.any(|cause| {
        let cause = cause.downcast_ref::<rustls::Error>();
        matches!(cause, Some(rustls::Error::InconsistentKeys(_)))
    })
}

/// The headers that every request carries.
pub(super) fn headers(base: &Url, config: &HttpConfig) -> Result<HeaderMap, ClientError> {
    let mut headers = HeaderMap::new();
    for header in &config.headers {
        let mut files = 0;
        for value in &header.values {
            let key = || format!("http_headers.{}.files[{files}]", header.name);
            let read = value.read();
            let read = read.map_err(|error| ClientError::Secret { key: key(), error })?;
            let read = HeaderValue::try_from(read.expose_secret());
            let mut read = read.map_err(|_invalid| ClientError::Header { key: key() })?;
            read.set_sensitive(true);
            headers.append(header.name.clone(), read);
            files += usize::from(matches!(value, Secret::File(_)));
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
    if let Some(name) = server_name(&base, config)? {
        let unusable = ClientError::ServerName("is no host name");
        base.set_host(Some(name)).map_err(|_invalid| unusable)?;
    }
    Ok(base)
}

/// The name that takes the place of the host, if one does.
///
/// # Errors
/// If somebody other than [`StandIn`] would look for it, and credentials go to
/// another host: addresses are dialled as they are, and names by the proxy.
fn server_name<'a>(base: &Url, config: &'a HttpConfig) -> Result<Option<&'a str>, ClientError> {
    let name = config.tls.server_name.as_deref();
    let name = name.filter(|name| base.scheme() == "https" && !is_host(base, name));
    let Some(name) = name else {
        return Ok(None);
    };
    // As a URL reads it, which takes 127.1 for an address.
    let host = Url::parse(&format!("https://{name}/"));
    if host.is_ok_and(|host| host.domain().is_none()) {
        let rule = "must be a host name, as an address would be dialled in place of the url's host";
        return Err(ClientError::ServerName(rule));
    }
    if config.proxy_url.is_some() {
        let rule = "cannot be used with proxy_url, as the proxy would be asked for that host";
        return Err(ClientError::ServerName(rule));
    }
    Ok(Some(name))
}

fn is_host(base: &Url, name: &str) -> bool {
    let host = base.host_str();
    host.is_some_and(|host| host.trim_matches(['[', ']']).eq_ignore_ascii_case(name))
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
        let unusable = || pem(CA_FILE, path, "certificate");
        let bytes = read(CA_FILE, path)?;
        let bundle = Certificate::from_pem_bundle(&bytes).map_err(|_error| unusable())?;
        if bundle.is_empty() {
            return Err(unusable());
        }
        builder = builder.tls_certs_only(bundle);
    }
    if let (Some(certificate), Some(key)) = (&tls.cert_file, &tls.key_file) {
        builder = builder.identity(identity(certificate, key)?);
    }
    Ok(builder)
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, ClientError> {
    let chain = read(CERT_FILE, certificate)?;
    let both = [chain.clone(), read(KEY_FILE, key)?].concat();
    Identity::from_pem(&both).map_err(|_error| {
        if CertificateDer::from_pem_slice(&chain).is_err() {
            return pem(CERT_FILE, certificate, "certificate");
        }
        pem(KEY_FILE, key, "private key")
    })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| ClientError::Read {
        key,
        path: path.to_owned(),
        error,
    })
}

fn pem(key: &'static str, path: &Path, what: &'static str) -> ClientError {
    ClientError::Pem {
        key,
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
