//! Which text format a client takes best.

use mediatype::{MediaType, MediaTypeList, Name, ReadParams as _};

/// A text format that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0, which is also valid 0.0.1.
    OpenMetrics(&'static str),
    /// Prometheus text 0.0.4.
    Classic,
}

impl Format {
    /// The Content-Type of an answer in this format.
    pub fn content_type(self) -> String {
        match self {
            Self::OpenMetrics(version) => {
                format!("application/openmetrics-text; version={version}; charset=utf-8")
            }
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
        }
    }

    /// The format that the clause of an `Accept` header asks for; without a
    /// version, OpenMetrics means 0.0.1 and text 0.0.4, as Prometheus' own
    /// libraries have it.
    fn of(clause: &MediaType<'_>) -> Option<Self> {
        let version = parameter(clause, "version");
        match (clause.ty.as_str(), clause.subty.as_str()) {
            ("application", "openmetrics-text") => match version.as_deref() {
                Some("1.0.0") => Some(Self::OpenMetrics("1.0.0")),
                Some("0.0.1") | None => Some(Self::OpenMetrics("0.0.1")),
                Some(_) => None,
            },
            ("text", "plain") => {
                matches!(version.as_deref(), Some("0.0.4") | None).then_some(Self::Classic)
            }
            ("*" | "text", "*") => Some(Self::Classic),
            _ => None,
        }
    }
}

/// The format for an `Accept` header: what it likes best, and of equally liked
/// ones the first; 0.0.4 where nothing else is asked for.
pub fn negotiate(accept: Option<&str>) -> Format {
    let accept = accept.unwrap_or_default().to_ascii_lowercase();
    let mut best = None;
    for clause in MediaTypeList::new(&accept).filter_map(Result::ok) {
        let quality = quality(&clause);
        let Some(format) = Format::of(&clause).filter(|_| quality > 0.0) else {
            continue;
        };
        let wildcard = clause.subty.as_str() == "*";
        let rank = (quality, !wildcard);
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, format));
        }
    }
    best.map_or(Format::Classic, |(_, format)| format)
}

/// The parameter `q`, from 0 to 1; nonsense is 0, so that it is never preferred.
fn quality(clause: &MediaType<'_>) -> f64 {
    let Some(quality) = parameter(clause, "q") else {
        return 1.0;
    };
    let quality = quality.trim().parse().unwrap_or(0.0);
    if (0.0..=1.0).contains(&quality) {
        quality
    } else {
        0.0
    }
}

fn parameter(clause: &MediaType<'_>, name: &'static str) -> Option<String> {
    let name = Name::new(name)?;
    clause
        .get_param(name)
        .map(|value| value.unquoted_str().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clients_own_header_gets_what_it_means() {
        let (one, old) = (Format::OpenMetrics("1.0.0"), Format::OpenMetrics("0.0.1"));
        for (accept, format) in [
            // Prometheus 2.42, 3.14, VictoriaMetrics, curl, a browser.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                one,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                one,
            ),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Format::Classic),
            ("*/*", Format::Classic),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Format::Classic,
            ),
            ("", Format::Classic),
            ("application/openmetrics-text", old),
            (
                "Application/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.9",
                one,
            ),
            (
                "application/openmetrics-text;version=2.0.0",
                Format::Classic,
            ),
            (
                "application/openmetrics-text;version=1.0.0;q=0",
                Format::Classic,
            ),
            (
                "text/plain;q=0.5, application/openmetrics-text;version=1.0.0;q=0.6",
                one,
            ),
            ("*/*, application/openmetrics-text;version=1.0.0", one),
            (
                "application/openmetrics-text;version=1.0.0;q=nonsense",
                Format::Classic,
            ),
            (";;;,,/,", Format::Classic),
        ] {
            assert_eq!(negotiate(Some(accept)), format, "{accept}");
        }
        assert_eq!(negotiate(None), Format::Classic);
    }
}
