//! Finished tasks of long ago, kept small: a shape shared by many, and what differs.

use std::sync::Arc;

use jiff::Timestamp;

use super::recipe::Recipe;
use super::stamp::{STAMP_LENGTH, later, push_stamp};
use super::status::TaskStatus;
use super::sub_task::SubTask;
use super::task::SimTask;

/// How long a shape takes; real tasks are stretched or squeezed from it.
const SHAPE_MILLIS: i64 = 1_000_000;

/// The id that stands in a shape for the real one.
const ID_MARK: &str = "00000000-0000-0000-0000-000000000000";

/// How many tasks of one recipe and outcome differ in their names.
const VARIANTS: u32 = 4;

/// A finished task of long ago.
#[derive(Clone, Debug)]
pub(super) struct PastTask {
    shape: Arc<Shape>,
    id: u128,
    created: Timestamp,
    /// How long it took, in milliseconds.
    took: i64,
}

/// What many past tasks have in common.
#[derive(Debug)]
struct Shape {
    /// A task made at the epoch that took [`SHAPE_MILLIS`].
    task: SimTask,
    parts: Vec<Part>,
}

/// A piece of a shape's JSON.
#[derive(Debug)]
enum Part {
    Text(String),
    Id,
    /// A time, in milliseconds of the shape.
    Stamp(i64),
}

impl Shape {
    fn new(task: SimTask) -> Self {
        let parts = split(&task.json(task.case));
        Self { task, parts }
    }
}

/// The JSON of a shape, cut where past tasks differ.
fn split(json: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    for (at, piece) in json.split('"').enumerate() {
        if at > 0 {
            text.push('"');
        }
        let stamp = (piece.len() == STAMP_LENGTH)
            .then(|| piece.parse::<Timestamp>().ok())
            .flatten();
        let differs = match stamp {
            Some(time) => Part::Stamp(time.as_millisecond()),
            None if piece == ID_MARK => Part::Id,
            None => {
                text.push_str(piece);
                continue;
            }
        };
        parts.push(Part::Text(std::mem::take(&mut text)));
        parts.push(differs);
    }
    parts.push(Part::Text(text));
    parts
}

impl PastTask {
    /// The id as text.
    pub(super) fn id(&self) -> String {
        uuid(self.id)
    }

    /// The task that stands for all of its shape; its id and times are not this one's.
    pub(super) fn shape(&self) -> &SimTask {
        &self.shape.task
    }

    pub(super) fn created(&self) -> Timestamp {
        self.created
    }

    pub(super) fn completed(&self) -> Timestamp {
        later(self.created, self.took)
    }

    /// When something of the shape happened to this task.
    fn time_of(&self, shape_millis: i64) -> Timestamp {
        later(
            self.created,
            self.took.saturating_mul(shape_millis) / SHAPE_MILLIS,
        )
    }

    /// Appends the JSON.
    pub(super) fn write(&self, out: &mut String) {
        for part in &self.shape.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Id => out.push_str(&self.id()),
                Part::Stamp(millis) => push_stamp(out, self.time_of(*millis)),
            }
        }
    }

    /// The task in full, to be changed.
    pub(super) fn task(&self) -> SimTask {
        let mut task = self.shape.task.clone();
        task.id = self.id();
        task.created = Some(self.created);
        task.completed = Some(self.completed());
        self.place(&mut task.sub_tasks);
        task
    }

    /// Gives steps of the shape the times of this task.
    fn place(&self, steps: &mut [SubTask]) {
        let place = |time: Timestamp| self.time_of(time.as_millisecond());
        for step in steps {
            step.creation_timestamp = place(step.creation_timestamp);
            step.completion_timestamp = step.completion_timestamp.map(place);
            for stage in &mut step.stages {
                stage.creation_timestamp = place(stage.creation_timestamp);
                stage.completion_timestamp = stage.completion_timestamp.map(place);
            }
            self.place(&mut step.sub_tasks);
        }
    }
}

/// A random id in the usual form.
pub(super) fn uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    let mut out = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if [8, 12, 16, 20].contains(&at) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// `count` finished tasks, the oldest first, the youngest some hours before `now`.
pub(super) fn past_tasks(
    count: usize,
    recipes: &[Recipe],
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Vec<PastTask> {
    let shapes = shapes(recipes, rng);
    let mut created = later(now, -8 * 3_600_000);
    let mut tasks: Vec<PastTask> = (0..count)
        .map_while(|_| {
            created = later(created, -rng.i64(120_000..900_000));
            let failed = rng.u32(..100) < 3;
            let choices: &[_] = if failed { &shapes.1 } else { &shapes.0 };
            let (recipe, shape) = rng.choice(choices)?;
            let (least, most) = recipe.length;
            Some(PastTask {
                shape: Arc::clone(shape),
                id: rng.u128(..),
                created,
                // One unit of a recipe was a minute then.
                took: rng.i64(i64::from(least) * 60_000..=i64::from(most) * 60_000),
            })
        })
        .collect();
    tasks.reverse();
    tasks
}

/// Shapes with the recipe they are from.
type Shapes = Vec<(Recipe, Arc<Shape>)>;

/// The shapes that ended well, and those that failed.
fn shapes(recipes: &[Recipe], rng: &mut fastrand::Rng) -> (Shapes, Shapes) {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for recipe in recipes {
        for _ in 0..VARIANTS {
            good.push((*recipe, Arc::new(Shape::new(run(recipe, None, rng)))));
        }
        for at in 0..recipe.failures.len() {
            bad.push((*recipe, Arc::new(Shape::new(run(recipe, Some(at), rng)))));
        }
    }
    (good, bad)
}

/// Runs a recipe to its end, well or into one of its failures.
fn run(recipe: &Recipe, failure: Option<usize>, rng: &mut fastrand::Rng) -> SimTask {
    let start = Timestamp::UNIX_EPOCH;
    let mut task = recipe.build(rng).planned(start);
    ID_MARK.clone_into(&mut task.id);
    let failure = failure.and_then(|at| recipe.failures.get(at));
    let step_millis = SHAPE_MILLIS / i64::try_from(task.steps().max(1)).unwrap_or(1);
    let mut now = start;
    task.begin(now);
    while task.status == TaskStatus::InProgress {
        now = later(now, step_millis);
        match failure {
            Some(failure) if task.running_step().as_deref() == Some(failure.step) => {
                task.fail(failure.error(&task), now);
            }
            _ => task.advance(now),
        }
    }
    task.completed = Some(later(start, SHAPE_MILLIS));
    task
}
