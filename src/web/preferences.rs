//! What a client prefers: the clauses of `Accept` and `Accept-Encoding`.

/// One clause: a value with parameters, in lower case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    /// What stands before the parameters, such as `text/plain` or `gzip`.
    pub(super) value: String,
    parameters: Vec<(String, String)>,
}

impl Clause {
    /// The clauses of a header, in its order. Nonsense makes clauses that
    /// match nothing, and spoils no other one.
    pub(super) fn all(header: &str) -> Vec<Self> {
        let header = header.to_ascii_lowercase();
        let clauses = split(&header, ',').into_iter().map(Self::parse);
        clauses.filter(|clause| !clause.value.is_empty()).collect()
    }

    fn parse(text: &str) -> Self {
        let mut parts = split(text, ';').into_iter();
        let value = parts.next().unwrap_or_default().trim().to_owned();
        let pairs = parts.filter_map(|part| part.split_once('='));
        let parameters = pairs.map(|(name, value)| (name.trim().to_owned(), unquoted(value)));
        Self {
            value,
            parameters: parameters.collect(),
        }
    }

    /// A parameter's value, without quotes; of several the first.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| known == name)?;
        Some(found.1.as_str())
    }

    /// The parameter `q`, from 0 to 1; nonsense is 0, so that it is never preferred.
    pub(super) fn quality(&self) -> f64 {
        let Some(quality) = self.parameter("q") else {
            return 1.0;
        };
        let quality = quality.parse().unwrap_or(0.0);
        if (0.0..=1.0).contains(&quality) {
            quality
        } else {
            0.0
        }
    }
}

/// The parts between the separators that do not stand in quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = |c: char| {
        if escaped {
            escaped = false;
        } else if c == '"' {
            quoted = !quoted;
        } else if quoted {
            escaped = c == '\\';
        } else {
            return c == separator;
        }
        false
    };
    text.split(separates).collect()
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let Some(inside) = inside else {
        return value.to_owned();
    };
    let (mut text, mut escaped) = (String::new(), false);
    for c in inside.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(c);
            escaped = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_separators_and_blanks_do_not_matter() {
        let clauses = Clause::all("A/B ; X = \"1,\\\"2;3\" ;q=0.5 ,, c;q , ;d=1,\"open, e");
        let values: Vec<_> = clauses.iter().map(|clause| clause.value.as_str()).collect();
        assert_eq!(values, ["a/b", "c", "\"open, e"]);
        assert_eq!(clauses[0].parameter("x"), Some("1,\"2;3"));
        assert!((clauses[0].quality() - 0.5).abs() < f64::EPSILON);
        assert_eq!(clauses[1].parameter("q"), None);
    }

    #[test]
    fn a_quality_that_is_none_is_never_preferred() {
        for (text, quality) in [
            ("a", 1.0),
            ("a;q=1", 1.0),
            ("a;Q=\"0.25\"", 0.25),
            ("a;q=0", 0.0),
            ("a;q=", 0.0),
            ("a;q=2", 0.0),
            ("a;q=-1", 0.0),
            ("a;q=nan", 0.0),
            ("a;q=high", 0.0),
        ] {
            let found = Clause::all(text)[0].quality();
            assert!((found - quality).abs() < f64::EPSILON, "{text}: {found}");
        }
    }
}
