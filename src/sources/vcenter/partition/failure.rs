//! What a call that failed tells.

use std::time::Instant;

use super::filter::Statuses;
use super::{Asked, Coverage, Fault, Filter, PATIENCE, Partition, only};

impl Partition {
    /// Takes in that the call failed.
    pub(in crate::sources::vcenter) fn failed(&mut self, fault: Fault, now: Instant) {
        if fault == Fault::Unavailable {
            self.poll.unavailable += 1;
        }
        match self.poll.asked.take() {
            Some(Asked::Tasks(filter)) => self.not_read(&filter, fault, now),
            Some(Asked::Provider(name, provider)) => self.probe_failed(&name, provider, fault),
            None => {}
        }
        if self.poll.unavailable >= PATIENCE {
            let sound = |filter: &Filter| {
                let mut groups = self.groups.iter();
                groups.any(|group| group.is_sound() && group.covers(filter))
            };
            self.poll.queue.retain(sound);
        }
    }

    /// Whether nothing answers, and further calls would only be a burden.
    pub(in crate::sources::vcenter) fn is_hopeless(&self) -> bool {
        !self.has_answered() && self.poll.unavailable >= PATIENCE
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
            None => self.not_read_together(at, fault),
        }
    }

    /// A call for several services failed.
    fn not_read_together(&mut self, at: usize, fault: Fault) {
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        if fault == Fault::Unavailable && !group.missed() {
            return;
        }
        // Only a refusal makes it doubtful that the halves belong together.
        let halves = self.groups.remove(at).halves(fault != Fault::Refused);
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
            Fault::Refused | Fault::Unavailable => false,
        };
        if may_be_capped {
            let parts = group.node.split_at(filter, service.operations());
            // What has not ended comes first, in front of all that waits.
            for part in parts.into_iter().rev() {
                self.poll.queue.push_front(part);
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
        if service.answered {
            group.missed();
        } else {
            service.rest(fault, now);
            self.groups.remove(at);
            self.poll
                .queue
                .retain(|queued| queued.services != filter.services);
        }
    }
}
