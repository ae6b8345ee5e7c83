//! What a list call asks for, by its query or its body.

use serde::Deserialize;
use serde_json::Value;

use super::call::{Call, Dialect};
use super::indexed;
use super::problem::Problem;
use super::status::VcStatus;
use super::task::VcTask;

/// What a list call asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListSpec {
    filter_spec: Option<FilterSpec>,
    result_spec: Option<ResultSpec>,
}

/// Which tasks; a member that is unset or empty lets all pass.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FilterSpec {
    tasks: Option<Vec<String>>,
    services: Option<Vec<String>>,
    operations: Option<Vec<String>>,
    status: Option<Vec<VcStatus>>,
    targets: Option<Vec<Target>>,
    users: Option<Vec<String>>,
}

/// How much of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ResultSpec {
    // Known and without effect: extended members are always there.
    return_all: Option<bool>,
    exclude_result: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// Whether a list lets a value pass.
fn admits<T>(list: Option<&Vec<T>>, matches: impl FnMut(&T) -> bool) -> bool {
    list.is_none_or(|list| list.is_empty() || list.iter().any(matches))
}

impl ListSpec {
    /// Reads a call of either dialect.
    pub(super) fn read(call: &Call, dialect: Dialect) -> Result<Self, Problem> {
        let value = match dialect {
            Dialect::Rest => indexed::tree(&call.query, &["filter_spec", "result_spec"])?,
            Dialect::Api if call.body.is_empty() => return Ok(Self::default()),
            Dialect::Api => serde_json::from_slice(&call.body).map_err(|error| refused(&error))?,
        };
        serde_json::from_value(value).map_err(|error| refused(&error))
    }

    fn filter(&self) -> FilterSpec {
        self.filter_spec.clone().unwrap_or_default()
    }

    pub(super) fn services(&self) -> Vec<String> {
        self.filter().services.unwrap_or_default()
    }

    pub(super) fn tasks(&self) -> Vec<String> {
        self.filter().tasks.unwrap_or_default()
    }

    pub(super) fn operations(&self) -> Vec<String> {
        self.filter().operations.unwrap_or_default()
    }

    pub(super) fn statuses(&self) -> Vec<String> {
        let statuses = self.filter().status.unwrap_or_default();
        let word = |status: VcStatus| status.as_str().to_owned();
        statuses.into_iter().map(word).collect()
    }

    pub(super) fn excludes_result(&self) -> bool {
        let spec = self.result_spec.as_ref();
        spec.and_then(|spec| spec.exclude_result).unwrap_or(false)
    }

    /// Whether a task is among those asked for.
    pub(super) fn admits(&self, task: &VcTask) -> bool {
        let Some(filter) = &self.filter_spec else {
            return false;
        };
        let operation = task.shown_operation();
        admits(filter.tasks.as_ref(), |id| *id == task.id)
            && admits(filter.services.as_ref(), |service| *service == task.service)
            && admits(filter.operations.as_ref(), |asked| *asked == operation)
            && admits(filter.status.as_ref(), |status| *status == task.status)
            && admits(filter.users.as_ref(), |user| {
                task.user.as_ref() == Some(user)
            })
            && admits(filter.targets.as_ref(), |asked| {
                let same = |own: &super::VcTarget| own.kind == asked.kind && own.id == asked.id;
                task.target.as_ref().is_some_and(same)
            })
    }
}

/// Whether results are left out of a task read by its id.
pub(super) fn excludes_result(call: &Call, dialect: Dialect) -> Result<bool, Problem> {
    let spec = match dialect {
        Dialect::Rest => {
            let tree = indexed::tree(&call.query, &["spec"])?;
            tree.get("spec").cloned().unwrap_or(Value::Null)
        }
        Dialect::Api => indexed::tree(&call.query, &["return_all", "exclude_result"])?,
    };
    let spec: Option<ResultSpec> = serde_json::from_value(spec).map_err(|error| refused(&error))?;
    Ok(spec.and_then(|spec| spec.exclude_result).unwrap_or(false))
}

fn refused(error: &serde_json::Error) -> Problem {
    Problem::invalid_argument(format!("The request cannot be read: {error}"))
}
