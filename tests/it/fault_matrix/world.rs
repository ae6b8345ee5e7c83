//! A simulated system of any kind and its exporter, in the same words.

use virt_task_exporter::simulator::{Endpoint, Fault, TaskError, VcError, VsTask};
use virt_task_exporter::sources::{Reason, SourceError};

use crate::support::{Bench, Page, VcBench, VsBench, Watch, clone, task, watch};

/// A system, and how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    SddcManager,
    VcenterRest,
    VcenterApi,
    VirtShell,
}

/// One of each.
#[derive(Debug)]
pub(super) struct World {
    system: System,
    bench: Kind,
}

#[derive(Debug)]
enum Kind {
    SddcManager(Box<Bench>),
    Vcenter(Box<VcBench>),
    VirtShell(Box<VsBench>),
}

impl World {
    /// With further lines of configuration.
    pub(super) async fn new(system: System, keys: &str) -> Self {
        let keys = all_keys(system, keys);
        let bench = match system {
            System::SddcManager => Kind::SddcManager(Box::new(Bench::configured(&keys).await)),
            System::VcenterRest | System::VcenterApi => {
                Kind::Vcenter(Box::new(VcBench::with(&keys, |_| {}).await))
            }
            System::VirtShell => Kind::VirtShell(Box::new(VsBench::with(&keys, |_| {}).await)),
        };
        Self { system, bench }
    }

    pub(super) fn url(&self) -> String {
        match &self.bench {
            Kind::SddcManager(bench) => bench.url.clone(),
            Kind::Vcenter(bench) => bench.url.clone(),
            Kind::VirtShell(bench) => bench.url.clone(),
        }
    }

    /// Has an exporter that goes by another url.
    pub(super) fn look_through(&mut self, url: &str, keys: &str) {
        let keys = all_keys(self.system, keys);
        match &mut self.bench {
            Kind::SddcManager(bench) => bench.watch = Watch::new(url, &keys, bench.clock.clock()),
            Kind::Vcenter(bench) => bench.watch = VcBench::watch(url, &keys),
            Kind::VirtShell(bench) => bench.watch = watch(url, &keys, bench.clock.clock()),
        }
    }

    /// Polls once with two tasks and some more that run.
    pub(super) async fn begin(&mut self, more: usize) -> Page {
        // What is there at first is no news.
        self.poll().await;
        self.add("ends");
        self.add("goes");
        for number in 0..more {
            self.add(&format!("more-{number}"));
        }
        self.poll().await
    }

    /// The same, and then one of the tasks fails.
    pub(super) async fn start(&mut self, more: usize) -> Page {
        let page = self.begin(more).await;
        self.fail("ends");
        page
    }

    /// Polls until it goes well: a busy machine may need more time than is given to
    /// what never ends.
    pub(super) async fn poll(&mut self) -> Page {
        for _ in 0..20 {
            match self.try_poll().await {
                Ok(()) => break,
                Err(error) => assert_eq!(error.reason, Reason::Timeout, "{error:?}"),
            }
        }
        let page = self.page();
        page.metric("virt_source_up").is(1);
        page
    }

    pub(super) async fn try_poll(&mut self) -> Result<(), SourceError> {
        match &mut self.bench {
            Kind::SddcManager(bench) => bench.watch.try_poll().await,
            Kind::Vcenter(bench) => bench.watch.try_poll().await,
            Kind::VirtShell(bench) => bench.watch.try_poll().await,
        }
    }

    pub(super) fn page(&self) -> Page {
        match &self.bench {
            Kind::SddcManager(bench) => bench.watch.page(),
            Kind::Vcenter(bench) => bench.watch.page(),
            Kind::VirtShell(bench) => bench.watch.page(),
        }
    }

    fn add(&self, name: &str) {
        match &self.bench {
            Kind::SddcManager(bench) => drop(bench.sim.add(task(name))),
            Kind::Vcenter(bench) => drop(bench.sim.add(clone(name).running())),
            Kind::VirtShell(bench) => {
                let task = VsTask::new("create_instance").uuid(uuid(name));
                drop(bench.sim.add(task.status("pending")));
            }
        }
    }

    fn fail(&self, name: &str) {
        match &self.bench {
            Kind::SddcManager(bench) => bench.sim.fail(name, TaskError::new("CODE", "It failed")),
            Kind::Vcenter(bench) => {
                bench
                    .sim
                    .fail(&vc_id(name), VcError::new("ERROR", "It failed"));
            }
            Kind::VirtShell(bench) => bench.sim.set_status(&uuid(name), "error", "It failed"),
        }
    }

    pub(super) fn remove(&self, name: &str) {
        match &self.bench {
            Kind::SddcManager(bench) => bench.sim.remove(name),
            Kind::Vcenter(bench) => bench.sim.remove(&vc_id(name)),
            Kind::VirtShell(bench) => bench.sim.remove(&uuid(name)),
        }
    }

    /// Lets go of who is logged in.
    pub(super) fn expire(&self) {
        match &self.bench {
            Kind::SddcManager(bench) => bench.sim.expire_tokens(),
            Kind::Vcenter(bench) => bench.sim.expire_sessions(),
            Kind::VirtShell(_) => panic!("a VirtShell has no login"),
        }
    }

    pub(super) fn inject(&self, fault: Fault) {
        match &self.bench {
            Kind::SddcManager(bench) => bench.sim.inject(fault),
            Kind::Vcenter(bench) => bench.sim.inject(fault),
            Kind::VirtShell(bench) => bench.sim.inject(fault),
        }
    }

    pub(super) fn clear_faults(&self) {
        match &self.bench {
            Kind::SddcManager(bench) => bench.sim.clear_faults(),
            Kind::Vcenter(bench) => bench.sim.clear_faults(),
            Kind::VirtShell(bench) => bench.sim.clear_faults(),
        }
    }

    /// How often a call was made.
    pub(super) fn calls(&self, endpoint: Endpoint) -> usize {
        let endpoints: Vec<_> = match &self.bench {
            Kind::SddcManager(bench) => bench.sim.requests().iter().map(|r| r.endpoint).collect(),
            Kind::Vcenter(bench) => bench.sim.requests().iter().map(|r| r.endpoint).collect(),
            Kind::VirtShell(bench) => bench.sim.requests().iter().map(|r| r.endpoint).collect(),
        };
        endpoints.iter().filter(|each| **each == endpoint).count()
    }
}

fn all_keys(system: System, keys: &str) -> String {
    let dialect = match system {
        System::VcenterRest => "rest",
        System::VcenterApi => "api",
        System::SddcManager | System::VirtShell => return keys.to_owned(),
    };
    format!("dialect: {dialect}\nservices: [com.vmware.vcenter.VM]\n{keys}")
}

fn vc_id(name: &str) -> String {
    format!("{name}:com.vmware.vcenter.VM")
}

/// `/tasks/` of a VirtShell takes another word behind it for a status.
fn uuid(name: &str) -> String {
    let number = u32::from(name == "ends");
    format!("0f7b2a90-0000-4000-8000-{number:012}")
}
