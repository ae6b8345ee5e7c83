//! What one poll of a source showed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Digest, Moment, Status, Task, TaskKey};

/// By which call a task was read: times of one kind of call are comparable,
/// times of two kinds may differ for the same task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Listed among others.
    List,
    /// Read by its id.
    ById,
}

/// Why an element of a listing could not be read as a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skipped {
    /// It has no id, or one that is not a text.
    NoId,
    /// It is not an object, or one that cannot be read as a task.
    NotAnObject,
    /// It is nested too deep.
    TooDeep,
    /// It is larger, or has more parts, than any task.
    TooLarge,
}

impl Skipped {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::NoId, Self::NotAnObject, Self::TooDeep, Self::TooLarge];

    /// The label value.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoId => "no_id",
            Self::NotAnObject => "not_an_object",
            Self::TooDeep => "too_deep",
            Self::TooLarge => "too_large",
        }
    }
}

/// How much of a listing could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// Tasks whose status is not known.
    pub status: u64,
    /// Tasks with a time that cannot be right.
    pub timestamps: u64,
    /// Elements that were skipped.
    pub skipped: BTreeMap<Skipped, u64>,
    /// Whether a limit ended the reading.
    pub cut: bool,
}

/// What of a task tells its changes, in little space.
#[derive(Debug, Clone)]
pub struct Summary {
    /// What the task does.
    pub operation: Arc<str>,
    /// How it stands.
    pub status: Status,
    /// A hash of the source's own word for the status.
    pub word: u32,
    /// A hash of operation and resources; 0 for none.
    pub scope: u64,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Moment,
    invalid_timestamps: bool,
}

/// A task that was met, and how.
#[derive(Debug, Clone)]
pub struct Met {
    /// The part of the source that listed it.
    pub part: Arc<str>,
    /// The call that showed it.
    pub call: Call,
    /// What tells its changes.
    pub summary: Summary,
    /// The task itself, if it is unfinished or failed: of the others, which are
    /// most of a long history, nothing more is needed.
    pub task: Option<Box<Task>>,
}

/// How much of a part was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Some of it.
    Part,
    /// The newest of it; what else is unfinished can be read by id.
    Newest,
    /// All that has not ended, and some of what has.
    Unfinished,
    /// All of it.
    Whole,
}

impl From<bool> for Extent {
    fn from(whole: bool) -> Self {
        if whole { Self::Whole } else { Self::Part }
    }
}

/// What one poll showed: tasks by key, and which parts were read to their end.
///
/// A *part* is what is read, and can fail, on its own: the task list, a restore
/// by its id. Only from a part that was read to its end can a task be missing.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    met: IndexMap<TaskKey, Met>,
    /// Each part, and once it answered how much of it was read.
    parts: BTreeMap<Arc<str>, Option<Extent>>,
    operations: BTreeSet<Arc<str>>,
    gone: BTreeSet<TaskKey>,
    /// The tasks that were met and of which nothing is taken in.
    withheld: BTreeSet<TaskKey>,
    skipped: BTreeMap<Skipped, u64>,
    /// The tasks of which [`Met`] keeps a summary alone; `None` if nobody wants them.
    settled: Option<BTreeMap<TaskKey, Task>>,
    /// Whether a limit ended the reading.
    cut: bool,
    /// How tasks stood at polls in between, until they are met again; none for
    /// one that was gone.
    meanwhile: BTreeMap<TaskKey, Option<Met>>,
}

impl Listing {
    /// An empty listing.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty listing; one for a reader of all tasks, if `settled`, keeps those
    /// that ended otherwise than by a failure too, without what is below them.
    pub fn keeping(settled: bool) -> Self {
        Self {
            settled: settled.then(BTreeMap::new),
            ..Self::default()
        }
    }

    /// Takes a task in; one that was met before counts as met now. Returns
    /// whether it is new to this listing.
    pub fn meet(&mut self, part: &str, call: Call, task: Task) -> bool {
        let key = task.key();
        let whole = task.status.is_unfinished() || task.status == Status::Failed;
        if let Some(settled) = &mut self.settled {
            settled.remove(&key);
        }
        self.meanwhile.remove(&key);
        self.withheld.remove(&key);
        let met = Met {
            part: self.part(part),
            call,
            summary: Summary {
                operation: self.operation(&task.operation),
                status: task.status,
                word: Digest::new().text(&task.word).short(),
                scope: task.scope().unwrap_or_default(),
                started: task.started.into(),
                ended: task.ended.into(),
                invalid_timestamps: task.invalid_timestamps,
            },
            task: self.keep(key, task, whole),
        };
        self.met.insert(key, met).is_none()
    }

    /// The task, if its summary is not enough.
    fn keep(&mut self, key: TaskKey, task: Task, whole: bool) -> Option<Box<Task>> {
        if whole {
            return Some(Box::new(task));
        }
        let settled = self.settled.as_mut()?;
        let head = Task {
            subtasks: Vec::new(),
            ..task
        };
        settled.insert(key, head);
        None
    }

    fn part(&mut self, part: &str) -> Arc<str> {
        if let Some((part, _)) = self.parts.get_key_value(part) {
            return Arc::clone(part);
        }
        let part: Arc<str> = part.into();
        self.parts.insert(Arc::clone(&part), None);
        part
    }

