//! What happens in a run: which workflows and activities there are, what clients do, what must hold in the end.
use crate::check::{Observations, Violation};
use crate::explore::{Decisions, Draw};
use crate::fault::{PlannedFault, Targets};
use crate::worker::Client;
use futures::future::BoxFuture;
use std::sync::Arc;
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::activities::ActivityImplementer;
use temporalio_sdk::workflow_replayer::{WorkflowReplayerOptions, WorkflowReplayerOptionsBuilder};
use temporalio_sdk::workflows::WorkflowImplementation;
use temporalio_sdk::{WorkerOptions, WorkerOptionsBuilder, WorkflowRegistrationError};

/// The task queue that all workers of a world poll.
pub const TASK_QUEUE: &str = "storm";

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
}

/// What one run does.
pub trait Workload: Send + Sync + 'static {
    /// Workflows and activities, registered anew for each worker that starts.
    fn register(&self) -> Registrations;
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

type RegisterWorker =
    Box<dyn FnOnce(WorkerOptionsBuilder) -> Result<WorkerOptionsBuilder, WorkflowRegistrationError> + Send>;
type RegisterReplayer = Box<
    dyn FnOnce(WorkflowReplayerOptionsBuilder) -> Result<WorkflowReplayerOptionsBuilder, WorkflowRegistrationError>
        + Send,
>;

/// Workflows and activities of a scenario: workers get both, the replayer gets the workflows.
#[derive(Default)]
pub struct Registrations {
    worker: Vec<RegisterWorker>,
    replayer: Vec<RegisterReplayer>,
}

impl Registrations {
    pub fn new() -> Registrations {
        Registrations::default()
    }

    /// Adds a workflow, written with the official SDK.
    #[must_use]
    pub fn workflow<W>(mut self) -> Registrations
    where
        W: WorkflowImplementation,
        <W::Run as WorkflowDefinition>::Input: Send,
    {
        self.worker.push(Box::new(|options| options.register_workflow::<W>()));
        self.replayer.push(Box::new(|options| options.register_workflow::<W>()));
        self
    }

    /// Adds all activities of an implementer.
    #[must_use]
    pub fn activities<A: ActivityImplementer + Send + 'static>(mut self, activities: A) -> Registrations {
        self.worker.push(Box::new(|options| Ok(options.register_activities(activities))));
        self
    }

    pub(crate) fn has_workflows(&self) -> bool {
        !self.worker.is_empty() && !self.replayer.is_empty()
    }

    pub(crate) fn worker_options(self) -> Result<WorkerOptionsBuilder, WorkflowRegistrationError> {
        self.worker.into_iter().try_fold(WorkerOptions::new(TASK_QUEUE), |options, register| register(options))
    }

    pub(crate) fn replayer_options(self) -> Result<Option<WorkflowReplayerOptions>, WorkflowRegistrationError> {
        if self.replayer.is_empty() {
            return Ok(None);
        }
        let empty = WorkflowReplayerOptions::new();
        let options = self.replayer.into_iter().try_fold(empty, |options, register| register(options))?;
        Ok(Some(options.task_queue(TASK_QUEUE).namespace(crate::worker::NAMESPACE).build()))
    }
}
