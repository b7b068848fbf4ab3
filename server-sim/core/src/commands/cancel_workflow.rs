//! CancelWorkflowExecution: the workflow agrees to be cancelled.
use super::{Commands, Handled};
use crate::decision::Extras;
use temporalio_protos::temporal::api::{
    command::v1::CancelWorkflowExecutionCommandAttributes, history::v1::WorkflowExecutionCanceledEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn cancel_workflow(
        &mut self,
        command: CancelWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        let attributes = WorkflowExecutionCanceledEventAttributes {
            workflow_task_completed_event_id: self.completed_event_id,
            details: command.details,
        };
        self.decision.close_run(attributes, extras);
        Ok(())
    }
}
