//! What each call answers.

use jiff::Timestamp;
use serde_json::Value;

use super::call::{Call, Dialect, Route, VcRequest};
use super::filter::{self, ListSpec};
use super::listing;
use super::options::ErrorForm;
use super::problem::{self, Problem};
use super::state::State;
use crate::simulator::call::Endpoint;
use crate::simulator::fault::{self, FaultKind};
use crate::simulator::reply::{Delivery, Reply};
use crate::simulator::stamp::http_date;

/// The header and the cookie with the session's token.
const SESSION: &str = "vmware-api-session-id";

/// The header that asks for no cookie.
const NO_COOKIE: &str = "vmware-use-header-authn";

/// Answers a call.
pub(super) fn answer(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    state.sweep(now);
    let route = call.route(&state.options);
    let (dialect, endpoint) = (route.dialect(), route.endpoint());
    let fault = fault::next(&mut state.faults, endpoint);
    let instead = fault.as_ref();
    let instead = instead.and_then(|fault| instead_of(fault, dialect, state.options.error_form));
    let mut reply =
        instead.unwrap_or_else(|| right_answer(state, call, route, fault.as_ref(), now));
    if let Some(fault) = &fault {
        reply = fault.spoil(reply);
    }
    state.remember(record(call, dialect, endpoint, reply.status, now));
    reply.header("date", http_date(now))
}

/// What is remembered of a call.
fn record(
    call: &Call,
    dialect: Dialect,
    endpoint: Endpoint,
    status: u16,
    at: Timestamp,
) -> VcRequest {
    let spec = match endpoint {
        Endpoint::List => ListSpec::read(call, dialect).unwrap_or_default(),
        _ => ListSpec::default(),
    };
    VcRequest {
        at,
        endpoint,
        method: call.method.clone(),
        path: call.path.clone(),
        services: spec.services(),
        tasks: spec.tasks(),
        statuses: spec.statuses(),
        operations: spec.operations(),
        excludes_result: spec.excludes_result(),
        status,
    }
}

/// The answer that takes the place of the right one.
fn instead_of(fault: &FaultKind, dialect: Dialect, form: ErrorForm) -> Option<Reply> {
    let error = |code: u16| Problem::of_status(code).reply_as(code, dialect, form);
    match fault {
        FaultKind::Status(code) => Some(error(*code)),
        FaultKind::RetryAfter(code, seconds) => {
            Some(error(*code).header("retry-after", seconds.to_string()))
        }
        FaultKind::EndlessBody => Some(Reply::json(200, "").delivered(endless(dialect))),
        other => other.instead(),
    }
}

/// A list without end, of one task.
fn endless(dialect: Dialect) -> Delivery {
    match dialect {
        Dialect::Rest => Delivery::Endless {
            start: r#"{"value":["#,
            element: r#"{"key":"endless:com.vmware.vcenter.VM","value":{"service":"com.vmware.vcenter.VM","operation":"clone","status":"RUNNING","cancelable":false}},"#,
        },
        Dialect::Api => Delivery::Endless {
            start: "{",
            element: r#""endless:com.vmware.vcenter.VM":{"service":"com.vmware.vcenter.VM","operation":"clone","status":"RUNNING","cancelable":false},"#,
        },
    }
}

/// The answer that only faults in the list itself can spoil.
fn right_answer(
    state: &mut State,
    call: &Call,
    route: Route,
    fault: Option<&FaultKind>,
    now: Timestamp,
) -> Reply {
    let form = state.options.error_form;
    let (dialect, endpoint, id) = match route {
        Route::To(dialect, endpoint, id) => (dialect, endpoint, id),
        Route::NoOperation(dialect) => return Problem::no_operation().reply(dialect, form),
        Route::Absent(Dialect::Api) => return problem::before_api(),
        Route::Nowhere(dialect) | Route::Absent(dialect) => {
            return Problem::no_path().reply(dialect, form);
        }
        Route::Outside => return Reply::html(404),
    };
    let answer = match endpoint {
        Endpoint::Login => login(state, call, dialect, now),
        Endpoint::Revoke => log_out(state, call, dialect),
        _ if !state.sessions.admits(token(call), now) => Err(Problem::unauthenticated()),
        Endpoint::List if dialect == Dialect::Api && !sends_json(call) => {
            let text = "The content of a list call is application/json";
            Ok(Problem::invalid_argument(text).reply_as(415, dialect, form))
        }
        Endpoint::List => {
            listing::list(state, call, dialect, fault).map(|body| Reply::json(200, body))
        }
        Endpoint::Task => task(state, call, dialect, &id),
        _ => session(state, call, dialect),
    };
    answer.unwrap_or_else(|problem| problem.reply(dialect, form))
}

/// The token of a call; the vendor's front end looks at the cookie first.
fn token(call: &Call) -> Option<&str> {
    call.cookie(SESSION).or_else(|| call.header(SESSION))
}

fn sends_json(call: &Call) -> bool {
    let kind = call.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn login(
    state: &mut State,
    call: &Call,
    dialect: Dialect,
    now: Timestamp,
) -> Result<Reply, Problem> {
    let given = call.header("authorization");
    let token = state
        .sessions
        .create(given, &state.options, now, &mut state.rng)?;
    let body = dialect.whole(&Value::from(token.as_str()));
    Ok(match dialect {
        Dialect::Api => Reply::json(201, body),
        Dialect::Rest if call.header(NO_COOKIE).is_some() => Reply::json(200, body),
        Dialect::Rest => {
            let cookie = format!("{SESSION}={token};Path=/rest;Secure;HttpOnly");
            Reply::json(200, body).header("set-cookie", cookie)
        }
    })
}

fn log_out(state: &mut State, call: &Call, dialect: Dialect) -> Result<Reply, Problem> {
    if !state.sessions.end(call.header(SESSION)) {
        return Err(Problem::unauthenticated());
    }
    Ok(match dialect {
        Dialect::Rest => Reply::empty(200),
        Dialect::Api => Reply::empty(204),
    })
}

fn session(state: &State, call: &Call, dialect: Dialect) -> Result<Reply, Problem> {
    let info = state.sessions.info(token(call), &state.options.username);
    let info = info.ok_or_else(Problem::unauthenticated)?;
    Ok(Reply::json(200, dialect.whole(&info)))
}

fn task(state: &State, call: &Call, dialect: Dialect, id: &str) -> Result<Reply, Problem> {
    let excluded = filter::excludes_result(call, dialect)?;
    let provider = listing::of_service(state.service_of(id), &state.options)?;
    listing::well(provider)?;
    let missing = || {
        let text = format!("Task with id {id} was not found");
        Problem::new("NOT_FOUND", "com.vmware.vapi.std.not_found", text).args([id.to_owned()])
    };
    let task = state
        .tasks
        .get(id)
        .ok_or_else(missing)?
        .json(dialect, !excluded);
    Ok(Reply::json(200, dialect.whole(&task)))
}
