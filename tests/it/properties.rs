use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use virt_task_exporter::ledger::{Ledger, Limits};
use virt_task_exporter::task::{Call, Listing, Status, Task, TaskKey};

use crate::support::{HeldClock, Stub, Watch, json};

const OPERATIONS: [&str; 2] = ["UPGRADE", "HOST_COMMISSION"];

/// What happens at the source between two polls.
#[derive(Debug, Clone)]
enum Act {
    Birth,
    /// A task, by its place, ends so; only if it runs.
    End(usize, Status),
    /// A failed task runs again.
    Retry(usize),
    Remove(usize),
    /// The list is read, whole or not.
    Poll {
        whole: bool,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let place = 0..8_usize;
    prop_oneof![
        3 => Just(Act::Birth),
        4 => (place.clone(), proptest::sample::select(&Status::OUTCOMES[..])).prop_map(|(at, status)| Act::End(at, status)),
        2 => place.clone().prop_map(Act::Retry),
        1 => place.prop_map(Act::Remove),
        5 => prop::bool::weighted(0.8).prop_map(|whole| Act::Poll { whole }),
    ]
}

/// A source that is trivially simple: its tasks, and when what ended last.
#[derive(Default)]
struct Source {
    tasks: Vec<Task>,
    born: usize,
}

impl Source {
    fn act(&mut self, act: &Act, now: Timestamp) {
        match act {
            Act::Birth => {
                self.tasks.push(task(self.born, now));
                self.born += 1;
            }
            Act::End(at, status) => {
                if let Some(task) = self
                    .tasks
                    .get_mut(*at)
                    .filter(|task| !task.status.is_outcome())
                {
                    (task.status, task.ended) = (*status, Some(now));
                    status.as_str().clone_into(&mut task.word);
                }
            }
            Act::Retry(at) => {
                if let Some(task) = self
                    .tasks
                    .get_mut(*at)
                    .filter(|task| task.status == Status::Failed)
                {
                    (task.status, task.ended) = (Status::Running, None);
                    "running".clone_into(&mut task.word);
                }
            }
            Act::Remove(at) if *at < self.tasks.len() => drop(self.tasks.remove(*at)),
            Act::Remove(_) | Act::Poll { .. } => {}
        }
    }

