//! FailWorkflowExecution, and the run that retries it.
use super::{Commands, Handled, size_of};
use crate::{decision::Extras, entities::run::Successor};
use temporalio_protos::temporal::api::{
    command::v1::FailWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionFailedEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn fail_workflow(&mut self, command: FailWorkflowExecutionCommandAttributes, extras: Extras) -> Handled {
        self.check_size(
            size_of(command.failure.as_ref()),
            Cause::BadFailWorkflowExecutionAttributes,
            "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.",
        )?;
        let failure = command.failure.unwrap_or_default();
        let retry = self.decision.workflow_retry(&failure);
        let (retry_state, new_execution_run_id) = self.decision.retry_outcome(retry);
        let attributes = WorkflowExecutionFailedEventAttributes {
            failure: Some(failure.clone()),
            retry_state: retry_state.into(),
            workflow_task_completed_event_id: self.completed_event_id,
            new_execution_run_id,
        };
        self.decision.close_run(attributes, extras);
        if let Ok(delay) = retry {
            self.decision.probe("workflow_retried");
            // A retry forgets the result that the run before may have been given; Temporal does so too.
            let failure = Box::new(failure);
            self.decision.open_successor(Successor::Retry { delay, failure, last_completion_result: None });
        }
        Ok(())
    }
}
