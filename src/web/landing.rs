//! The page at `/`.

use crate::build_info;

/// A plain page that leads to the others.
pub(super) fn page(telemetry_path: &str) -> String {
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>virt-task-exporter</title>
<style>body {{ font-family: sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem; line-height: 1.5 }}</style>
</head>
<body>
<h1>virt-task-exporter</h1>
<p>Prometheus exporter for the tasks of virtualization platforms, version {version}.</p>
<ul>
<li><a href=\"{path}\">Metrics</a></li>
<li><a href=\"/sd\">Sources</a>, as service discovery for Prometheus</li>
<li><a href=\"/-/healthy\">Healthy</a>: the exporter runs</li>
<li><a href=\"/-/ready\">Ready</a>: each source was polled once</li>
</ul>
</body>
</html>
",
        version = build_info::VERSION,
        path = escape(telemetry_path),
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_escaped() {
        let page = page("/m\"><script>");
        assert!(page.contains("href=\"/m&quot;&gt;&lt;script&gt;\""));
    }
}
