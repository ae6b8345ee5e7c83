//! An SDDC Manager, a vCenter and a VirtShell server in memory, with their
//! tasks APIs, traps and faults.
//!
//! [`SddcManager`], [`Vcenter`] and [`VirtShell`] are the doors: each serves its API over HTTP
//! and is the handle by which a test or a demonstration changes what is behind it. Time comes
//! from a [`Clock`](crate::clock::Clock), chance from a seed, so that the same
//! script gives the same answers.
//!
//! ```
//! use virt_task_exporter::clock::Clock;
//! use virt_task_exporter::simulator::{SddcManager, SddcManagerOptions, SimTask, TaskError, TaskStatus};
//!
//! let sddc = SddcManager::new(Clock::system(), SddcManagerOptions::default());
//! let id = sddc.add(SimTask::new("UPGRADE", "Upgrade of ESXi").running());
//! sddc.fail(&id, TaskError::new("UPGRADE_PRECHECK_FAILED", "Checks found errors"));
//! assert!(sddc.retry(&id));
//! sddc.advance(&id);
//! assert_eq!(sddc.task(&id).map(|task| task.status), Some(TaskStatus::Successful));
//! assert_eq!(sddc.totals().ended(TaskStatus::Failed), 1);
//! ```

mod agenda;
mod call;
mod error;
mod fault;
mod handles;
mod history;
mod listing;
mod options;
mod query;
mod recipe;
mod recipes;
mod reply;
mod routes;
mod row;
mod sddc_manager;
mod sessions;
mod stamp;
mod state;
mod status;
mod sub_task;
mod task;
mod tasks;
mod totals;
mod vcenter;
mod virtshell;
mod wire;
mod workload;

pub use call::{Endpoint, RequestRecord};
pub use error::{Cause, Resource, TaskError};
pub use fault::{Fault, FaultKind};
pub use options::{NaturalOrder, OrderBy, Paging, SddcManagerOptions};
pub use recipe::{FailureRecipe, Recipe, ResourceKind, StepRecipe};
pub use recipes::RECIPES;
pub use sddc_manager::SddcManager;
pub use state::Snapshot;
pub use status::{StatusCase, TaskStatus};
pub use sub_task::{Stage, SubTask};
pub use task::SimTask;
pub use totals::{Failure, Totals};
pub use vcenter::{
    ErrorForm, Provider, ProviderState, VcError, VcRequest, VcStatus, VcTarget, VcTask, VcTotals,
    VcWorkload, Vcenter, VcenterOptions,
};
pub use virtshell::{
    VirtShell, VirtShellOptions, VsAuth, VsOutcome, VsRequest, VsShape, VsTask, VsTotals,
    VsWorkload,
};
pub use workload::Workload;

#[cfg(test)]
mod tests;