    fn listing(&self, whole: bool, ledger: &Ledger) -> Listing {
        let mut listing = Listing::new();
        for task in &self.tasks {
            listing.meet("tasks", Call::List, task.clone());
        }
        listing.read("tasks", whole);
        for (_, id) in ledger.missing(&listing) {
            listing.gone(TaskKey::of(&id));
        }
        listing
    }
}

fn task(number: usize, now: Timestamp) -> Task {
    Task {
        id: format!("t{number}"),
        name: String::new(),
        operation: OPERATIONS[number % 2].to_owned(),
        status: Status::Running,
        word: "running".to_owned(),
        started: Some(now),
        ended: None,
        invalid_timestamps: false,
        resolved: false,
        retryable: None,
        resources: Vec::new(),
        errors: Vec::new(),
        subtasks: Vec::new(),
        progress: None,
    }
}

fn ledger() -> Ledger {
    Ledger::new(Limits {
        retention: Duration::from_secs(30 * 86_400),
        failure_open_for: Duration::from_secs(30 * 86_400),
        operations: 10,
        subtask_names: 10,
        error_codes: 10,
    })
}

/// Every counter by a name of its own.
fn counters(ledger: &Ledger) -> BTreeMap<String, u64> {
    let totals = ledger.totals();
    let mut all = BTreeMap::new();
    let plain = [("started", &totals.started), ("vanished", &totals.vanished)];
    for (name, counts) in plain {
        all.extend(
            counts
                .iter()
                .map(|(of, count)| (format!("{name} {of:?}"), *count)),
        );
    }
    all.extend(
        totals
            .finished
            .iter()
            .map(|(of, count)| (format!("finished {of:?}"), *count)),
    );
    all.extend(
        totals
            .failures
            .iter()
            .map(|(of, count)| (format!("failures {of:?}"), *count)),
    );
    let durations = totals.durations.iter();
    all.extend(durations.map(|(of, took)| (format!("durations {of:?}"), took.count())));
    all
}

/// What the reference knows of one task: how it stood when it was listed last.
type Seen = BTreeMap<String, (Status, Option<Timestamp>)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_a_simple_reference(acts in prop::collection::vec(act(), 1..80)) {
        let (mut source, mut ledger) = (Source::default(), ledger());
        let mut now: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let (mut seen, mut baseline) = (Seen::new(), true);
        let (mut started, mut vanished) = (0_u64, BTreeSet::new());
        let mut finished: BTreeMap<Status, u64> = BTreeMap::new();
        for act in &acts {
            now += SignedDuration::from_secs(5);
            source.act(act, now);
            let Act::Poll { whole } = *act else { continue };
            let before = counters(&ledger);
            ledger.apply(source.listing(whole, &ledger), now);
            for task in &source.tasks {
                let known = seen.insert(task.id.clone(), (task.status, task.ended));
                let history = baseline && known.is_none() && task.status.is_outcome();
                started += u64::from(known.is_none() && !history);
                if task.status.is_outcome() && known != Some((task.status, task.ended)) && !history {
                    *finished.entry(task.status).or_default() += 1;
                }
            }
            if whole {
                baseline = false;
                for (id, (status, _)) in &seen {
                    let listed = source.tasks.iter().any(|task| task.id == *id);
                    if !listed && status.is_unfinished() {
                        vanished.insert(id.clone());
                    }
                }
            }
            let after = counters(&ledger);
            for (name, count) in &before {
                prop_assert!(after.get(name) >= Some(count), "{name} fell");
            }
            let sum = |of: &str| after.iter().filter(|(name, _)| name.starts_with(of)).map(|(_, count)| count).sum::<u64>();
            prop_assert_eq!(sum("started"), started);
            prop_assert_eq!(sum("vanished"), u64::try_from(vanished.len()).unwrap());
            for status in Status::OUTCOMES {
                let totals = ledger.totals().finished.iter();
                let counted: u64 = totals.filter(|((_, each), _)| *each == status).map(|(_, count)| *count).sum();
                prop_assert_eq!(counted, finished.get(&status).copied().unwrap_or_default(), "{:?}", status);
            }
            prop_assert_eq!(sum("durations"), sum("finished"));
            // The same listing at the same time changes nothing.
            prop_assert_eq!(ledger.apply(source.listing(whole, &ledger), now), vec![]);
            prop_assert_eq!(counters(&ledger), after);
            let listed: u64 = ledger.operations().iter().map(|(_, number)| ledger.counts(number).total()).sum();
            if whole {
                prop_assert_eq!(listed, u64::try_from(source.tasks.len()).unwrap());
                let open = source.tasks.iter().filter(|task| task.status.is_unfinished() || task.status == Status::Failed);
                prop_assert_eq!(ledger.open().count(), open.count());
            }
        }
    }
}

/// JSON of any shape, with the keys that mean something among others.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let key = prop_oneof![
        proptest::sample::select(vec![
            "id",
            "name",
            "type",
            "status",
            "creationTimestamp",
            "completionTimestamp",
            "subTasks",
            "stages",
            "errors",
            "errorCode",
            "nestedErrors",
            "causes",
            "resources",
            "resourceId",
            "elements",
            "pageMetadata",
            "pageNumber",
            "totalElements",
            "totalPages",
        ])
        .prop_map(str::to_owned),
        ".*",
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
        proptest::sample::select(vec![
            "FAILED",
            "IN_PROGRESS",
            "2026-11-20T15:00:00Z",
            "9223372036854775807"
        ])
        .prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Polls a source that answers `page` twice; whatever comes of it can be read.
fn survives(page: &str) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let body = json(page);
        let stub = Stub::new(move |_| body.clone()).await;
        let mut watch = Watch::new(&stub.url, "", HeldClock::new().clock());
        let polled = watch.try_poll().await.is_ok();
        let first = watch.page();
        prop_assert_eq!(watch.try_poll().await.is_ok(), polled);
        prop_assert_eq!(first.tasks().len(), watch.page().tasks().len());
        first.metric("virt_exporter_poller_panics_total").is(0);
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_page_is_read_or_refused(page in value()) {
        survives(&page.to_string())?;
    }

    #[test]
    fn any_elements_are_tasks_or_skipped(elements in prop::collection::vec(value(), 0..6), id in ".*") {
        let mut elements = elements;
        for element in &mut elements {
            if let Some(fields) = element.as_object_mut() {
                fields.entry("id").or_insert_with(|| id.clone().into());
            }
        }
        survives(&serde_json::json!({ "elements": elements }).to_string())?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".*", cut in 0..400_usize) {
        survives(&text)?;
        let page = include_str!("../fixtures/sddc_manager/list_5.json");
        let cut: String = page.chars().take(cut).chain(text.chars()).collect();
        survives(&cut)?;
    }
}
