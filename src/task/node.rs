//! The tree below a task: sub-tasks and stages, and where it failed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Counts, Digest, Status, TaskError, first_code};

/// What a node of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// A sub-task; it may hold sub-tasks and stages.
    SubTask,
    /// A stage of a sub-task; it counts in no progress.
    Stage,
}

/// A sub-task or a stage. It has no id of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its whole name, as the source gives it.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// How it stands.
    pub status: Status,
    /// When it last moved, where the source says so and the time is sane.
    pub moved: Option<Timestamp>,
    /// What went wrong in it.
    pub errors: Vec<TaskError>,
    /// Sub-tasks and stages below it, in the source's order.
    pub children: Vec<Self>,
}

/// A deepest failed node: it failed, and nothing below it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedNode {
    /// What tells it from the other nodes of its task: a hash of the names on
    /// the way to it and of its place among equal ones.
    pub place: u64,
    /// The names on the way to it, the task's own left out.
    pub path: Vec<String>,
    /// The code of its first error that has one.
    pub error_code: Option<String>,
}

impl FailedNode {
    /// Its own name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// The deepest failed nodes of the trees, in their order.
pub(super) fn failed(nodes: &[Node]) -> Vec<FailedNode> {
    let mut found = Vec::new();
    collect_failed(nodes, &Digest::new(), &mut Vec::new(), &mut found);
    found
}

fn collect_failed(
    nodes: &[Node],
    above: &Digest,
    path: &mut Vec<String>,
    found: &mut Vec<FailedNode>,
) {
    for (index, node) in nodes.iter().enumerate() {
        let twins = nodes.iter().take(index);
        let place = twins.filter(|twin| twin.name == node.name).count();
        let digest = above
            .clone()
            .text(&node.name)
            .number(u64::try_from(place).unwrap_or(u64::MAX));
        path.push(node.name.clone());
        let before = found.len();
        collect_failed(&node.children, &digest, path, found);
        if node.status == Status::Failed && found.len() == before {
            found.push(FailedNode {
                place: digest.finish(),
                path: path.clone(),
                error_code: first_code(&node.errors).map(str::to_owned),
            });
        }
        path.pop();
    }
}

/// The sub-tasks without sub-tasks of their own, by status.
pub(super) fn leaves(nodes: &[Node]) -> Counts {
    let mut counts = Counts::default();
    visit(nodes, &mut |node| {
        let mut below = node.children.iter();
        let parent = below.any(|child| child.kind == NodeKind::SubTask);
        if node.kind == NodeKind::SubTask && !parent {
            counts.add(node.status);
        }
    });
    counts
}

/// Calls `each` for every node, parents first.
pub(super) fn visit<'a>(nodes: &'a [Node], each: &mut impl FnMut(&'a Node)) {
    for node in nodes {
        each(node);
        visit(&node.children, each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, kind: NodeKind, status: Status, children: Vec<Node>) -> Node {
        Node {
            name: name.to_owned(),
            kind,
            status,
            moved: None,
            errors: Vec::new(),
            children,
        }
    }

    fn sub(name: &str, status: Status, children: Vec<Node>) -> Node {
        node(name, NodeKind::SubTask, status, children)
    }

    #[test]
    fn the_deepest_failed_nodes_are_where_it_failed() {
        let tree = [
            sub("a", Status::Succeeded, vec![]),
            sub(
                "b",
                Status::Failed,
                vec![
                    sub("c", Status::Failed, vec![]),
                    node("s", NodeKind::Stage, Status::Failed, vec![]),
                ],
            ),
            sub("d", Status::Running, vec![sub("e", Status::Failed, vec![])]),
        ];
        let paths: Vec<_> = failed(&tree)
            .iter()
            .map(|node| node.path.join("/"))
            .collect();
        assert_eq!(paths, ["b/c", "b/s", "d/e"]);
    }

    #[test]
    fn equal_names_are_told_apart_by_their_place() {
        let tree = [
            sub("x", Status::Failed, vec![]),
            sub("x", Status::Failed, vec![]),
        ];
        let found = failed(&tree);
        assert_eq!(found.len(), 2);
        assert_ne!(found[0].place, found[1].place);
    }

    #[test]
    fn leaves_are_sub_tasks_without_sub_tasks() {
        let stage = node("s", NodeKind::Stage, Status::Running, vec![]);
        let tree = [
            sub("a", Status::Running, vec![stage]),
            sub(
                "b",
                Status::Running,
                vec![sub("c", Status::Pending, vec![])],
            ),
        ];
        let counts = leaves(&tree);
        assert_eq!(counts.total(), 2);
        assert_eq!(counts.get(Status::Running), 1);
        assert_eq!(counts.get(Status::Pending), 1);
    }
}
