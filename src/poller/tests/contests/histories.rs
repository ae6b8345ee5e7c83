//! Histories at random: what is counted of each task lies between what the source
//! told of it and what happened to it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// How many tasks the source has.
const TASKS: usize = 3;

/// How many histories there are of each trouble.
const HISTORIES: u32 = 300;

/// What happens, at the source or to the exporter.
#[derive(Debug, Clone, Copy)]
enum Step {
    Runs(usize),
    /// Once, or once more.
    Fails(usize),
    Succeeds(usize),
    Resolves(usize),
    /// Its status cannot be read until it moves on.
    Blurs(usize),
    /// Comes to be among the newest, or is not any more.
    Moves(usize),
    Steady,
    Full,
    /// A full poll begins or goes on, and may give way.
    Stretch,
    /// From here on calls by id are answered by an error or are answered again.
    ById(bool),
    /// From here on full polls fail or succeed again.
    Fulls(bool),
}

/// What goes wrong between the source and the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Calls fail at times.
    Faults,
    /// A call by id tells all ends so many seconds later than the list does.
    TwoEnds(i64),
}

fn step(trouble: Trouble) -> impl Strategy<Value = Step> {
    let task = || 0..TASKS;
    let faults = u32::from(trouble == Trouble::Faults);
    let fault = prop_oneof![
        any::<bool>().prop_map(Step::ById),
        any::<bool>().prop_map(Step::Fulls),
    ];
    prop_oneof![
        4 => task().prop_map(Step::Fails),
        1 => task().prop_map(Step::Runs),
        1 => task().prop_map(Step::Succeeds),
        1 => task().prop_map(Step::Resolves),
        1 => task().prop_map(Step::Blurs),
        1 => task().prop_map(Step::Moves),
        4 => Just(Step::Steady),
        2 => Just(Step::Full),
        2 => Just(Step::Stretch),
        2 * faults => fault,
    ]
}

/// A source, its exporter, and what each of them saw.
struct History {
    rig: Rig,
    trouble: Trouble,
    tasks: Vec<Task>,
    newest: [bool; TASKS],
    by_id_fails: bool,
    /// How many seconds before the exporter's time it is.
    left: i64,
    /// When each task failed.
    happened: [BTreeSet<i64>; TASKS],
    /// Those failures that a list showed, or a call by id after another status.
    told: [BTreeSet<i64>; TASKS],
    /// How often a failure was shown after another status.
    episodes: [usize; TASKS],
    shown: [Option<Status>; TASKS],
}

impl History {
    async fn new(trouble: Trouble) -> Self {
        let ids = (0..TASKS).map(|task| running(&task.to_string()));
        let mut history = Self {
            rig: Rig::new().await,
            trouble,
            tasks: ids.collect(),
            newest: [false; TASKS],
            by_id_fails: false,
            left: 80_000,
            happened: Default::default(),
            told: Default::default(),
            episodes: [0; TASKS],
            shown: [None; TASKS],
        };
        history.rig.poller.source.gives_way = true;
        history.read();
        history.put();
        history
    }

    async fn step(&mut self, step: Step) {
        self.left -= 100;
        match step {
            Step::Runs(task) => self.tasks[task] = running(&task.to_string()),
            Step::Succeeds(task) => {
                self.tasks[task] = Task {
                    status: Status::Succeeded,
                    word: "done".to_owned(),
                    ..failed(&task.to_string(), self.left)
                };
            }
            Step::Fails(task) => {
                self.tasks[task] = failed(&task.to_string(), self.left);
                self.happened[task].insert(self.left);
            }
            Step::Resolves(task) => {
                self.tasks[task].resolved = self.tasks[task].status == Status::Failed;
            }
            Step::Blurs(task) => {
                self.tasks[task] = Task {
                    status: Status::Unknown,
                    word: "blurred".to_owned(),
                    ..running(&task.to_string())
                };
            }
            Step::Moves(task) => self.newest[task] = !self.newest[task],
            Step::ById(fails) => self.by_id_fails = fails,
            Step::Fulls(fail) => {
                let error = fail.then(|| error(Reason::ServerError));
                self.rig.poller.source.full_fails = error;
            }
            Step::Steady => {
                let ended = self.rig.poller.poll_steadily().await;
                self.saw(ended.is_ok());
            }
            Step::Full => {
                let ended = self.rig.poller.poll().await;
                self.saw(ended.is_ok());
            }
            Step::Stretch => {
                let ended = self.rig.poller.poll_on(Instant::now()).await;
                if let Some(ended) = ended {
                    self.saw(ended.is_ok());
                }
            }
        }
        self.put();
    }

