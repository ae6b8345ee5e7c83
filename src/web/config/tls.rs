//! TLS: certificates, versions, ciphers, and whose certificates clients must have.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use serde_saphyr::{Location, Spanned};

use super::client_names::NamedClients;
use super::error::WebConfigError;
use super::pem::Pem;
use super::raw::{Text, Tls};
use super::reader::{Reader, place};

/// The section's name, which begins each key.
pub(super) const SECTION: &str = "tls_server_config";

/// Go's names of key exchanges, and ring's.
const CURVES: [(&str, rustls::NamedGroup); 3] = [
    ("CurveP256", rustls::NamedGroup::secp256r1),
    ("CurveP384", rustls::NamedGroup::secp384r1),
    ("X25519", rustls::NamedGroup::X25519),
];

/// What the section asks for; `None` if it is empty.
pub(super) fn resolve(
    reader: &mut Reader,
    raw: Option<Spanned<Tls>>,
) -> Result<Option<Arc<ServerConfig>>, WebConfigError> {
    let Some(Spanned { value, defined, .. }) = raw else {
        return Ok(None);
    };
    let raw = value.without_empty();
    if raw.is_empty() {
        return Ok(None);
    }
    let (chain, key) = identity(reader, &raw, defined)?;
    let private = PrivateKeyDer::from_pem_slice(&key.bytes);
    let private = private.map_err(|_no_key| key.wrong(reader, "has no private key in PEM"))?;
    let certificates = chain.certificates(reader)?;
    let provider = Arc::new(provider(reader, &raw)?);
    let clients = clients(reader, &raw, &provider)?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(reader, &raw)?)
        .map_err(|error| unusable(reader, &raw, defined, &error))?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(certificates, private);
    let mut config = config.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            key.wrong(reader, "is not the key of the certificate")
        }
        rustls::Error::InvalidCertificate(_) => chain.wrong(reader, error.to_string()),
        _ => key.wrong(reader, error.to_string()),
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ignore_client_order = raw.prefer_server_cipher_suites.unwrap_or(true);
    Ok(Some(Arc::new(config)))
}

/// The server's certificates and its key.
fn identity(
    reader: &mut Reader,
    raw: &Tls,
    section: Location,
) -> Result<(Pem, Pem), WebConfigError> {
    let chain = Pem::read(reader, ("cert", &raw.cert), ("cert_file", &raw.cert_file))?;
    let key = Pem::read(reader, ("key", &raw.key), ("key_file", &raw.key_file))?;
    match (chain, key) {
        (Some(chain), Some(key)) => Ok((chain, key)),
        (Some(chain), None) => Err(chain.wrong(reader, "needs a key_file or a key beside it")),
        (None, Some(key)) => Err(key.wrong(reader, "needs a cert_file or a cert beside it")),
        (None, None) => {
            let rule = "needs cert_file and key_file, or cert and key";
            Err(reader.at(place(section), SECTION, rule))
        }
    }
}

/// What rustls says against the ciphers of these versions.
fn unusable(
    reader: &Reader,
    raw: &Tls,
    section: Location,
    error: &rustls::Error,
) -> WebConfigError {
    let suites = raw.cipher_suites.as_deref().unwrap_or_default();
    match suites.first() {
        Some(first) => {
            let key = format!("{SECTION}.cipher_suites");
            reader.wrong(&key, first, error.to_string())
        }
        None => reader.at(place(section), SECTION, error.to_string()),
    }
}

impl Tls {
    /// An empty text is as good as none, as in Prometheus' own exporters.
    fn without_empty(mut self) -> Self {
        for text in [
            &mut self.cert,
            &mut self.key,
            &mut self.client_ca,
            &mut self.cert_file,
            &mut self.key_file,
            &mut self.client_ca_file,
            &mut self.client_auth_type,
        ] {
            text.take_if(|text| text.value.is_empty());
        }
        self
    }

    fn is_empty(&self) -> bool {
        let texts = [
            &self.cert,
            &self.key,
            &self.client_ca,
            &self.cert_file,
            &self.key_file,
            &self.client_ca_file,
            &self.client_auth_type,
            &self.min_version,
            &self.max_version,
        ];
        let lists = [
            &self.client_allowed_sans,
            &self.cipher_suites,
            &self.curve_preferences,
        ];
        texts.into_iter().all(Option::is_none)
            && lists.into_iter().all(Option::is_none)
            && self.prefer_server_cipher_suites.is_none()
    }
}

/// The versions between the least and the newest one.
fn versions(
    reader: &Reader,
    raw: &Tls,
) -> Result<Vec<&'static SupportedProtocolVersion>, WebConfigError> {
    let number = |key: &str, text: &Text, default: u8| match text {
        None => Ok(default),
        Some(text) => match text.value.as_str() {
            "TLS12" => Ok(2),
            "TLS13" => Ok(3),
            "TLS10" | "TLS11" => {
                let rule = "is not supported: TLS 1.0 and 1.1 are broken; use TLS12 or TLS13";
                Err(reader.wrong(&format!("{SECTION}.{key}"), text, rule))
            }
            _ => Err(reader.wrong(&format!("{SECTION}.{key}"), text, "must be TLS12 or TLS13")),
        },
    };
    let least = number("min_version", &raw.min_version, 2)?;
    let newest = number("max_version", &raw.max_version, 3)?;
    let all = [(2, &version::TLS12), (3, &version::TLS13)];
    let within = all
        .into_iter()
        .filter(|(n, _)| (least..=newest).contains(n));
    let versions: Vec<_> = within.map(|(_, version)| version).collect();
    if let Some(least) = raw.min_version.as_ref().filter(|_| versions.is_empty()) {
        let rule = "must not be newer than max_version";
        return Err(reader.wrong(&format!("{SECTION}.min_version"), least, rule));
    }
    Ok(versions)
}

