//! What becomes of a task: the statuses that it goes through.

use std::collections::VecDeque;

use super::options::VsShape;
use super::task::VsTask;
use crate::simulator::history::uuid;

/// The statuses of the dispatcher, the agent and its docker plugin.
const REAL: [&str; 8] = [
    "dispatching",
    "dispatched",
    "received",
    "setting up",
    "creating",
    "created",
    "provisioning",
    "provisioned",
];

/// The statuses of the specification; it spells the last one so.
const DOCUMENTED: [&str; 2] = ["in progress", "sucess"];

/// The types of the specification; the real server runs the first one only.
const KINDS: [&str; 3] = ["create_instance", "delete_instance", "restart_instance"];

/// What dispatching fails with.
const FAILURES: [&str; 3] = [
    "error dispatching the task.",
    "Exception: hosts not found for partition",
    "Exception: [Errno 113] No route to host",
];

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    Fails,
    /// Stays in a working status for ever.
    Sticks,
}

/// A status with its log.
pub(super) type Move = (&'static str, String);

/// The type of a task that will come to an end.
pub(super) fn kind(shape: VsShape, fate: Fate, rng: &mut fastrand::Rng) -> &'static str {
    let [create, others @ ..] = KINDS;
    let unsupported = fate == Fate::Fails && rng.u32(..100) < 30;
    let other = match shape {
        VsShape::Real => unsupported,
        VsShape::Documented => rng.u32(..100) < 40,
    };
    let other = other.then(|| rng.choice(others)).flatten();
    other.unwrap_or(create)
}

/// A pending task of a type.
pub(super) fn task(kind: &str, rng: &mut fastrand::Rng) -> VsTask {
    let what = kind.replace('_', " ");
    let number = rng.u32(1..1000);
    let name = rng.choice(["web", "db", "cache", "build"]).unwrap_or("web");
    VsTask::new(kind)
        .description(format!("{what} {name}-{number:03} with driver docker"))
        .object(uuid(rng.u128(..)))
}

/// What comes after `pending`.
pub(super) fn moves(
    shape: VsShape,
    kind: &str,
    fate: Fate,
    rng: &mut fastrand::Rng,
) -> VecDeque<Move> {
    match shape {
        VsShape::Real => real(kind, fate, rng),
        VsShape::Documented => documented(fate, rng),
    }
}

fn real(kind: &str, fate: Fate, rng: &mut fastrand::Rng) -> VecDeque<Move> {
    let host = format!("10.0.0.{}", rng.u8(2..=20));
    let log = |word| match word {
        "dispatched" => format!("task dispatched to host: {host}"),
        _ => String::new(),
    };
    let moves = REAL.map(|word| (word, log(word)));
    let mut moves = VecDeque::from(moves);
    match fate {
        Fate::Fails => {
            moves.truncate(1);
            let log = if kind == KINDS[0] {
                rng.choice(FAILURES).unwrap_or_default()
            } else {
                "task type not supported"
            };
            moves.push_back(("error", log.to_owned()));
        }
        Fate::Succeeds | Fate::Sticks => {
            // The dispatcher may write after the agent has.
            if rng.u32(..100) < 20 {
                moves.swap(1, 2);
            }
            if fate == Fate::Sticks {
                moves.truncate(rng.usize(2..REAL.len()));
            }
        }
    }
    moves
}

fn documented(fate: Fate, rng: &mut fastrand::Rng) -> VecDeque<Move> {
    let moves = DOCUMENTED.map(|word| (word, String::new()));
    let mut moves = VecDeque::from(moves);
    if fate != Fate::Succeeds {
        moves.truncate(1);
    }
    if fate == Fate::Fails {
        let log = rng.choice(FAILURES).unwrap_or_default();
        moves.push_back(("failed", log.to_owned()));
    }
    moves
}
