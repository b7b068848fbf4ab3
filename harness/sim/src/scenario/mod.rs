//! What happens in a run: which workflows and activities there are, what clients do, what must hold in the end.
mod storm;

pub use storm::Storm;

use crate::check::Violation;
use crate::draw::{Decisions, Draw};
use crate::fault::{FaultPlan, PlannedFault, Targets};
use crate::observe::Observations;
use crate::worker::{Client, ProtocolWorker, Registrations};
use futures::future::BoxFuture;
use std::sync::Arc;

/// A kind of run. It is only a description: [`Scenario::prepare`] makes the workload of one seed.
pub trait Scenario: Send + Sync + 'static {
    /// As on the command line.
    fn name(&self) -> &str;
    /// One sentence for `tempest scenarios`.
    fn about(&self) -> &str;
    /// Draws sizes and switches of this run as options, and builds what outlives every crash: models, counters.
    fn prepare(&self, draw: &mut Draw<'_>, decisions: &Decisions) -> Arc<dyn Workload>;
    /// Draws options of the world in its own way, before the world does: the first draw of a name counts.
    fn adjust(&self, _draw: &mut Draw<'_>) {}
    /// Faults that belong to the scenario, beside those of the storm. Their parameters are drawn as options, too.
    fn faults(&self, _draw: &mut Draw<'_>, _targets: &Targets) -> Vec<PlannedFault> {
        Vec::new()
    }
    /// All faults, in place of those that would be drawn.
    fn plan(&self) -> Option<FaultPlan> {
        None
    }
}

/// What one run does.
pub trait Workload: Send + Sync + 'static {
    /// Workflows and activities, registered anew for each worker that starts.
    fn register(&self) -> Registrations;
    /// What the worker of that number (from 0) is, if it does not run on the official SDK.
    fn protocol_worker(&self, _number: usize) -> Option<ProtocolWorker> {
        None
    }
    /// What it does as a text, where that is a program: with it, a repetition needs no drawing.
    fn program(&self) -> Option<String> {
        None
    }
    /// Whether workers or clients use the official SDK. Without it, a run can take place in every world.
    fn needs_sdk(&self) -> bool {
        true
    }
    /// What each worker that starts waits for before it connects: nothing, unless workers are to come late.
    fn before_work(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    /// What clients do, on a host of their own that does not crash. It ends once everything it waits for has happened.
    fn clients(&self, client: Client) -> BoxFuture<'static, anyhow::Result<()>>;
    /// What must hold beside the invariants.
    fn check(&self, _observations: &Observations) -> Vec<Violation> {
        Vec::new()
    }
    /// Workflow ids of runs that stay open on purpose.
    fn may_stay_open(&self) -> Vec<String> {
        Vec::new()
    }
}
