//! ContinueAsNewWorkflowExecution.
use super::{Commands, Handled, size_of};
use crate::{decision::Extras, entities::run::Successor};
use temporalio_protos::temporal::api::{
    command::v1::ContinueAsNewWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionContinuedAsNewEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn continue_as_new(
        &mut self,
        command: ContinueAsNewWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        let cause = Cause::BadContinueAsNewAttributes;
        self.check_size(
            size_of(command.input.as_ref()),
            cause,
            "ContinueAsNewWorkflowExecutionCommandAttributes. Input exceeds size limit.",
        )?;
        self.check_size(
            size_of(command.memo.as_ref()),
            cause,
            "ContinueAsNewWorkflowExecutionCommandAttributes. Memo exceeds size limit.",
        )?;
        #[allow(deprecated, reason = "the event carries the failure for older readers")]
        let attributes = WorkflowExecutionContinuedAsNewEventAttributes {
            new_execution_run_id: self.decision.new_run_id(),
            workflow_type: command.workflow_type.clone(),
            task_queue: command.task_queue.clone(),
            input: command.input.clone(),
            workflow_run_timeout: command.workflow_run_timeout,
            workflow_task_timeout: command.workflow_task_timeout,
            workflow_task_completed_event_id: self.completed_event_id,
            backoff_start_interval: command.backoff_start_interval,
            initiator: command.initiator,
            failure: command.failure.clone(),
            last_completion_result: command.last_completion_result.clone(),
            header: command.header.clone(),
            memo: command.memo.clone(),
            search_attributes: command.search_attributes.clone(),
            ..WorkflowExecutionContinuedAsNewEventAttributes::default()
        };
        self.decision.close_run(attributes, extras);
        self.decision.open_successor(Successor::ContinuedAsNew(Box::new(command)));
        Ok(())
    }
}
