//! How a source is reached over HTTP: `tls_config`, `proxy_url`, `http_headers`, `follow_redirects`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_saphyr::Spanned;
use url::Url;

use super::error::ConfigError;
use super::raw::{Header as RawHeader, Tls, Typed};
use super::secret::Secret;
use super::section::Section;
use super::settings::Calls;
use super::warnings::Warnings;

/// Headers that belong to the protocol or to the client.
const RESERVED: [&str; 21] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "if-none-match",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vmware-api-session-id",
    "www-authenticate",
];

/// Headers with one of these in their names are taken to hold a secret.
const TELLING: [&str; 6] = ["auth", "cookie", "key", "password", "secret", "token"];

/// How a source is reached. Its `Debug` leaves out the proxy's credentials.
#[derive(Clone, PartialEq)]
pub struct HttpConfig {
    /// How the server is verified.
    pub tls: TlsConfig,
    /// The proxy, http or https; may carry credentials, so it must not be printed.
    pub proxy_url: Option<Url>,
    /// Headers of every request, besides the client's own; names are unique.
    pub headers: Vec<Header>,
    /// Limit of one call.
    pub request_timeout: Duration,
    /// Calls a second at most, at least 1; as many may come at once.
    pub max_requests_per_second: u32,
}

/// A header of every request.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The name, which is not one of the protocol's or the client's own.
    pub name: HeaderName,
    /// The values, at least one; one read from a file may be no valid header value.
    pub values: Vec<Secret>,
}

/// How a server is verified, and how we identify ourselves to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates to trust instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// Our certificate chain, PEM; given together with `key_file`.
    pub cert_file: Option<PathBuf>,
    /// The key of our certificate, PEM.
    pub key_file: Option<PathBuf>,
    /// The name expected in the server's certificate, if not the URL's host.
    pub server_name: Option<String>,
    /// Trust any server.
    pub insecure_skip_verify: bool,
}

/// The keys of a source that say how it is reached.
#[derive(Debug)]
pub(super) struct RawHttp {
    pub(super) tls_config: Typed<Tls>,
    pub(super) proxy_url: Typed<SecretString>,
    pub(super) http_headers: Typed<BTreeMap<String, Spanned<RawHeader>>>,
    pub(super) follow_redirects: Typed<bool>,
}

impl HttpConfig {
    pub(super) fn resolve(
        section: &Section<'_>,
        raw: RawHttp,
        calls: &Calls,
        warnings: &mut Warnings,
    ) -> Result<Self, ConfigError> {
        if let Some(follow) = raw.follow_redirects.filter(|follow| follow.value) {
            let rule = "must be false, redirects are never followed";
            return Err(section.wrong("follow_redirects", &follow, rule));
        }
        Ok(Self {
            tls: tls(section, raw.tls_config, warnings)?,
            proxy_url: proxy_url(section, raw.proxy_url, warnings)?,
            headers: headers(section, raw.http_headers, warnings)?,
            request_timeout: calls.timeout,
            max_requests_per_second: calls.most_per_second,
        })
    }

    /// The files that are read once, when the client is made.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let tls = [&self.tls.ca_file, &self.tls.cert_file, &self.tls.key_file];
        let values = self.headers.iter().flat_map(|header| &header.values);
        let files = values.filter_map(|value| match value {
            Secret::File(file) => Some(file),
            Secret::Inline(_) => None,
        });
        tls.into_iter().flatten().chain(files).map(PathBuf::as_path)
    }
}

impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("tls", &self.tls)
            .field("proxy_host", &self.proxy_url.as_ref().map(Url::host_str))
            .field("headers", &self.headers)
            .field("request_timeout", &self.request_timeout)
            .field("max_requests_per_second", &self.max_requests_per_second)
            .finish()
    }
}

