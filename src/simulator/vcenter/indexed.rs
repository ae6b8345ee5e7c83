//! Query parameters that stand for structures and lists.
//!
//! `filter_spec.services.1=a` is the first element of a list: indices count
//! from 1 without a gap. A plain name that comes several times is a list as
//! well, but one that comes once is a bare value and fails where a list is
//! due, as tried on the vendor's REST front end (vmware-vapi-runtime 9.1.1.0).

use std::collections::BTreeMap;

use serde_json::Value;

use super::problem::Problem;

/// What stands under a name.
#[derive(Debug, Default)]
struct Node {
    values: Vec<String>,
    members: BTreeMap<String, Self>,
}

/// The parameters below some names as one JSON object; others are not looked at.
pub(super) fn tree(query: &[(String, String)], names: &[&str]) -> Result<Value, Problem> {
    let mut root = Node::default();
    for (name, value) in query {
        let first = name.split('.').next().unwrap_or_default();
        if names.contains(&first) {
            let mut node = &mut root;
            for part in name.split('.') {
                node = node.members.entry(part.to_owned()).or_default();
            }
            node.values.push(value.clone());
        }
    }
    let members = root.members.into_iter();
    members
        .map(|(name, node)| Ok((name, node.value()?)))
        .collect()
}

impl Node {
    fn value(self) -> Result<Value, Problem> {
        let Self { values, members } = self;
        if members.is_empty() {
            return Ok(match <[String; 1]>::try_from(values) {
                Ok([value]) => scalar(value),
                Err(values) => values.into_iter().map(scalar).collect(),
            });
        }
        if !values.is_empty() {
            let text = "A parameter stands with members and without";
            return Err(Problem::invalid_argument(text));
        }
        if members.keys().any(|key| key.parse::<usize>().is_ok()) {
            return list(members);
        }
        let members = members.into_iter();
        members
            .map(|(name, node)| Ok((name, node.value()?)))
            .collect()
    }
}

/// The list of members whose names are the numbers from 1 on.
fn list(mut members: BTreeMap<String, Node>) -> Result<Value, Problem> {
    let mut values = Vec::new();
    while let Some(node) = members.remove(&(values.len() + 1).to_string()) {
        values.push(node.value()?);
    }
    if members.is_empty() {
        Ok(Value::Array(values))
    } else {
        let text = "The indices of a list count from 1 without a gap";
        Err(Problem::invalid_argument(text))
    }
}

/// A value without structure; no name is spelt like a boolean.
fn scalar(text: String) -> Value {
    match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::String(text),
    }
}
