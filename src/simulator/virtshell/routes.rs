//! What each call answers.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::auth;
use super::call::{Call, Place, VsRequest};
use super::options::VsShape;
use super::replies;
use super::state::State;
use super::task::VsTask;
use crate::simulator::call::Endpoint;
use crate::simulator::fault::{self, FaultKind};
use crate::simulator::reply::{Delivery, Reply};
use crate::simulator::stamp::http_date;

/// What the server says of an id that it does not know.
const NOT_FOUND: &str = "document not found";

/// Answers a call.
pub(super) fn answer(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    let place = call.place(state);
    let endpoint = call.endpoint(&place);
    let fault = fault::next(&mut state.faults, endpoint);
    let instead = fault.as_ref().and_then(instead_of);
    let mut reply = instead.unwrap_or_else(|| {
        let reply = right_answer(state, call, place, fault.as_ref(), now);
        let tagged = state.options.etag && reply.status == 200 && call.method == "GET";
        if tagged {
            replies::tagged(reply, call)
        } else {
            reply
        }
    });
    if let Some(fault) = &fault {
        reply = fault.spoil(reply);
    }
    let record = VsRequest {
        at: now,
        endpoint,
        method: call.method.clone(),
        path: call.path.clone(),
        if_none_match: call.headers.contains_key("if-none-match"),
        authorization: call.authorization(state).map(str::to_owned),
        status: reply.status,
    };
    state.remember(record);
    reply.header("date", http_date(now))
}

/// The answer that takes the place of the right one.
fn instead_of(fault: &FaultKind) -> Option<Reply> {
    let error = |code: u16| match code {
        500 => replies::broken("RuntimeError: an injected fault"),
        code => replies::error(code, "an injected fault"),
    };
    match fault {
        FaultKind::Status(code) => Some(error(*code)),
        FaultKind::RetryAfter(code, seconds) => {
            Some(error(*code).header("retry-after", seconds.to_string()))
        }
        FaultKind::EndlessBody => Some(replies::text(200, String::new()).delivered(
            Delivery::Endless {
                start: r#"{"tasks":["#,
                element: r#"{"uuid":"endless","description":"Endless","status":"received"},"#,
            },
        )),
        other => other.instead(),
    }
}

/// The answer that only faults in the list itself can spoil.
fn right_answer(
    state: &mut State,
    call: &Call,
    place: Place,
    fault: Option<&FaultKind>,
    now: Timestamp,
) -> Reply {
    let endpoint = call.endpoint(&place);
    match (&place, endpoint) {
        (Place::Nowhere, _) => return replies::page(404, "Not Found"),
        (_, Endpoint::Unknown) => return replies::page(405, "Method Not Allowed"),
        _ => {}
    }
    if let Err(message) = auth::check(call, &state.options.auth, now) {
        return replies::error(403, message);
    }
    match (place, endpoint) {
        // These are answered without a look into the database.
        (Place::ByStatus(status), _) if status.is_empty() => {
            let reason = "missing status name parameter";
            let body = json!({"tasks_by_status": "error", "reason": reason});
            replies::json_body(200, &body)
        }
        (Place::All, Endpoint::Update) => refused("update", "missing uuid parameter"),
        _ if state.options.hang => replies::no_database(),
        (Place::ByStatus(status), _) => list(state, Some(&status), fault),
        (_, Endpoint::Create) => create(state, call, now),
        (Place::One(uuid), Endpoint::Update) => update(state, call, &uuid, now),
        (Place::One(uuid), Endpoint::Delete) => match state.tasks.remove(&uuid) {
            Some(_) => done("delete"),
            None => refused("delete", NOT_FOUND),
        },
        (Place::One(uuid), _) => one(state, &uuid),
        (_, Endpoint::Delete) => {
            state.tasks.clear();
            done("delete")
        }
        _ => list(state, None, fault),
    }
}

fn done(action: &str) -> Reply {
    replies::json_body(200, &json!({action: "success"}))
}

/// An error that comes with 200, as all that the handlers know of do.
fn refused(action: &str, reason: &str) -> Reply {
    replies::json_body(200, &json!({action: "error", "reason": reason}))
}

/// All tasks, or those in a status, letter by letter.
fn list(state: &State, status: Option<&str>, fault: Option<&FaultKind>) -> Reply {
    if fault == Some(&FaultKind::WrongType) {
        return replies::text(200, r#"{"tasks":{}}"#.to_owned());
    }
    let shape = state.options.shape;
    let matching = |task: &&VsTask| status.is_none_or(|status| task.word() == status);
    let tasks = state.tasks.iter().filter(matching);
    let mut tasks: Vec<String> = tasks.map(|task| task.json(shape).to_string()).collect();
    if fault == Some(&FaultKind::DuplicatedPage) {
        tasks.extend_from_within(..);
    }
    replies::text(200, format!(r#"{{"tasks":[{}]}}"#, tasks.join(",")))
}

fn one(state: &State, uuid: &str) -> Reply {
    match state.tasks.get(uuid) {
        Some(task) => replies::json_body(200, &task.json(state.options.shape)),
        None => replies::error(200, NOT_FOUND),
    }
}

/// The JSON object of a body.
fn object(call: &Call) -> Result<Map<String, Value>, Reply> {
    let parsed = serde_json::from_slice(&call.body);
    parsed.map_err(|error| replies::broken(&format!("ValueError: {error}")))
}

fn create(state: &mut State, call: &Call, now: Timestamp) -> Reply {
    match object(call) {
        Ok(object) => {
            let task = VsTask::posted(object, state.options.shape);
            let uuid = state.give_birth(task, now);
            replies::json_body(200, &json!({"create": "success", "task_id": uuid}))
        }
        Err(reply) => reply,
    }
}

/// The status and the log of a task that is there; all else stays.
fn update(state: &mut State, call: &Call, uuid: &str, now: Timestamp) -> Reply {
    let change = match object(call) {
        Ok(change) => change,
        Err(reply) => return reply,
    };
    let Some(task) = state.tasks.get(uuid) else {
        return refused("update", NOT_FOUND);
    };
    if let Some(name) = missing(task, state.options.shape) {
        return replies::broken(&format!("KeyError: '{name}'"));
    }
    let text = |name: &str| match change.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(replies::broken(&format!("KeyError: '{name}'"))),
    };
    match (text("status"), text("log")) {
        (Ok(status), Ok(log)) => {
            state.set_status(uuid, &status, &log, now);
            done("update")
        }
        (Err(reply), _) | (_, Err(reply)) => reply,
    }
}

/// What the real server must find in a task to update it, and does not.
fn missing(task: &VsTask, shape: VsShape) -> Option<&'static str> {
    let needed: &[&str] = match shape {
        VsShape::Real => &["status", "status_history", "date", "log"],
        VsShape::Documented => &[],
    };
    let served = task.json(shape);
    let mut needed = needed.iter().copied();
    needed.find(|name| served.get(name).is_none())
}
