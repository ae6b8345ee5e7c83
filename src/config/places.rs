//! Where the keys of a source stand, for what is found wrong when they are put to work.

use std::collections::BTreeMap;

use super::error::Place;
use super::raw::Source;
use super::section::Section;

/// Where a source stands, and those of its keys whose files are read when its client is made.
#[derive(Clone, Debug)]
pub struct Places {
    source: Place,
    keys: BTreeMap<String, Place>,
}

/// All are equal: a source that stands elsewhere is the same source.
impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    /// The place of a key, such as `tls_config.ca_file`; that of the source, if it has no place of its own.
    /// Names of headers are in lower case.
    pub fn of(&self, key: Option<&str>) -> &Place {
        let place = key.and_then(|key| self.keys.get(key));
        place.unwrap_or(&self.source)
    }

    pub(super) fn note(section: &Section<'_>, raw: &Source) -> Self {
        let mut keys = BTreeMap::new();
        if let Some(tls) = &raw.tls_config {
            let child = section.child("tls_config", tls);
            let tls = &tls.value;
            for (key, value) in [
                ("ca_file", &tls.ca_file),
                ("cert_file", &tls.cert_file),
                ("key_file", &tls.key_file),
                ("server_name", &tls.server_name),
            ] {
                if let Some(value) = value {
                    keys.insert(format!("tls_config.{key}"), child.place(key, value));
                }
            }
        }
        for (name, header) in raw.http_headers.iter().flat_map(|headers| &headers.value) {
            let child = section.child(&format!("http_headers.{name}"), header);
            let files = header.value.files.iter().flat_map(|list| &list.value);
            for (index, file) in files.enumerate() {
                let key = format!("files[{index}]");
                let name = name.to_ascii_lowercase();
                let place = child.place(&key, file);
                keys.insert(format!("http_headers.{name}.{key}"), place);
            }
        }
        Self {
            source: section.here(),
            keys,
        }
    }
}
