//! The two ways in which vCenter is asked for its tasks.
//!
//! `/rest` since 6.7 U1: `GET` with indexed parameters, maps as arrays of pairs,
//! everything under `value`. `/api` since 7.0 U2: `POST` with a JSON body, plain
//! maps; there is no `GET /api/cis/tasks` (API specifications 7.0.0 to 9.1).

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::partition::Filter;

/// One of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The older one.
    Rest,
    /// Its successor.
    Api,
}

/// The query parameters of a call.
pub(super) type Query = Vec<(String, String)>;

impl Dialect {
    /// The path of sessions, which are made and ended there.
    pub(super) const fn session(self) -> &'static str {
        match self {
            Self::Rest => "/rest/com/vmware/cis/session",
            Self::Api => "/api/session",
        }
    }

    /// The path of the task list.
    pub(super) const fn tasks(self) -> &'static str {
        match self {
            Self::Rest => "/rest/cis/tasks",
            Self::Api => "/api/cis/tasks",
        }
    }

    /// What the call for one task is known by.
    pub(super) const fn task(self) -> &'static str {
        match self {
            Self::Rest => "/rest/cis/tasks/{id}",
            Self::Api => "/api/cis/tasks/{id}",
        }
    }

    /// Method, query and body of the call for a list, without the tasks' results.
    pub(super) fn list(self, filter: &Filter) -> (Method, Query, Option<Bytes>) {
        let lists = [
            ("services", texts(&filter.services)),
            (
                "status",
                filter
                    .statuses
                    .words()
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect(),
            ),
            (
                "operations",
                filter
                    .operations
                    .iter()
                    .flat_map(|name| spellings(name))
                    .collect(),
            ),
        ];
        match self {
            Self::Rest => (Method::GET, indexed(&lists), None),
            Self::Api => {
                let given = lists.into_iter().filter(|(_, values)| !values.is_empty());
                let spec: Map<String, Value> = given
                    .map(|(name, values)| (name.to_owned(), json!(values)))
                    .collect();
                let body = json!({"filter_spec": spec, "result_spec": {"exclude_result": true}});
                let query = vec![("action".to_owned(), "list".to_owned())];
                (Method::POST, query, Some(Bytes::from(body.to_string())))
            }
        }
    }

    /// The query of the call for one task, without its result.
    pub(super) fn one(self) -> Query {
        let name = match self {
            Self::Rest => "spec.exclude_result",
            Self::Api => "exclude_result",
        };
        vec![(name.to_owned(), "true".to_owned())]
    }
}

fn texts(names: &[std::sync::Arc<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Providers differ in whether `$task` belongs to an operation's name.
fn spellings(operation: &str) -> [String; 2] {
    [operation.to_owned(), format!("{operation}$task")]
}

/// The parameters of `/rest`. Indices count from 1: the vendor's front end takes
/// a single parameter without one for a text, and refuses it.
fn indexed(lists: &[(&str, Vec<String>)]) -> Query {
    let mut query = Query::new();
    for (name, values) in lists {
        for (value, index) in values.iter().zip(1..) {
            query.push((format!("filter_spec.{name}.{index}"), value.clone()));
        }
    }
    query.push(("result_spec.exclude_result".to_owned(), "true".to_owned()));
    query
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::vcenter::partition::Statuses;

    fn filter() -> Filter {
        Filter {
            services: vec!["a.B".into(), "c".into()],
            statuses: Statuses::Ended,
            operations: vec!["scan".into()],
        }
    }

    #[test]
    fn rest_counts_from_1_in_each_parameter() {
        let (method, query, body) = Dialect::Rest.list(&filter());
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!((method, body), (Method::GET, None));
        assert_eq!(
            query,
            [
                "filter_spec.services.1=a.B",
                "filter_spec.services.2=c",
                "filter_spec.status.1=SUCCEEDED",
                "filter_spec.status.2=FAILED",
                "filter_spec.operations.1=scan",
                "filter_spec.operations.2=scan$task",
                "result_spec.exclude_result=true",
            ]
        );
    }

    #[test]
    fn api_has_a_body_without_what_is_not_asked_for() {
        let any = Filter {
            statuses: Statuses::Any,
            operations: Vec::new(),
            ..filter()
        };
        let (method, query, body) = Dialect::Api.list(&any);
        assert_eq!(method, Method::POST);
        assert_eq!(query, [("action".to_owned(), "list".to_owned())]);
        let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        let expected = json!({
            "filter_spec": {"services": ["a.B", "c"]},
            "result_spec": {"exclude_result": true},
        });
        assert_eq!(body, expected);
    }
}