fn tls(
    parent: &Section<'_>,
    raw: Typed<Tls>,
    warnings: &mut Warnings,
) -> Result<TlsConfig, ConfigError> {
    let Some(raw) = raw else {
        return Ok(TlsConfig::default());
    };
    let section = parent.child("tls_config", &raw);
    let raw = raw.value;
    match (&raw.cert_file, &raw.key_file) {
        (Some(cert), None) => {
            return Err(section.wrong("cert_file", cert, "needs a key_file"));
        }
        (None, Some(key)) => {
            return Err(section.wrong("key_file", key, "needs a cert_file"));
        }
        _ => {}
    }
    if let Some(skip) = raw.insecure_skip_verify.as_ref().filter(|skip| skip.value) {
        let place = section.place("insecure_skip_verify", skip);
        warnings.add(&place, "the server's certificate is not verified");
    }
    let name = |key, value: Option<Spanned<String>>| {
        let value = value.as_ref();
        value.map(|value| section.file_name(key, value)).transpose()
    };
    Ok(TlsConfig {
        ca_file: name("ca_file", raw.ca_file)?,
        cert_file: name("cert_file", raw.cert_file)?,
        key_file: name("key_file", raw.key_file)?,
        server_name: server_name(&section, raw.server_name)?,
        insecure_skip_verify: raw.insecure_skip_verify.is_some_and(|skip| skip.value),
    })
}

fn server_name(
    section: &Section<'_>,
    name: Option<Spanned<String>>,
) -> Result<Option<String>, ConfigError> {
    match name {
        Some(name) if url::Host::parse(&name.value).is_err() => {
            Err(section.wrong("server_name", &name, "must be a host name or an address"))
        }
        name => Ok(name.map(|name| name.value)),
    }
}

fn proxy_url(
    section: &Section<'_>,
    typed: Typed<SecretString>,
    warnings: &mut Warnings,
) -> Result<Option<Url>, ConfigError> {
    let Some(typed) = typed else {
        return Ok(None);
    };
    let wrong = |rule| Err(section.wrong("proxy_url", &typed, rule));
    let Ok(url) = Url::parse(typed.value.expose_secret()) else {
        return wrong("must be an absolute URL, such as http://proxy.example:3128");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("must begin with http:// or https://");
    }
    if url.query().is_some() || url.fragment().is_some() || url.path() != "/" {
        return wrong("must not have a path, a query or a fragment");
    }
    if url.password().is_some() {
        warnings.secret_at(&section.place("proxy_url", &typed));
    }
    Ok(Some(url))
}

fn headers(
    parent: &Section<'_>,
    typed: Typed<BTreeMap<String, Spanned<RawHeader>>>,
    warnings: &mut Warnings,
) -> Result<Vec<Header>, ConfigError> {
    let Some(typed) = typed else {
        return Ok(Vec::new());
    };
    let section = parent.child("http_headers", &typed);
    let mut headers: Vec<Header> = Vec::new();
    for (key, raw) in typed.value {
        // What is no header name may be anything, a secret included: it is not repeated.
        let Ok(name) = HeaderName::try_from(&key) else {
            let nameless = parent.child("http_headers", &raw);
            return Err(nameless.fails("the key must be a header name"));
        };
        if RESERVED.contains(&name.as_str()) {
            return Err(section.wrong(&key, &raw, "this header is the client's own"));
        }
        if headers.iter().any(|header| header.name == name) {
            return Err(section.wrong(&key, &raw, "this header is given twice"));
        }
        let telling = TELLING.iter().any(|word| name.as_str().contains(word));
        let values = header_values(&section.child(&key, &raw), raw.value, telling, warnings)?;
        headers.push(Header { name, values });
    }
    Ok(headers)
}

fn header_values(
    section: &Section<'_>,
    raw: RawHeader,
    telling: bool,
    warnings: &mut Warnings,
) -> Result<Vec<Secret>, ConfigError> {
    let mut found = Vec::new();
    let lists = [
        ("values", raw.values, telling),
        ("secrets", raw.secrets, true),
    ];
    for (list, typed, is_secret) in lists {
        for (index, typed) in typed.into_iter().flat_map(|list| list.value).enumerate() {
            let key = format!("{list}[{index}]");
            if HeaderValue::from_str(typed.value.expose_secret()).is_err() {
                return Err(section.wrong(&key, &typed, "must be a valid header value"));
            }
            found.push(if is_secret {
                Secret::inline(section, &key, typed, warnings)?
            } else {
                Secret::harmless(section, &key, typed)?
            });
        }
    }
    let files = raw.files.into_iter().flat_map(|list| list.value);
    for (index, name) in files.enumerate() {
        let key = format!("files[{index}]");
        found.push(Secret::in_file(section, &key, &name)?);
    }
    if found.is_empty() {
        return Err(section.fails("needs values, secrets or files"));
    }
    Ok(found)
}
