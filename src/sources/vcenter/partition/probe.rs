//! Which services have one provider, found out with calls that cost little.

use std::sync::Arc;

use super::{Fault, Partition};

impl Partition {
    /// A service whose provider is not known yet, a provider that it may be of,
    /// and a service of that.
    pub(super) fn next_probe(&mut self) -> Option<(Arc<str>, usize, Arc<str>)> {
        if self.poll.probes_end {
            return None;
        }
        let mut nearest = None;
        for at in 0..self.groups.len() {
            let group = self.groups.get(at)?;
            if group.provider.is_some() || !group.proven || !group.node.is_partly_read() {
                nearest = group.provider.or(nearest);
                continue;
            }
            // Those before it in the list are the likeliest.
            let candidates = nearest.into_iter().chain(0..self.providers);
            let known = candidates.filter(|provider| !group.others.contains(provider));
            let probe = known.into_iter().find_map(|provider| {
                let of_it = self
                    .groups
                    .iter()
                    .find(|group| group.provider == Some(provider));
                Some((provider, Arc::clone(of_it?.services().first()?)))
            });
            if let Some((provider, neighbour)) = probe {
                return Some((Arc::clone(group.services().first()?), provider, neighbour));
            }
            let group = self.groups.get_mut(at)?;
            group.provider = Some(self.providers);
            nearest = group.provider;
            self.providers += 1;
        }
        None
    }

    /// Takes in that the service is of the provider.
    pub(super) fn found(&mut self, name: &Arc<str>, provider: usize) {
        if let Some(group) = self
            .groups
            .iter_mut()
            .find(|group| group.services().contains(name))
        {
            group.provider = Some(provider);
        }
    }

    /// Takes in that a probe failed.
    pub(super) fn probe_failed(&mut self, name: &Arc<str>, provider: usize, fault: Fault) {
        match fault {
            // That there are too many tasks is said only where both are of one.
            Fault::Capped => self.found(name, provider),
            Fault::Unavailable | Fault::Lost => self.poll.probes_end = true,
            Fault::Refused | Fault::Unclear => {
                let mut groups = self.groups.iter_mut();
                if let Some(group) = groups.find(|group| group.services().contains(name)) {
                    group.others.insert(provider);
                }
            }
        }
    }
}
