//! A scraped page, read strictly, and questions to it.

use std::collections::{BTreeMap, BTreeSet};

/// A page of metrics in the text format 0.0.4.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    text: String,
    samples: Vec<Sample>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// The samples of one metric with some labels.
#[derive(Debug, Clone)]
pub(crate) struct Question<'a> {
    page: &'a Page,
    name: String,
    labels: Vec<(String, String)>,
}

impl Page {
    /// Reads a page; a line that a Prometheus could not read fails the test.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples: Vec<_> = lines
            .map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line:?}\n{text}")))
            .collect();
        let mut met = BTreeSet::new();
        for sample in &samples {
            let first = met.insert((&sample.name, &sample.labels));
            assert!(first, "{sample:?} stands twice in\n{text}");
        }
        let control = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(control), "control characters in\n{text:?}");
        Self {
            text: text.to_owned(),
            samples,
        }
    }

    /// The page as it was served.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The samples whose name begins so, without those of a name in `but`.
    pub(crate) fn family(&self, prefix: &str, but: &[&str]) -> Vec<Sample> {
        let samples = self.samples.iter();
        samples
            .filter(|sample| sample.name.starts_with(prefix))
            .filter(|sample| !but.contains(&sample.name.as_str()))
            .cloned()
            .collect()
    }

    /// All that tasks and events say, without what a poll itself changes.
    pub(crate) fn tasks(&self) -> Vec<Sample> {
        let mut samples = self.family("virt_", &["virt_exporter_poller_panics_total"]);
        samples.retain(|sample| {
            let task = ["virt_task", "virt_subtask", "virt_open_task"];
            task.iter().any(|prefix| sample.name.starts_with(prefix))
        });
        samples
    }

    /// A question for the samples of one metric.
    pub(crate) fn metric(&self, name: &str) -> Question<'_> {
        Question {
            page: self,
            name: name.to_owned(),
            labels: Vec::new(),
        }
    }
}

impl Question<'_> {
    /// With this label.
    pub(crate) fn with(mut self, label: &str, value: &str) -> Self {
        self.labels.push((label.to_owned(), value.to_owned()));
        self
    }

    /// Expects one sample with this value.
    #[track_caller]
    pub(crate) fn is(&self, expected: impl Into<f64>) {
        let (expected, found) = (expected.into(), self.value());
        assert!(
            (found - expected).abs() < 1e-6,
            "{self} is {found}, not {expected}\n{}",
            self.page.text
        );
    }

    /// Expects no sample.
    #[track_caller]
    pub(crate) fn is_absent(&self) {
        let found = self.found();
        assert!(found.is_empty(), "{self}: {found:?}\n{}", self.page.text);
    }

    /// Expects so many samples.
    #[track_caller]
    pub(crate) fn stands(&self, times: usize) {
        let found = self.found().len();
        let text = &self.page.text;
        assert_eq!(found, times, "{self} stands {found} times in\n{text}");
    }

    /// The sum of all that match.
    pub(crate) fn sum(&self) -> f64 {
        self.found().iter().map(|sample| sample.value).sum()
    }

    /// Expects this sum of all that match.
    #[track_caller]
    pub(crate) fn sums_to(&self, expected: impl Into<f64>) {
        let (expected, found) = (expected.into(), self.sum());
        assert!(
            (found - expected).abs() < 1e-6,
            "{self} sums to {found}, not {expected}\n{}",
            self.page.text
        );
    }

    /// The value of the one that matches.
    #[track_caller]
    pub(crate) fn value(&self) -> f64 {
        self.only().value
    }

    /// A label's value of the one that matches.
    #[track_caller]
    pub(crate) fn label(&self, name: &str) -> String {
        let sample = self.only();
        let value = sample.labels.get(name).cloned();
        value.unwrap_or_else(|| panic!("{self} has no label {name}\n{}", self.page.text))
    }

    #[track_caller]
    fn only(&self) -> &Sample {
        let found = self.found();
        let [one] = found.as_slice() else {
            panic!("{self} stands {} times in\n{}", found.len(), self.page.text);
        };
        one
    }

    fn found(&self) -> Vec<&Sample> {
        let asked = |sample: &&Sample| {
            sample.name == self.name
                && (self.labels.iter()).all(|(name, value)| sample.labels.get(name) == Some(value))
        };
        self.page.samples.iter().filter(asked).collect()
    }
}

impl std::fmt::Display for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        self.labels
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
    }
}

/// `name{label="value",...} number`, with nothing left over.
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"")?;
            let (value, after) = unquote(quoted)?;
            if labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// The text up to the closing quote, and what comes after it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, quoted.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                c @ ('"' | '\\') => text.push(c),
                _ => return None,
            },
            c => text.push(c),
        }
    }
    None
}
