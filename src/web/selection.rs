//! Which sources a scrape asks for.

use hyper::Uri;
use url::form_urlencoded;

use super::refusal::Refusal;

/// The sources of a scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    /// All of them, and the exporter itself.
    All,
    /// These alone.
    Sources(Vec<String>),
}

impl Selection {
    /// What the parameters `source` of a request say; others mean nothing.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let names = pairs.filter(|(key, _)| key == "source");
        let names: Vec<_> = names.map(|(_, name)| name.into_owned()).collect();
        if names.is_empty() {
            Self::All
        } else {
            Self::Sources(names)
        }
    }

    /// Whether a source belongs to it.
    pub(super) fn has(&self, source: &str) -> bool {
        match self {
            Self::All => true,
            Self::Sources(names) => names.iter().any(|name| name == source),
        }
    }

    /// A selection of a source that nobody knows is refused.
    pub(super) fn unless_unknown(&self, known: &[&str]) -> Result<(), Refusal> {
        let Self::Sources(names) = self else {
            return Ok(());
        };
        let unknown = names.iter().find(|name| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |name| Err(Refusal::Source(name.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_and_other_parameters_ignored() {
        for (uri, names) in [
            ("/metrics?source=a", vec!["a"]),
            ("/metrics?source=a&x=1&source=b", vec!["a", "b"]),
            ("/metrics?source=a%20b+c%26", vec!["a b c&"]),
            ("/metrics?source=", vec![""]),
            ("/metrics?source", vec![""]),
        ] {
            let names = names.into_iter().map(str::to_owned).collect();
            assert_eq!(
                Selection::of(&uri.parse().unwrap()),
                Selection::Sources(names),
                "{uri}"
            );
        }
        for uri in ["/metrics", "/metrics?", "/metrics?Source=a&sources=b"] {
            assert_eq!(Selection::of(&uri.parse().unwrap()), Selection::All);
        }
    }
}
