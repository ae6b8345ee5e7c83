//! The sources as Prometheus' HTTP service discovery wants to be told of them.

use std::sync::Arc;

use serde::Serialize;

use crate::metrics::SourcePage;

/// Targets that have their labels in common.
#[derive(Debug, Serialize)]
struct Group<'a> {
    targets: [&'a str; 1],
    labels: Labels,
}

#[derive(Debug, Serialize)]
struct Labels {
    #[serde(rename = "__meta_virt_system")]
    system: &'static str,
}

/// A group for each source, in the order of their names.
pub(super) fn document(pages: &[Arc<SourcePage>]) -> serde_json::Result<String> {
    let group = |page: &'_ Arc<SourcePage>| (page.name().to_owned(), page.system());
    let mut sources: Vec<_> = pages.iter().map(group).collect();
    sources.sort_unstable();
    let groups = sources.iter().map(|(name, system)| Group {
        targets: [name],
        labels: Labels { system },
    });
    serde_json::to_string(&groups.collect::<Vec<_>>())
}
