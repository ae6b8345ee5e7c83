//! TLS: certificates, versions, ciphers, and whose certificates clients must have.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use serde_saphyr::Spanned;

use super::client_names::NamedClients;
use super::error::WebConfigError;
use super::raw::{Text, Tls};
use super::reader::Reader;

/// The section's name, which begins each key.
const SECTION: &str = "tls_server_config";

/// Go's names of key exchanges, and ring's.
const CURVES: [(&str, rustls::NamedGroup); 3] = [
    ("CurveP256", rustls::NamedGroup::secp256r1),
    ("CurveP384", rustls::NamedGroup::secp384r1),
    ("X25519", rustls::NamedGroup::X25519),
];

/// What the section asks for; `None` if it is empty.
pub(super) fn resolve(
    reader: &mut Reader,
    raw: &Tls,
) -> Result<Option<Arc<ServerConfig>>, WebConfigError> {
    if raw.is_empty() {
        return Ok(None);
    }
    let wrong = |reader: &Reader, error: rustls::Error| reader.fails(format!("{SECTION}: {error}"));
    let chain = pem(reader, ("cert", &raw.cert), ("cert_file", &raw.cert_file))?;
    let key = pem(reader, ("key", &raw.key), ("key_file", &raw.key_file))?;
    let (Some(chain), Some(key)) = (chain, key) else {
        let rule = "needs cert_file and key_file, or cert and key";
        return Err(reader.fails(format!("{SECTION}: {rule}")));
    };
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_no_key| {
        reader.fails(format!("{SECTION}.key_file: has no private key in PEM"))
    })?;
    let chain = certificates(reader, "cert_file", &chain)?;
    let provider = Arc::new(provider(reader, raw)?);
    let clients = clients(reader, raw, &provider)?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(reader, raw)?)
        .map_err(|error| wrong(reader, error))?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| wrong(reader, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ignore_client_order = raw.prefer_server_cipher_suites.unwrap_or(true);
    Ok(Some(Arc::new(config)))
}

impl Tls {
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

/// PEM that is typed, or in a file.
fn pem(
    reader: &mut Reader,
    (key, typed): (&str, &Text),
    (file_key, file): (&str, &Text),
) -> Result<Option<Vec<u8>>, WebConfigError> {
    match (typed, file) {
        (None, None) => Ok(None),
        (Some(typed), None) => Ok(Some(typed.value.clone().into_bytes())),
        (None, Some(file)) if file.value.is_empty() => Ok(None),
        (None, Some(file)) => {
            let key = format!("{SECTION}.{file_key}");
            reader.named(&key, file).map(Some)
        }
        (Some(_), Some(file)) => {
            let rule = format!("only one of {key} and {file_key} may be given");
            Err(reader.wrong(&format!("{SECTION}.{file_key}"), file, rule))
        }
    }
}

fn certificates(
    reader: &Reader,
    key: &str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, WebConfigError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.ok().filter(|chain| !chain.is_empty());
    read.ok_or_else(|| reader.fails(format!("{SECTION}.{key}: has no certificate in PEM")))
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
    if versions.is_empty() {
        let rule = "min_version must not be newer than max_version";
        return Err(reader.fails(format!("{SECTION}: {rule}")));
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
    let ca = pem(
        reader,
        ("client_ca", &raw.client_ca),
        ("client_ca_file", &raw.client_ca_file),
    )?;
    let sans = raw.client_allowed_sans.as_deref().unwrap_or_default();
    let required = match required(reader, raw)? {
        Some(required) => required,
        None if ca.is_some() || !sans.is_empty() => {
            let rule = "client_ca_file and client_allowed_sans need a client_auth_type";
            return Err(reader.fails(format!("{SECTION}: {rule}")));
        }
        None => return Ok(None),
    };
    let Some(ca) = ca else {
        let rule =
            "client_auth_type needs a client_ca_file: the system's authorities are not asked";
        return Err(reader.fails(format!("{SECTION}: {rule}")));
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(reader, "client_ca_file", &ca)?);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = if required {
        verifier
    } else {
        verifier.allow_unauthenticated()
    };
    let verifier = verifier.build().ok().filter(|_| added > 0);
    let verifier = verifier.ok_or_else(|| {
        reader.fails(format!(
            "{SECTION}.client_ca_file: has no authority's certificate"
        ))
    })?;
    if sans.is_empty() {
        return Ok(Some(verifier));
    }
    let names = sans.iter().map(|name| name.value.clone()).collect();
    Ok(Some(Arc::new(NamedClients::new(verifier, names))))
}

/// Whether clients must have a certificate; `None` if they are not asked.
fn required(reader: &Reader, raw: &Tls) -> Result<Option<bool>, WebConfigError> {
    let Some(word) = &raw.client_auth_type else {
        return Ok(None);
    };
    let rule = match word.value.as_str() {
        "" | "NoClientCert" => return Ok(None),
        "VerifyClientCertIfGiven" => return Ok(Some(false)),
        "RequireAndVerifyClientCert" => return Ok(Some(true)),
        "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => {
            "is not supported, as it verifies nothing; use VerifyClientCertIfGiven or RequireAndVerifyClientCert"
        }
        _ => "must be NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert",
    };
    Err(reader.wrong(&format!("{SECTION}.client_auth_type"), word, rule))
}
