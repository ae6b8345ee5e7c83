//! Certificates and keys that the file has in it, or names.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_saphyr::Location;

use super::error::WebConfigError;
use super::raw::Text;
use super::reader::{Reader, place};
use super::tls::SECTION;

/// PEM, and where it was asked for.
pub(super) struct Pem {
    key: String,
    at: Location,
    /// What was typed, or stands in the file.
    pub(super) bytes: Vec<u8>,
}

impl Pem {
    /// PEM that is typed, or in a file.
    pub(super) fn read(
        reader: &mut Reader,
        (key, typed): (&str, &Text),
        (file_key, file): (&str, &Text),
    ) -> Result<Option<Self>, WebConfigError> {
        let path = |key| format!("{SECTION}.{key}");
        match (typed, file) {
            (None, None) => Ok(None),
            (Some(typed), None) => Ok(Some(Self {
                key: path(key),
                at: typed.defined,
                bytes: typed.value.clone().into_bytes(),
            })),
            (None, Some(file)) => Ok(Some(Self {
                key: path(file_key),
                at: file.defined,
                bytes: reader.named(&path(file_key), file)?,
            })),
            (Some(_), Some(file)) => {
                let rule = format!("only one of {key} and {file_key} may be given");
                Err(reader.wrong(&path(file_key), file, rule))
            }
        }
    }

    /// An error about what was asked for.
    pub(super) fn wrong(&self, reader: &Reader, rule: impl Into<String>) -> WebConfigError {
        reader.at(place(self.at), &self.key, rule)
    }

    /// The certificates in it, at least one.
    pub(super) fn certificates(
        &self,
        reader: &Reader,
    ) -> Result<Vec<CertificateDer<'static>>, WebConfigError> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        let read = read.ok().filter(|chain| !chain.is_empty());
        read.ok_or_else(|| self.wrong(reader, "has no certificate in PEM"))
    }
}