    fn operation(&mut self, operation: &str) -> Arc<str> {
        if let Some(operation) = self.operations.get(operation) {
            return Arc::clone(operation);
        }
        let operation: Arc<str> = operation.into();
        self.operations.insert(Arc::clone(&operation));
        operation
    }

    /// Counts an element that cannot be read as a task.
    pub fn skip(&mut self, reason: Skipped) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Says that a part answered, and how much of it was read; `true` is all.
    pub fn read(&mut self, part: &str, extent: impl Into<Extent>) {
        self.parts.insert(part.into(), Some(extent.into()));
    }

    /// Says that a limit ended the reading.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Takes in what a poll showed that ran while this listing is still being
    /// read: it is newer than all that was met up to now.
    pub fn overtaken_by(&mut self, newer: &Self) {
        let met = newer.met.iter();
        let met = met.map(|(key, met)| (*key, Some(met.clone())));
        let gone = newer.gone.iter().map(|key| (*key, None));
        self.meanwhile.extend(met.chain(gone));
    }

    /// Ends the reading: the polls in between count as met last, but for the
    /// tasks that were met again.
    pub fn settle(&mut self) {
        for (key, met) in std::mem::take(&mut self.meanwhile) {
            if let Some(met) = met {
                self.met.insert(key, met);
            } else {
                self.met.swap_remove(&key);
                self.gone.insert(key);
            }
        }
    }

    /// Says that the source no longer knows a task, not even by its id.
    pub fn gone(&mut self, key: TaskKey) {
        self.gone.insert(key);
    }

    /// Whether the source no longer knows the task, not even by its id.
    pub fn is_gone(&self, key: TaskKey) -> bool {
        self.gone.contains(&key)
    }

    /// The tasks that the source no longer knows, not even by their ids.
    pub fn all_gone(&self) -> impl Iterator<Item = TaskKey> {
        self.gone.iter().copied()
    }

    /// Leaves a task that was met as it stood before, until it is met again or
    /// [released](Self::release): what was shown of it cannot be told yet.
    pub(crate) fn withhold(&mut self, key: TaskKey) {
        self.withheld.insert(key);
    }

    /// Takes in after all what was shown of a task.
    pub(crate) fn release(&mut self, key: TaskKey) {
        self.withheld.remove(&key);
    }

    /// What was shown of the task, if it was met.
    pub(crate) fn met(&self, key: TaskKey) -> Option<&Met> {
        self.met.get(&key)
    }

    /// The failed tasks that were met, and what was shown of them.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (TaskKey, &Met, &Task)> {
        let failed = |met: &&Met| met.summary.status == Status::Failed;
        let met = self.met.iter().filter(move |(_, met)| failed(met));
        met.filter_map(|(key, met)| Some((*key, met, met.task.as_deref()?)))
    }

    /// Whether the task was met.
    pub fn has_met(&self, key: TaskKey) -> bool {
        self.met.contains_key(&key)
    }

    /// Whether a task of this part that was not met is missing.
    pub fn is_whole(&self, part: &str) -> bool {
        self.extent(part) == Extent::Whole
    }

    /// Whether an unfinished task of this part would have been met.
    pub fn shows_unfinished(&self, part: &str) -> bool {
        matches!(self.extent(part), Extent::Whole | Extent::Unfinished)
    }

    /// Whether an unfinished task of this part that was not met is to be read by
    /// its id.
    pub fn has_unfinished(&self, part: &str) -> bool {
        self.extent(part) != Extent::Part
    }

    fn extent(&self, part: &str) -> Extent {
        let extent = self.parts.get(part).copied().flatten();
        extent.unwrap_or(Extent::Part)
    }

    /// Whether every part that answered was read to its end.
    pub fn is_complete(&self) -> bool {
        self.parts
            .values()
            .flatten()
            .all(|extent| *extent == Extent::Whole)
    }

    /// The parts that answered.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let answered = self.parts.iter().filter(|(_, extent)| extent.is_some());
        answered.map(|(part, _)| &**part)
    }

    /// How many tasks were met.
    pub fn len(&self) -> usize {
        self.met.len()
    }

    /// Whether no task was met.
    pub fn is_empty(&self) -> bool {
        self.met.is_empty()
    }

    /// What is to be taken in of the tasks that were met, in the order of their keys.
    pub fn into_met(mut self) -> impl Iterator<Item = (TaskKey, Met)> {
        self.met.sort_unstable_keys();
        let withheld = self.withheld;
        let met = self.met.into_iter();
        met.filter(move |(key, _)| !withheld.contains(key))
    }

    /// The tasks that were met: all of them in a listing that is for a reader of
    /// all tasks, else those that are unfinished or failed.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        let whole = self.met.values().filter_map(|met| met.task.as_deref());
        whole.chain(self.settled.iter().flat_map(BTreeMap::values))
    }

    /// What could not be read, each task once.
    pub fn unreadable(&self) -> Unreadable {
        let count = |unreadable: fn(&Summary) -> bool| {
            let found = self.met.values().filter(|met| unreadable(&met.summary));
            u64::try_from(found.count()).unwrap_or(u64::MAX)
        };
        Unreadable {
            status: count(|task| task.status == Status::Unknown),
            timestamps: count(|task| task.invalid_timestamps),
            skipped: self.skipped.clone(),
            cut: self.cut,
        }
    }
}
