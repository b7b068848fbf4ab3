//! The workflows and activities that workers run.
use super::{NAMESPACE, TASK_QUEUE};
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::activities::ActivityImplementer;
use temporalio_sdk::workflow_replayer::{WorkflowReplayerOptions, WorkflowReplayerOptionsBuilder};
use temporalio_sdk::workflows::WorkflowImplementation;
use temporalio_sdk::{WorkerOptions, WorkerOptionsBuilder, WorkflowRegistrationError};

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
        Ok(Some(options.task_queue(TASK_QUEUE).namespace(NAMESPACE).build()))
    }
}
