//! The two text formats, which differ in their headers and in their end.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::lines::open_header;
use super::{Kind, Metric};

/// A text format of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// OpenMetrics 1.0, which is valid 0.0.1 too.
    OpenMetrics,
    /// The Prometheus text format 0.0.4.
    Classic,
}

/// The headers of a family in both formats.
#[derive(Debug)]
struct Headers {
    open: String,
    classic: String,
}

static HEADERS: LazyLock<BTreeMap<Metric, Headers>> = LazyLock::new(|| {
    let metrics = Metric::ALL.iter();
    let headers = metrics.map(|metric| (*metric, Headers::of(*metric)));
    headers.collect()
});

impl Headers {
    fn of(metric: Metric) -> Self {
        let open = open_header(metric);
        let classic = classic(&open, metric.family().kind);
        Self { open, classic }
    }
}

impl TextFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Classic, Self::OpenMetrics];

    /// The lines before the samples of a family.
    pub(super) fn header(self, metric: Metric) -> &'static str {
        let headers = HEADERS.get(&metric);
        headers.map_or("", |headers| match self {
            Self::OpenMetrics => &headers.open,
            Self::Classic => &headers.classic,
        })
    }

    /// What stands after all families.
    pub(super) const fn end(self) -> &'static str {
        match self {
            Self::OpenMetrics => "# EOF\n",
            Self::Classic => "",
        }
    }
}

/// From the lines of OpenMetrics to those of 0.0.4: there counters are named with
/// their `_total`, as in their samples, and quotes in a HELP text are plain.
fn classic(open: &str, kind: Kind) -> String {
    let suffix = if kind == Kind::Counter { "_total" } else { "" };
    let mut classic = String::with_capacity(open.len() + 2 * suffix.len());
    for line in open.lines() {
        let (keyword, rest) = line.split_at(line.len().min("# HELP ".len()));
        let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let text = text.replace("\\\"", "\"");
        classic.extend([keyword, name, suffix, " ", &text, "\n"]);
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_in_each_formats_way() {
        let open = "# HELP a_b Some \\\"text\\\"\n# TYPE a_b counter\n";
        let named = "# HELP a_b_total Some \"text\"\n# TYPE a_b_total counter\n";
        assert_eq!(classic(open, Kind::Counter), named);
        let gauge = "# HELP c_seconds Other\n# TYPE c_seconds gauge\n";
        assert_eq!(classic(gauge, Kind::Gauge), gauge);
    }

    #[test]
    fn every_family_has_its_two_lines_in_each_format() {
        for metric in Metric::ALL {
            let family = metric.family();
            let name = family.name.trim_end_matches("_total");
            let kind = family.kind.as_str();
            for (format, name) in [
                (TextFormat::OpenMetrics, name),
                (TextFormat::Classic, family.name),
            ] {
                let lines: Vec<_> = format.header(*metric).lines().collect();
                let help = lines[0].strip_prefix(&format!("# HELP {name} "));
                // OpenMetrics' texts are sentences for the encoder.
                assert_eq!(help.unwrap().trim_end_matches('.'), family.help);
                assert_eq!(lines[1..], [format!("# TYPE {name} {kind}")]);
            }
        }
    }
}
