//! What tasks of one kind look like.

use jiff::Timestamp;

use super::error::{Resource, TaskError};
use super::history::uuid;
use super::status::StatusCase;
use super::sub_task::SubTask;
use super::task::SimTask;

/// What tasks of one kind look like, how long they take and how they fail.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The `type`, which may be missing.
    pub operation: Option<&'static str>,
    /// The name, with `{host}` and `{domain}` to be filled in.
    pub name: &'static str,
    /// The steps, in order; names may have the same gaps.
    pub steps: &'static [StepRecipe],
    /// The least and the most length, in units of the workload's pace
    /// (a second in a demonstration, a minute in history).
    pub length: (u32, u32),
    /// How many of a hundred fail.
    pub failing: u32,
    /// The ways to fail, all as likely.
    pub failures: &'static [FailureRecipe],
    /// What it works on.
    pub resource: ResourceKind,
    /// How often it comes, compared with the others.
    pub weight: u32,
    /// Whether it can be cancelled while it runs.
    pub cancellable: bool,
    /// Whether `PATCH /v1/tasks/{id}` retries it; credential tasks have a
    /// call of their own, so a workload retries them all the same.
    pub retryable: bool,
    /// How its status is spelt.
    pub case: StatusCase,
}

/// A step of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct StepRecipe {
    /// The machine's name.
    pub name: &'static str,
    /// What it does, for people.
    pub description: &'static str,
    /// Steps inside it.
    pub parts: &'static [Self],
    /// Stages of it.
    pub stages: &'static [&'static str],
}

/// A way to fail.
#[derive(Clone, Copy, Debug)]
pub struct FailureRecipe {
    /// The name of the step that fails, which has no steps inside.
    pub step: &'static str,
    /// The error code.
    pub code: &'static str,
    /// The message.
    pub message: &'static str,
    /// The advice.
    pub remediation: &'static str,
}

/// What a recipe's tasks work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// One of some dozens of hosts.
    Host,
    /// A workload domain.
    Domain,
    /// The SDDC Manager itself.
    SddcManager,
    /// A vCenter.
    Vcenter,
    /// An NSX manager.
    NsxManager,
}

impl StepRecipe {
    /// A step without parts.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            parts: &[],
            stages: &[],
        }
    }

    /// With steps inside it.
    #[must_use]
    pub const fn parts(mut self, parts: &'static [Self]) -> Self {
        self.parts = parts;
        self
    }

    /// With stages.
    #[must_use]
    pub const fn stages(mut self, stages: &'static [&'static str]) -> Self {
        self.stages = stages;
        self
    }

    fn build(&self, place: &Place) -> SubTask {
        let mut step = SubTask::new(place.fill(self.name), Timestamp::UNIX_EPOCH);
        step.description = place.fill(self.description);
        step.kind = Some("ACTION".to_owned());
        for stage in self.stages {
            step = step.stage(*stage);
        }
        step.sub_tasks = self.parts.iter().map(|part| part.build(place)).collect();
        step
    }
}

impl FailureRecipe {
    /// The error that a task of the recipe fails with.
    pub(super) fn error(&self, task: &SimTask) -> TaskError {
        let target = task.resources.first().and_then(|r| r.fqdn.clone());
        let target = target.unwrap_or_default();
        let mut error = TaskError::new(self.code, self.message)
            .remediation(self.remediation)
            .cause(
                "com.vmware.evo.sddc.orchestrator.exceptions.OrchTaskException",
                format!("{}: {target}", self.message),
            );
        error.arguments = vec![target.clone()];
        error.context.insert("resource".to_owned(), target);
        error.reference_token = self
            .code
            .chars()
            .rev()
            .filter(|c| *c != '_')
            .take(6)
            .collect();
        error
    }
}

/// Where a task happens.
struct Place {
    host: String,
    domain: String,
}

impl Place {
    fn fill(&self, template: &str) -> String {
        template
            .replace("{host}", &self.host)
            .replace("{domain}", &self.domain)
    }
}

impl Recipe {
    /// A pending task without id, planned at the epoch.
    pub(super) fn build(&self, rng: &mut fastrand::Rng) -> SimTask {
        let domain = rng.u32(1..=4);
        let place = Place {
            host: format!("sfo{domain:02}-esx{:02}.rainpole.io", rng.u32(1..=24)),
            domain: format!("sfo-w{domain:02}"),
        };
        let mut task = SimTask::untyped(place.fill(self.name)).case(self.case);
        task.operation = self.operation.map(str::to_owned);
        task.cancellable = self.cancellable;
        task.retryable = self.retryable;
        task.sub_tasks = self.steps.iter().map(|step| step.build(&place)).collect();
        let (kind, fqdn) = match self.resource {
            ResourceKind::Host => ("HOST", place.host),
            ResourceKind::Domain => ("DOMAIN", format!("{}.rainpole.io", place.domain)),
            ResourceKind::SddcManager => ("SDDC_MANAGER", "sfo-vcf01.rainpole.io".to_owned()),
            ResourceKind::Vcenter => ("VCENTER", format!("{}-vc01.rainpole.io", place.domain)),
            ResourceKind::NsxManager => (
                "NSXT_MANAGER",
                format!("{}-nsx01.rainpole.io", place.domain),
            ),
        };
        // The same thing has the same id in all of its tasks.
        let seed = fqdn.bytes().fold(7_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let id = uuid(fastrand::Rng::with_seed(seed).u128(..));
        task.resource(Resource::new(id, kind).fqdn(fqdn))
    }
}