    /// Puts the tasks where the source has them.
    fn put(&mut self) {
        for (number, task) in self.tasks.iter_mut().enumerate() {
            task.operation = operation(number);
        }
        let source = &mut self.rig.poller.source;
        let places = || self.tasks.iter().cloned().zip(self.newest);
        source.newest = places()
            .filter(|place| place.1)
            .map(|place| place.0)
            .collect();
        source.deep = places()
            .filter(|place| !place.1)
            .map(|place| place.0)
            .collect();
        source.by_id.clear();
        for task in &self.tasks {
            let by_id = match self.trouble {
                _ if self.by_id_fails => ById::Fails(error(Reason::ServerError)),
                Trouble::TwoEnds(later) => ById::Tells(told_apart(task, later)),
                _ => continue,
            };
            source.by_id.insert(task.id.clone(), by_id);
        }
    }

    /// A poll showed one of the lists, and some tasks by their ids, if it went well.
    fn saw(&mut self, went_well: bool) {
        let (full, by_id) = self.read();
        if !went_well {
            assert_eq!(self.trouble, Trouble::Faults);
            return;
        }
        for (number, task) in self.tasks.iter().enumerate() {
            let listed = self.newest[number] || full;
            let by_id = !self.by_id_fails && by_id.iter().any(|(_, id)| *id == task.id);
            // What cannot be read ends no episode.
            if !listed && !by_id || task.status == Status::Unknown {
                continue;
            }
            let before = self.shown[number].replace(task.status);
            if task.status != Status::Failed {
                continue;
            }
            let entered = before != Some(Status::Failed);
            self.episodes[number] += usize::from(entered);
            if listed || entered {
                let end = 1_800_000_000 - task.ended.unwrap().as_second();
                self.told[number].insert(end);
            }
        }
        self.compare();
    }

    /// Whether a full poll came to its end since the last question, and which tasks
    /// were read by their ids. A steady poll may become a full one.
    fn read(&self) -> (bool, Vec<(Instant, String)>) {
        let source = &self.rig.poller.source;
        let by_id = std::mem::take(&mut *source.looked_up.lock().unwrap());
        let fulls = std::mem::take(&mut *source.fulls.lock().unwrap());
        (fulls > 0, by_id)
    }

    fn compare(&self) {
        for task in 0..TASKS {
            let counted = self.failures(task);
            let least = match self.trouble {
                Trouble::None => self.told[task].len(),
                Trouble::Faults | Trouble::TwoEnds(_) => self.episodes[task],
            };
            let most = self.happened[task].len();
            assert!(
                (least..=most).contains(&counted),
                "{counted} counted of task {task}, {least} told, {most} happened"
            );
        }
        let has_two_ends = matches!(self.trouble, Trouble::TwoEnds(_));
        assert!(has_two_ends || !self.rig.tells_apart());
    }

    fn failures(&self, task: usize) -> usize {
        let page = self.rig.page.borrow();
        match value(&page, Metric::Failures, &operation(task)) {
            Some(Value::Whole(count)) => usize::try_from(count).unwrap(),
            _ => 0,
        }
    }
}

/// The operation of a task, by which its counts are told from the others'.
fn operation(task: usize) -> String {
    format!("OPERATION_{task}")
}

/// The task with an end so many seconds later.
fn told_apart(task: &Task, later: i64) -> Task {
    let later = SignedDuration::from_secs(later);
    Task {
        ended: task.ended.map(|end| end + later),
        ..task.clone()
    }
}

fn run(trouble: Trouble) {
    let config = ProptestConfig {
        cases: HISTORIES,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let history = prop::collection::vec(step(trouble), 1..40);
    proptest!(config, |(steps in history)| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut history = History::new(trouble).await;
            for step in steps {
                history.step(step).await;
            }
        });
    });
}

#[test]
fn each_failure_that_a_list_showed_is_counted_and_none_twice() {
    run(Trouble::None);
}

#[test]
fn calls_that_fail_lose_no_episode_and_count_none_twice() {
    run(Trouble::Faults);
}

#[test]
fn two_ends_of_each_failure_lose_no_episode_and_count_none_twice() {
    for later in [-37, 37] {
        run(Trouble::TwoEnds(later));
    }
}
