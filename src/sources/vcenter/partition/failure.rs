//! What a call that failed tells.

use std::time::Instant;

use super::filter::Statuses;
use super::{Asked, Coverage, Fault, Filter, PATIENCE, Partition, only};

impl Partition {
    /// Takes in that the call failed.
    pub(in crate::sources::vcenter) fn failed(&mut self, fault: Fault, now: Instant) {
        let fault = self.weigh(fault);
        match self.poll.asked.take() {
            Some(Asked::Tasks(filter)) => self.not_read(&filter, fault, now),
            Some(Asked::Provider(name, provider)) => self.probe_failed(&name, provider, fault),
            None => {}
        }
        if self.is_too_much() {
            let sound = |filter: &Filter| {
                let mut groups = self.groups.iter();
                groups.any(|group| group.is_sound() && group.covers(filter))
            };
            self.poll.queue.retain(sound);
        }
    }

    /// Counts a fault, and says what it is apart from its weight.
    fn weigh(&mut self, fault: Fault) -> Fault {
        let poll = &mut self.poll;
        poll.failures += 1;
        match fault {
            Fault::Refused => {}
            Fault::Unavailable => poll.unavailable += 1,
            // Each costs as much time as the longest call.
            Fault::Lost => poll.unavailable += 3,
            Fault::Capped | Fault::Unclear => poll.unclear += 1,
        }
        if fault == Fault::Lost {
            Fault::Unavailable
        } else {
            fault
        }
    }

    fn is_too_much(&self) -> bool {
        self.poll.unavailable >= PATIENCE.unavailable || self.poll.unclear >= PATIENCE.unclear
    }

    /// Whether nothing answers, and further calls would only be a burden.
    pub(in crate::sources::vcenter) fn is_hopeless(&self) -> bool {
        // Where calls answered before, they are not all wrong at once.
        let many = self.poll.failures >= PATIENCE.unavailable;
        let doubtful = many && !self.before.is_empty();
        !self.has_answered() && (doubtful || self.is_too_much())
    }

    /// Whether any call of this poll answered.
    pub(in crate::sources::vcenter) fn has_answered(&self) -> bool {
        self.poll.answers > 0
    }

    fn not_read(&mut self, filter: &Filter, fault: Fault, now: Instant) {
        let Some(at) = self.groups.iter().position(|group| group.covers(filter)) else {
            return;
        };
        match only(&filter.services) {
            Some(_) => self.not_read_alone(at, filter, fault, now),
            None => self.not_read_together(at, fault, now),
        }
    }

    /// A call for several services failed.
    fn not_read_together(&mut self, at: usize, fault: Fault, now: Instant) {
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        if fault == Fault::Unavailable && !group.missed() {
            return;
        }
        // Only a refusal makes it doubtful that the halves belong together.
        let halves = self.groups.remove(at).halves(fault != Fault::Refused, now);
        let filters = halves.iter().map(|half| half.node.filter.clone());
        self.poll.queue.extend(filters);
        self.groups.splice(at..at, halves);
    }

    /// A call for one service, or for a part of it, failed.
    fn not_read_alone(&mut self, at: usize, filter: &Filter, fault: Fault, now: Instant) {
        let service = only(&filter.services).and_then(|name| self.services.get_mut(name));
        let (Some(group), Some(service)) = (self.groups.get_mut(at), service) else {
            return;
        };
        let whole = filter.statuses == Statuses::Any;
        let may_be_capped = match fault {
            Fault::Capped => true,
            // A part that answers will show that the whole was too much.
            Fault::Unclear => whole || service.answered,
            Fault::Refused | Fault::Unavailable | Fault::Lost => false,
        };
        if may_be_capped && service.may_be_split(now) {
            if filter.is_by_operations() && !group.node.is_partly_read() {
                self.poll.held.push(filter.clone());
            } else {
                self.split(filter);
            }
            return;
        }
        let gone = service.answered && fault == Fault::Refused && service.refused(now);
        if gone {
            // It has no tasks any more; those that it had are looked for by their ids.
            let names = filter.services.iter().cloned();
            self.poll
                .given_up
                .extend(names.map(|name| (name, Coverage::Whole)));
        }
        if !service.answered || group.failed() {
            service.rest(fault, now);
            self.groups.remove(at);
            self.poll
                .queue
                .retain(|queued| queued.services != filter.services);
        }
    }

    /// Splits a call for one service, or for a part of it.
    pub(super) fn split(&mut self, filter: &Filter) {
        let service = only(&filter.services).and_then(|name| self.services.get(name));
        let group = self.groups.iter_mut().find(|group| group.covers(filter));
        let (Some(group), Some(service)) = (group, service) else {
            return;
        };
        let parts = group.node.split_at(filter, service.operations());
        // What has not ended comes first, in front of all that waits.
        for part in parts.into_iter().rev() {
            self.poll.queue.push_front(part);
        }
    }
}
