//! Which text format a client takes best.

use super::preferences::Clause;
use crate::metrics::TextFormat;

/// A text format that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.0, which is also valid 0.0.1.
    OpenMetrics(&'static str),
    /// Prometheus text 0.0.4.
    Classic,
}

/// What an answer is called: its format, and the escaping of names that the
/// client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The format.
    pub format: Format,
    escaping: Option<&'static str>,
}

impl Choice {
    /// Without a word on escaping.
    const fn plain(format: Format) -> Self {
        let escaping = None;
        Self { format, escaping }
    }

    /// The Content-Type of the answer.
    pub fn content_type(self) -> String {
        let mut text = match self.format {
            Format::OpenMetrics(version) => {
                format!("application/openmetrics-text; version={version}; charset=utf-8")
            }
            Format::Classic => "text/plain; version=0.0.4; charset=utf-8".to_owned(),
        };
        if let Some(escaping) = self.escaping {
            text.push_str("; escaping=");
            text.push_str(escaping);
        }
        text
    }

    /// What the clause of an `Accept` header asks for.
    fn of(clause: &Clause) -> Option<Self> {
        let format = Format::of(clause)?;
        // Our names have plain characters alone, and are the same in each
        // escaping but `dots`, which would double their underscores.
        let escaping = clause.parameter("escaping").and_then(|word| match word {
            "allow-utf-8" => Some("allow-utf-8"),
            "underscores" | "values" | "dots" => Some("underscores"),
            _ => None,
        });
        Some(Self { format, escaping })
    }
}

impl Format {
    /// How it is written.
    pub(super) fn text_format(self) -> TextFormat {
        match self {
            Self::OpenMetrics(_) => TextFormat::OpenMetrics,
            Self::Classic => TextFormat::Classic,
        }
    }

    /// The format that a clause asks for; without a version, OpenMetrics means
    /// 0.0.1 and text 0.0.4, as Prometheus' own libraries have it.
    fn of(clause: &Clause) -> Option<Self> {
        let version = clause.parameter("version");
        match clause.value.as_str() {
            "application/openmetrics-text" => match version {
                Some("1.0.0") => Some(Self::OpenMetrics("1.0.0")),
                Some("0.0.1") | None => Some(Self::OpenMetrics("0.0.1")),
                Some(_) => None,
            },
            "text/plain" => matches!(version, Some("0.0.4") | None).then_some(Self::Classic),
            "*/*" | "text/*" => Some(Self::Classic),
            _ => None,
        }
    }
}

/// The choice for an `Accept` header: what it likes best, and of equally liked
/// ones the first; 0.0.4 where nothing else is asked for.
pub fn negotiate(accept: &str) -> Choice {
    let mut best = None;
    for clause in Clause::all(accept) {
        let quality = clause.quality();
        let Some(choice) = Choice::of(&clause).filter(|_| quality > 0.0) else {
            continue;
        };
        let rank = (quality, !clause.value.ends_with("/*"));
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, choice));
        }
    }
    best.map_or(Choice::plain(Format::Classic), |(_, choice)| choice)
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
            ("text/plain;version=1.0.0", Format::Classic),
            ("application/json", Format::Classic),
            ("application/openmetrics-text ; version = 1.0.0 ;", one),
            (
                "\"x, application/openmetrics-text;version=1.0.0",
                Format::Classic,
            ),
            ("é, /;=, application/openmetrics-text;version=1.0.0", one),
            ("text/*, application/openmetrics-text;version=0.0.1", old),
            (
                "*/*;q=0.5, application/openmetrics-text;version=1.0.0;q=0.4",
                Format::Classic,
            ),
        ] {
            assert_eq!(negotiate(accept).format, format, "{accept}");
        }
    }

    #[test]
    fn the_escaping_is_named_to_those_who_asked() {
        let open = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        for (accept, said) in [
            ("", ""),
            (";escaping=allow-utf-8", "; escaping=allow-utf-8"),
            (";escaping=\"Allow-UTF-8\";q=0.5", "; escaping=allow-utf-8"),
            (";escaping=underscores", "; escaping=underscores"),
            (";escaping=values", "; escaping=underscores"),
            (";escaping=dots", "; escaping=underscores"),
            (";escaping=nonsense", ""),
        ] {
            let accept = format!("application/openmetrics-text;version=1.0.0{accept}");
            assert_eq!(negotiate(&accept).content_type(), format!("{open}{said}"));
        }
        let classic = negotiate("text/plain;version=0.0.4;escaping=allow-utf-8").content_type();
        assert_eq!(
            classic,
            "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
        );
    }
}
