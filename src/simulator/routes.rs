//! What each call answers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, Endpoint, RequestRecord, Route};
use super::fault::{self, FaultKind};
use super::listing;
use super::query::Query;
use super::reply::Reply;
use super::sessions::{Refusal, basic_admits};
use super::stamp::http_date;
use super::state::State;
use super::status::StatusCase;

/// Answers a call; with it comes the number of the page that was served, counted from 0.
pub(super) fn answer(state: &mut State, call: &Call, now: Timestamp) -> (Reply, Option<u32>) {
    let endpoint = call.endpoint();
    let fault = fault::next(&mut state.faults, endpoint);
    let instead = fault.as_ref().and_then(FaultKind::instead);
    let (mut reply, page) = match instead {
        Some(reply) => (reply, None),
        None => right_answer(state, call, fault.as_ref(), now),
    };
    if let Some(fault) = &fault {
        reply = fault.spoil(reply);
    }
    if let Some(skew) = state.options.clock_skew {
        let date = now.checked_add(skew).unwrap_or(now);
        reply = reply.header("date", http_date(date));
    }
    state.remember(RequestRecord {
        at: now,
        endpoint,
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query.clone(),
        status: reply.status,
    });
    (reply, page)
}

/// The answer that only faults in the list itself can spoil.
fn right_answer(
    state: &mut State,
    call: &Call,
    fault: Option<&FaultKind>,
    now: Timestamp,
) -> (Reply, Option<u32>) {
    let (endpoint, id) = match call.route() {
        Route::To(endpoint, id) => (endpoint, id),
        Route::WrongMethod => {
            let message = format!("{} is not supported", call.method);
            return (Reply::error(405, "METHOD_NOT_ALLOWED", &message), None);
        }
        Route::Nowhere => {
            let message = format!("{} was not found", call.path);
            return (Reply::error(404, "NOT_FOUND", &message), None);
        }
    };
    if !admits(state, endpoint, call, now) {
        let code = state.options.unauthorized_code;
        return (
            Reply::error(code, "Unauthorized", "Authentication failed"),
            None,
        );
    }
    let reply = match endpoint {
        Endpoint::List => return list(state, call, fault),
        Endpoint::Login => login(state, call, now),
        Endpoint::Refresh => refresh(state, call, now),
        Endpoint::Revoke => revoke(state, call),
        Endpoint::Task => task(state, id),
        Endpoint::Retry => retry(state, id, now),
        Endpoint::Cancel => cancel(state, id, now),
        Endpoint::StartRestore => start_restore(state, call, now),
        Endpoint::Restore => restore(state, id),
        _ => Reply::plain_error(500),
    };
    (reply, None)
}

/// Whether the call carries what it must.
fn admits(state: &State, endpoint: Endpoint, call: &Call, now: Timestamp) -> bool {
    let given = call.authorization.as_deref();
    let options = &state.options;
    match endpoint {
        Endpoint::Login | Endpoint::Refresh | Endpoint::Revoke => true,
        Endpoint::StartRestore | Endpoint::Restore
            if options.basic_auth_for_restores
                && basic_admits(given, &options.username, &options.password) =>
        {
            true
        }
        _ => state.sessions.admits(given, now),
    }
}

fn login(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    let options = &state.options;
    let pair = state
        .sessions
        .login(&call.body, options, now, &mut state.rng);
    match pair {
        Ok(pair) => {
            let body = json!({
                "accessToken": pair.access,
                "refreshToken": {"id": pair.refresh},
            });
            Reply::json(options.login_code, body.to_string())
        }
        Err(Refusal::Malformed) => Reply::error(
            400,
            "INVALID_TOKEN_SPEC",
            "Give a username and a password, or an API key",
        ),
        Err(Refusal::WrongCredentials) => Reply::error(
            options.bad_login_code,
            "IDENTITY_UNAUTHORIZED_ENTITY",
            "Failed to authenticate with the given credentials",
        ),
        Err(Refusal::Locked) => Reply::error(
            options.bad_login_code,
            "IDENTITY_ACCOUNT_LOCKED",
            "The account is locked after too many failed logins",
        ),
    }
}