/// ring's ciphers and key exchanges, or those of them that are named.
fn provider(reader: &Reader, raw: &Tls) -> Result<CryptoProvider, WebConfigError> {
    let mut provider = ring::default_provider();
    if let Some(names) = raw
        .cipher_suites
        .as_deref()
        .filter(|names| !names.is_empty())
    {
        let all = std::mem::take(&mut provider.cipher_suites);
        let name = |suite: &rustls::SupportedCipherSuite| go_name(*suite);
        let known: Vec<_> = all.iter().map(|suite| (name(suite), *suite)).collect();
        provider.cipher_suites = chosen(reader, "cipher_suites", names, &known)?;
        // Those of TLS 1.3 cannot be chosen, in Go neither.
        let newest = all.into_iter().filter(|suite| suite.tls13().is_some());
        for suite in newest {
            if !provider.cipher_suites.contains(&suite) {
                provider.cipher_suites.push(suite);
            }
        }
    }
    if let Some(names) = raw
        .curve_preferences
        .as_deref()
        .filter(|names| !names.is_empty())
    {
        let all = std::mem::take(&mut provider.kx_groups);
        let known = CURVES.iter().filter_map(|(name, group)| {
            let group = all.iter().find(|known| known.name() == *group)?;
            Some(((*name).to_owned(), *group))
        });
        let known: Vec<_> = known.collect();
        provider.kx_groups = chosen(reader, "curve_preferences", names, &known)?;
    }
    Ok(provider)
}

/// Go's name of a cipher suite: rustls' one, but for TLS 1.3.
fn go_name(suite: rustls::SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replace("TLS13_", "TLS_")
}

/// What some names stand for, in their order.
fn chosen<T: Copy>(
    reader: &Reader,
    key: &str,
    names: &[Spanned<String>],
    known: &[(String, T)],
) -> Result<Vec<T>, WebConfigError> {
    let choose = |name: &Spanned<String>| {
        let found = known.iter().find(|(known, _)| *known == name.value);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
            let rule = format!("is not supported, only {}", known.join(", "));
            reader.wrong(&format!("{SECTION}.{key}"), name, rule)
        })
    };
    names.iter().map(choose).collect()
}

/// Who checks the certificates of clients; nobody if they need none.
fn clients(
    reader: &mut Reader,
    raw: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, WebConfigError> {
    let ca = Pem::read(
        reader,
        ("client_ca", &raw.client_ca),
        ("client_ca_file", &raw.client_ca_file),
    )?;
    let sans = raw.client_allowed_sans.as_deref().unwrap_or_default();
    let Some((word, required)) = required(reader, raw)? else {
        let rule = "needs a client_auth_type beside it";
        return match (ca, sans.first()) {
            (Some(ca), _) => Err(ca.wrong(reader, rule)),
            (None, Some(first)) => {
                Err(reader.wrong(&format!("{SECTION}.client_allowed_sans"), first, rule))
            }
            (None, None) => Ok(None),
        };
    };
    let Some(ca) = ca else {
        let rule = "needs a client_ca_file beside it: the system's authorities are not asked";
        return Err(reader.wrong(&format!("{SECTION}.client_auth_type"), word, rule));
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(ca.certificates(reader)?);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = if required {
        verifier
    } else {
        verifier.allow_unauthenticated()
    };
    let verifier = verifier.build().ok().filter(|_| added > 0);
    let verifier = verifier.ok_or_else(|| ca.wrong(reader, "has no authority's certificate"))?;
    if sans.is_empty() {
        return Ok(Some(verifier));
    }
    let names = sans.iter().map(|name| name.value.clone()).collect();
    Ok(Some(Arc::new(NamedClients::new(verifier, names))))
}

/// Whether clients must have a certificate, and the word for it; `None` if they are
/// not asked.
fn required<'a>(
    reader: &Reader,
    raw: &'a Tls,
) -> Result<Option<(&'a Spanned<String>, bool)>, WebConfigError> {
    let Some(word) = &raw.client_auth_type else {
        return Ok(None);
    };
    let rule = match word.value.as_str() {
        "NoClientCert" => return Ok(None),
        "VerifyClientCertIfGiven" => return Ok(Some((word, false))),
        "RequireAndVerifyClientCert" => return Ok(Some((word, true))),
        "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => {
            "is not supported, as it verifies nothing; use VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        }
        _ => "must be NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert",
    };
    Err(reader.wrong(&format!("{SECTION}.client_auth_type"), word, rule))
}
