//! The list call: which provider is asked, and what it gives.

use super::call::{Call, Dialect};
use super::filter::ListSpec;
use super::options::VcenterOptions;
use super::problem::Problem;
use super::provider::{Provider, ProviderState};
use super::state::State;
use super::task::VcTask;
use crate::simulator::fault::FaultKind;

/// The body of a list.
pub(super) fn list(
    state: &State,
    call: &Call,
    dialect: Dialect,
    fault: Option<&FaultKind>,
) -> Result<String, Problem> {
    let spec = ListSpec::read(call, dialect)?;
    let provider = provider(&spec, state)?;
    well(provider)?;
    if provider.state == ProviderState::Broken {
        return Err(Problem::new(
            "INTERNAL_SERVER_ERROR",
            "vapi.task.filterSpecParam_not_implemented_yet",
            "filter not implemented yet",
        ));
    }
    let matching = state.tasks.values().filter(|task| spec.admits(task));
    let tasks: Vec<&VcTask> = matching.collect();
    if tasks.len() > state.options.cap {
        let text = format!("More than {} tasks match the filter", state.options.cap);
        return Err(Problem::new(
            "RESOURCE_INACCESSIBLE",
            "com.vmware.vcenter.tasks.too_many",
            text,
        ));
    }
    Ok(written(&tasks, &spec, dialect, fault))
}

/// The one provider of all that a list names.
fn provider<'a>(spec: &ListSpec, state: &'a State) -> Result<&'a Provider, Problem> {
    let tasks = spec.tasks();
    let services = tasks.iter().map(|id| state.service_of(id).to_owned());
    let mut services = spec.services().into_iter().chain(services);
    let Some(first) = services.next() else {
        let text = "Either tasks or services must be given in the filter";
        return Err(Problem::invalid_argument(text));
    };
    let found = of_service(&first, &state.options)?;
    for service in services {
        if of_service(&service, &state.options)?.name != found.name {
            let text = "All tasks and services must be of one provider";
            return Err(Problem::invalid_argument(text));
        }
    }
    Ok(found)
}

/// The provider of a service.
pub(super) fn of_service<'a>(
    service: &str,
    options: &'a VcenterOptions,
) -> Result<&'a Provider, Problem> {
    let unknown = || {
        let id = "com.vmware.vapi.endpoint.cis.taskProviderNotFound";
        Problem::of(options.unknown_service.clone(), id).args([service.to_owned()])
    };
    options.provider_of(service).ok_or_else(unknown)
}

/// Whether a provider answers at all.
pub(super) fn well(provider: &Provider) -> Result<(), Problem> {
    match provider.state {
        ProviderState::Working | ProviderState::Broken => Ok(()),
        ProviderState::Unavailable => Err(Problem::new(
            "SERVICE_UNAVAILABLE",
            "com.vmware.vapi.endpoint.cis.ServiceUnavailable",
            "Service unavailable.",
        )),
        ProviderState::Forbidden => Err(Problem::new(
            "UNAUTHORIZED",
            "com.vmware.vapi.authorization.permission.denied",
            "Unable to authorize user",
        )),
    }
}

/// The body, with the faults that a list may have.
fn written(
    tasks: &[&VcTask],
    spec: &ListSpec,
    dialect: Dialect,
    fault: Option<&FaultKind>,
) -> String {
    let entry = |task: &&VcTask| {
        let value = task.json(dialect, !spec.excludes_result());
        let key = serde_json::Value::from(task.id.as_str());
        match dialect {
            Dialect::Rest => format!(r#"{{"key":{key},"value":{value}}}"#),
            Dialect::Api => format!("{key}:{value}"),
        }
    };
    let mut entries: Vec<String> = tasks.iter().map(entry).collect();
    match (dialect, fault) {
        (Dialect::Rest, Some(FaultKind::WrongType)) => return r#"{"value":{}}"#.to_owned(),
        (Dialect::Api, Some(FaultKind::WrongType)) => return "[]".to_owned(),
        (_, Some(FaultKind::DuplicatedPage)) => entries.extend_from_within(..),
        _ => {}
    }
    let entries = entries.join(",");
    match dialect {
        Dialect::Rest => format!(r#"{{"value":[{entries}]}}"#),
        Dialect::Api => format!("{{{entries}}}"),
    }
}
