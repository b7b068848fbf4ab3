//! CompleteWorkflowExecution.
use super::{Commands, Handled, size_of};
use crate::decision::Extras;
use temporalio_protos::temporal::api::{
    command::v1::CompleteWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::WorkflowExecutionCompletedEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn complete_workflow(
        &mut self,
        command: CompleteWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        // The cause is that of another command in Temporal too.
        self.check_size(
            size_of(command.result.as_ref()),
            Cause::BadScheduleActivityAttributes,
            "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.",
        )?;
        let attributes = WorkflowExecutionCompletedEventAttributes {
            result: command.result,
            workflow_task_completed_event_id: self.completed_event_id,
            new_execution_run_id: String::new(),
        };
        self.decision.close_run(attributes, extras);
        Ok(())
    }
}