/// The refresh token of a body, which clients send bare or as a JSON string.
fn refresh_token(call: &Call) -> String {
    let text = String::from_utf8_lossy(&call.body);
    text.trim().trim_matches('"').to_owned()
}

fn refresh(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    let token = refresh_token(call);
    if token.is_empty() {
        return Reply::error(400, "INVALID_REFRESH_TOKEN", "Give a refresh token");
    }
    let renewed = state
        .sessions
        .renew(&token, &state.options, now, &mut state.rng);
    match renewed {
        Some(access) => Reply::json(200, json!(access).to_string()),
        None => Reply::error(
            404,
            "REFRESH_TOKEN_NOT_FOUND",
            "The refresh token is unknown or has expired",
        ),
    }
}

fn revoke(state: &mut State, call: &Call) -> Reply {
    state.sessions.revoke(&refresh_token(call));
    Reply::empty(204)
}

fn list(state: &mut State, call: &Call, fault: Option<&FaultKind>) -> (Reply, Option<u32>) {
    match Query::parse(&call.query, &state.options) {
        Ok(query) => {
            let page = listing::page(&mut state.tasks, &query, &state.options, fault);
            (Reply::json(200, page.body), Some(page.index))
        }
        Err(parameter) => {
            let message = format!("The parameter {parameter} is not valid");
            (Reply::error(400, "INVALID_PARAMETER", &message), None)
        }
    }
}

fn not_found(id: &str) -> Reply {
    let message = format!("The task {id} was not found");
    Reply::error(404, "TASK_NOT_FOUND", &message)
}

fn task(state: &State, id: &str) -> Reply {
    let case = state.options.upper_case_by_id.then_some(StatusCase::Upper);
    match state.tasks.get(id) {
        Some(row) => Reply::json(200, row.json(case)),
        None => not_found(id),
    }
}

fn retry(state: &mut State, id: &str, now: Timestamp) -> Reply {
    let Some(row) = state.tasks.get(id) else {
        return not_found(id);
    };
    // Credential tasks are retried by a call of their own.
    let retryable = row.task().is_some_and(|task| task.retryable);
    if retryable && state.retry(id, now) {
        Reply::empty(200)
    } else {
        let message = format!("The task {id} has not failed or has a retry of its own");
        Reply::error(409, "TASK_NOT_RETRYABLE", &message)
    }
}

fn cancel(state: &mut State, id: &str, now: Timestamp) -> Reply {
    if state.tasks.get(id).is_none() {
        not_found(id)
    } else if state.cancel(id, now) {
        Reply::empty(200)
    } else {
        let message = format!("The task {id} is not in progress");
        Reply::error(409, "TASK_NOT_CANCELLABLE", &message)
    }
}

fn start_restore(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    let body: Option<Value> = serde_json::from_slice(&call.body).ok();
    let field = |name| body.as_ref().and_then(|body| body.get(name));
    let file = field("backupFile").and_then(Value::as_str);
    match (file, field("elements"), field("encryption")) {
        (Some(file), Some(Value::Array(_)), Some(Value::Object(_))) => {
            let task = state.start_restore(file, now);
            Reply::json(202, task.json(task.case))
                .header("location", format!("/v1/restores/tasks/{}", task.id))
        }
        _ => Reply::error(
            400,
            "INVALID_RESTORE_SPEC",
            "Give backupFile, elements and encryption",
        ),
    }
}

fn restore(state: &State, id: &str) -> Reply {
    match state.restores.get(id) {
        Some(row) => Reply::json(200, row.json(None)),
        // This call knows no 404.
        None => Reply::error(400, "RESTORE_NOT_FOUND", "There is no such restore"),
    }
}
