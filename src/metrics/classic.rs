//! From OpenMetrics 1.0 to the Prometheus text format 0.0.4, line by line.

/// The same samples in the text format 0.0.4.
///
/// Counters are named with their `_total` in HELP and TYPE, as in their
/// samples; UNIT and EOF lines do not exist. Only what this exporter writes is
/// understood: gauges, counters and histograms without exemplars.
pub fn to_classic(open_metrics: &str) -> String {
    let mut classic = String::with_capacity(open_metrics.len() + 1024);
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let suffix = if kind == "counter" { "_total" } else { "" };
            if let Some((_, text)) = help.take() {
                let text = text.replace("\\\"", "\"");
                push(&mut classic, &["# HELP ", name, suffix, " ", &text]);
            }
            push(&mut classic, &["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            push(&mut classic, &[line]);
        }
    }
    classic
}

fn push(text: &mut String, parts: &[&str]) {
    text.extend(parts.iter().copied());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_get_their_suffix_and_open_metrics_lines_go() {
        let open_metrics = "\
# HELP a_b Some \\\"text\\\"
# TYPE a_b counter
a_b_total{x=\"# EOF\"} 1
# HELP c_seconds Other
# TYPE c_seconds gauge
# UNIT c_seconds seconds
c_seconds 2.5
# EOF
";
        let classic = "\
# HELP a_b_total Some \"text\"
# TYPE a_b_total counter
a_b_total{x=\"# EOF\"} 1
# HELP c_seconds Other
# TYPE c_seconds gauge
c_seconds 2.5
";
        assert_eq!(to_classic(open_metrics), classic);
    }
}
