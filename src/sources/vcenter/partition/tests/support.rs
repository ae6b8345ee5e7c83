//! A vCenter of a few lines: what a list call of it answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Coverage, Fault, Filter, Partition, Statuses};

/// The most tasks of one call.
const CAP: usize = 1000;

/// Services, of which those with the same text before the dot have one provider.
pub(super) struct Fake {
    pub(super) partition: Partition,
    names: Vec<String>,
    tasks: BTreeMap<(String, String), BTreeMap<&'static str, usize>>,
    dead: BTreeMap<String, Cause>,
    /// Whether its errors do not say what is wrong.
    pub(super) mute: bool,
    /// Whether every call fails without saying why.
    pub(super) ill: bool,
    /// Two services that cannot be asked for together.
    pub(super) hates: Option<(String, String)>,
    now: Instant,
    /// How much time passes before a poll.
    pub(super) step: Duration,
}

/// Why a service does not answer.
#[derive(Clone, Copy)]
pub(super) enum Cause {
    Refused,
    Unavailable,
    /// Any call, also for a part.
    Unclear,
}

/// What happened in one poll.
pub(super) struct Poll {
    pub(super) calls: usize,
    pub(super) failed: usize,
    pub(super) tasks: usize,
    pub(super) hopeless: bool,
    pub(super) whole: Vec<String>,
    pub(super) unfinished: Vec<String>,
    pub(super) partial: Vec<String>,
    pub(super) asked: Vec<Filter>,
}

impl Fake {
    pub(super) fn new(names: &[&str]) -> Self {
        Self {
            partition: partition(names, &BTreeMap::new()),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            tasks: BTreeMap::new(),
            dead: BTreeMap::new(),
            mute: false,
            ill: false,
            hates: None,
            now: tokio::time::Instant::now().into_std(),
            step: Duration::ZERO,
        }
    }

    /// Adds tasks of a service.
    pub(super) fn fill(&mut self, name: &str, operation: &str, status: Statuses, count: usize) {
        let key = (name.to_owned(), operation.to_owned());
        let word = status.words().first().unwrap();
        *self.tasks.entry(key).or_default().entry(word).or_default() += count;
    }

    /// Removes the tasks of a service.
    pub(super) fn clear(&mut self, name: &str) {
        self.tasks.retain(|(service, _), _| service != name);
    }

    /// Builds an operation in; the partition begins anew.
    pub(super) fn knows(&mut self, name: &str, operation: &str) {
        let known = self.tasks.entry((name.to_owned(), operation.to_owned()));
        known.or_default();
        let mut operations: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
        for (service, operation) in self.tasks.keys() {
            operations
                .entry(service)
                .or_default()
                .push(operation.as_str().into());
        }
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        self.partition = partition(&names, &operations);
    }

    pub(super) fn dead(&mut self, name: &str, cause: Cause) {
        self.dead.insert(name.to_owned(), cause);
    }

    pub(super) fn alive(&mut self, name: &str) {
        self.dead.remove(name);
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Makes all calls of a poll.
    pub(super) fn poll(&mut self) -> Poll {
        self.now += self.step;
        self.partition.begin(self.now);
        let mut poll = Poll {
            calls: 0,
            failed: 0,
            tasks: 0,
            hopeless: false,
            whole: Vec::new(),
            unfinished: Vec::new(),
            partial: Vec::new(),
            asked: Vec::new(),
        };
        while let Some(filter) = self.partition.next() {
            poll.calls += 1;
            assert!(poll.calls < 1000, "it does not end: {filter:?}");
            match self.list(&filter) {
                Ok(count) => {
                    poll.tasks += count;
                    self.partition.answered(count);
                }
                Err(fault) => {
                    poll.failed += 1;
                    self.partition.failed(fault, self.now);
                }
            }
            poll.asked.push(filter);
            if self.partition.is_hopeless() {
                break;
            }
        }
        if !self.partition.has_answered() {
            poll.hopeless = true;
            self.partition.abandon();
            return poll;
        }
        for (name, coverage) in self.partition.finish(self.now) {
            match coverage {
                Coverage::Whole => poll.whole.push(name.to_string()),
                Coverage::Unfinished => poll.unfinished.push(name.to_string()),
                Coverage::Partial => poll.partial.push(name.to_string()),
            }
        }
        poll.whole.sort();
        poll.partial.sort();
        poll
    }

    /// What a call answers.
    fn list(&mut self, filter: &Filter) -> Result<usize, Fault> {
        let heard = |fault| if self.mute { Fault::Unclear } else { fault };
        let asks = |name: &String| filter.services.iter().any(|each| **each == **name);
        let hates = self
            .hates
            .as_ref()
            .is_some_and(|(one, other)| asks(one) && asks(other));
        if self.ill || hates {
            return Err(Fault::Unclear);
        }
        let provider = |name: &str| name.split('.').next().unwrap().to_owned();
        let first = provider(&filter.services[0]);
        for name in &filter.services {
            match self.dead.get(&**name) {
                Some(Cause::Unavailable) => return Err(Fault::Unavailable),
                Some(Cause::Unclear) => return Err(Fault::Unclear),
                Some(Cause::Refused) => return Err(heard(Fault::Refused)),
                None if provider(name) != first => return Err(heard(Fault::Refused)),
                None => {}
            }
        }
        let words = filter.statuses.words();
        let mut count = 0;
        let mut met = Vec::new();
        for ((service, operation), tasks) in &self.tasks {
            let named = |names: &[Arc<str>], name: &str| names.iter().any(|each| **each == *name);
            let asked = filter.operations.is_empty() || named(&filter.operations, operation);
            if !named(&filter.services, service) || !asked {
                continue;
            }
            let fits = tasks
                .iter()
                .filter(|(word, _)| words.is_empty() || words.contains(word));
            let fitting: usize = fits.map(|(_, count)| count).sum();
            if fitting > 0 {
                met.push((service.clone(), operation.clone()));
            }
            count += fitting;
        }
        if count > CAP {
            return Err(heard(Fault::Capped));
        }
        for (service, operation) in met {
            self.partition.met(&service, &operation);
        }
        Ok(count)
    }
}

fn partition(names: &[&str], operations: &BTreeMap<&str, Vec<Arc<str>>>) -> Partition {
    let of = |name: &&str| operations.get(name).cloned().unwrap_or_default();
    Partition::new(names.iter().map(|name| ((*name).into(), of(name))))
}
