//! A page of metrics, read line by line.

use std::collections::BTreeMap;

/// A page in either format.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) text: String,
    /// The value of each series, written as on the page.
    pub(crate) samples: BTreeMap<String, String>,
    /// The type of each family, under the name that the type line gives.
    pub(crate) types: BTreeMap<String, String>,
    /// The help of each family, likewise.
    pub(crate) helps: BTreeMap<String, String>,
}

impl Page {
    /// Reads a page; a series that stands twice is an error.
    pub(crate) fn parse(text: String) -> Self {
        let mut page = Self {
            text: String::new(),
            samples: BTreeMap::new(),
            types: BTreeMap::new(),
            helps: BTreeMap::new(),
        };
        for line in text.lines() {
            let known = if let Some(rest) = line.strip_prefix("# TYPE ") {
                put(&mut page.types, rest.split_once(' ').unwrap())
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                put(&mut page.helps, rest.split_once(' ').unwrap())
            } else if line.starts_with('#') {
                None
            } else {
                put(&mut page.samples, line.rsplit_once(' ').unwrap())
            };
            assert_eq!(known, None, "{line} is said twice in\n{text}");
        }
        page.text = text;
        page
    }

    /// The sum of all series that begin so and hold each of `labels`.
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let series = self.samples.iter().filter(|(series, _)| {
            let (family, rest) = series.split_once('{').unwrap_or((series, ""));
            family == name && labels.iter().all(|label| rest.contains(label))
        });
        series.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    }
}

fn put(map: &mut BTreeMap<String, String>, (key, value): (&str, &str)) -> Option<String> {
    map.insert(key.to_owned(), value.to_owned())
}
