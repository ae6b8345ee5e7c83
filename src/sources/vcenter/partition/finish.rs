//! The end of a poll: what was read, and what is asked for together next time.

use std::sync::Arc;
use std::time::Instant;

use super::group::Group;
use super::service::Service;
use super::{Coverage, Partition, only};

impl Partition {
    /// Ends a poll that failed as a whole. If nothing answered, though calls did
    /// before, nothing is to be learnt from that.
    pub(in crate::sources::vcenter) fn abandon(&mut self) {
        if self.has_answered() || self.before.is_empty() {
            return;
        }
        self.groups = std::mem::take(&mut self.before);
        for name in self.groups.iter().flat_map(Group::services) {
            self.services
                .entry(Arc::clone(name))
                .and_modify(Service::wake);
        }
    }

    /// Ends a poll: says how much of each service was read, those that never
    /// answered left out, and puts together what got small.
    pub(in crate::sources::vcenter) fn finish(
        &mut self,
        now: Instant,
    ) -> Vec<(Arc<str>, Coverage)> {
        let mut coverage = std::mem::take(&mut self.poll.given_up);
        let resting = self.services.iter();
        let resting = resting.filter(|(_, service)| service.is_resting() && service.answered);
        coverage.extend(resting.map(|(name, _)| (Arc::clone(name), Coverage::Partial)));
        for group in &self.groups {
            let how = group.node.coverage();
            let answered = |name: &&Arc<str>| {
                self.services
                    .get(*name)
                    .is_some_and(|service| service.answered)
            };
            let names = group.services().iter().filter(answered);
            coverage.extend(names.map(|name| (Arc::clone(name), how)));
        }
        self.collapse(now);
        self.join(now);
        coverage
    }

    /// Asks for a service in one call again where none of its parts answered.
    fn collapse(&mut self, now: Instant) {
        for group in &mut self.groups {
            let service = only(group.services()).and_then(|name| self.services.get_mut(name));
            if let Some(service) =
                service.filter(|_| !group.node.is_leaf() && !group.node.is_partly_read())
            {
                group.node.collapse();
                service.keep_whole(now);
            }
        }
    }

    /// Puts groups of one provider together, as far as they are small.
    fn join(&mut self, now: Instant) {
        let mut joined: Vec<Group> = Vec::new();
        for mut group in std::mem::take(&mut self.groups) {
            group.node.merge();
            match joined.iter_mut().find(|other| other.admits(&group, now)) {
                Some(other) => other.admit(&group),
                None => joined.push(group),
            }
        }
        self.groups = joined;
    }
}
