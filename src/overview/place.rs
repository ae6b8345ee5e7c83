//! The sub-tasks and stages of which people must know: those that failed, and
//! those that have errors.

use serde::Serialize;

use super::budget::Budget;
use super::task::word;
use crate::task::{Node, NodeKind, Status, TaskError};

/// A sub-task or a stage that failed, or that has errors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// The whole names on the way to it, the task's own left out.
    pub path: Vec<String>,
    /// Whether it is a stage of a sub-task.
    pub stage: bool,
    /// How it stands.
    #[serde(serialize_with = "word")]
    pub status: Status,
    /// What went wrong in it.
    pub errors: Vec<TaskError>,
}

/// The deepest failed nodes of the trees and all that have errors, in their order.
pub(super) fn places(nodes: &[Node], budget: &mut Budget) -> Vec<Place> {
    let mut found = Vec::new();
    collect(nodes, &mut Vec::new(), &mut found);
    let mut kept = Vec::new();
    for (path, node) in found {
        if budget.takes() {
            kept.push(Place {
                path: path.iter().map(|name| budget.text(name)).collect(),
                stage: node.kind == NodeKind::Stage,
                status: node.status,
                errors: budget.errors(&node.errors),
            });
        }
    }
    kept
}

/// The first sub-task that is under way and has none below it that is: the names
/// on the way to it.
pub(super) fn current(nodes: &[Node]) -> Vec<&str> {
    let under_way = |node: &&Node| matches!(node.status, Status::Running | Status::Blocked);
    nodes.iter().find(under_way).map_or_else(Vec::new, |node| {
        let mut path = vec![node.name.as_str()];
        path.extend(current(&node.children));
        path
    })
}

/// Collects the nodes, and returns whether one of them or below them failed.
fn collect<'a>(
    nodes: &'a [Node],
    path: &mut Vec<&'a str>,
    found: &mut Vec<(Vec<&'a str>, &'a Node)>,
) -> bool {
    let mut failed = false;
    for node in nodes {
        path.push(&node.name);
        let at = found.len();
        let below = collect(&node.children, path, found);
        let itself = node.status == Status::Failed;
        if (itself && !below) || !node.errors.is_empty() {
            found.insert(at, (path.clone(), node));
        }
        failed |= itself || below;
        path.pop();
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, status: Status, errors: usize, children: Vec<Node>) -> Node {
        Node {
            name: name.to_owned(),
            kind: NodeKind::SubTask,
            status,
            moved: None,
            errors: vec![TaskError::of_message("x".to_owned()); errors],
            children,
        }
    }

    #[test]
    fn what_failed_and_what_has_errors_is_found_in_order() {
        use Status::{Failed, Succeeded, Warning};
        let tree = [
            node("a", Succeeded, 0, vec![]),
            node(
                "b",
                Failed,
                1,
                vec![node("c", Failed, 0, vec![]), node("d", Warning, 2, vec![])],
            ),
            node("e", Failed, 0, vec![node("f", Failed, 1, vec![])]),
        ];
        let places = places(&tree, &mut Budget::new());
        let found: Vec<_> = places
            .iter()
            .map(|place| (place.path.join("/"), place.errors.len()))
            .collect();
        let expected = [("b", 1), ("b/c", 0), ("b/d", 2), ("e/f", 1)];
        assert_eq!(
            found,
            expected.map(|(path, count)| (path.to_owned(), count))
        );
    }

    #[test]
    fn what_is_under_way_is_the_deepest_of_the_first() {
        use Status::{Pending, Running, Succeeded};
        let tree = [
            node("a", Succeeded, 0, vec![]),
            node(
                "b",
                Running,
                0,
                vec![node("c", Running, 0, vec![]), node("d", Pending, 0, vec![])],
            ),
        ];
        assert_eq!(current(&tree), ["b", "c"]);
        assert!(current(&[]).is_empty());
    }
}
