//! RequestCancelExternalWorkflowExecution.
use super::{Commands, Handled};
use crate::{TransferTask, decision::Extras, rules::validate_command::BadCommand};
use temporalio_protos::temporal::api::{
    command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes, common::v1::WorkflowExecution,
    enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
};

impl Commands<'_, '_> {
    /// A child cannot be asked for and cancelled at once: the two would race.
    pub(super) fn cancel_external(
        &mut self,
        command: RequestCancelExternalWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        if self.children_initiated.contains(&command.workflow_id) {
            #[allow(deprecated, reason = "older workers still send it")]
            let message = format!(
                "Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId={} \
                 RunId={} Namespace={}",
                command.workflow_id, command.run_id, command.namespace
            );
            return Err(BadCommand::new(Cause::BadRequestCancelExternalWorkflowExecutionAttributes, message).into());
        }
        let limit = self.decision.context.limits.pending_cancels_max;
        let pending = self.decision.state.pending_cancels().count();
        let cause = Cause::PendingRequestCancelLimitExceeded;
        self.check_count("pending requests to cancel external workflows", pending, limit, cause)?;
        let initiated_event_id = self.decision.next_event_id();
        #[allow(deprecated, reason = "older workers still send it")]
        let attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes {
            workflow_task_completed_event_id: self.completed_event_id,
            namespace: self.namespace.clone(),
            namespace_id: self.decision.state.key().namespace_id.0.clone(),
            workflow_execution: Some(WorkflowExecution { workflow_id: command.workflow_id, run_id: command.run_id }),
            control: command.control,
            child_workflow_only: command.child_workflow_only,
            reason: command.reason,
        };
        self.decision.event_with(attributes, extras);
        self.decision.transfer(TransferTask::CancelExternal { initiated_event_id });
        Ok(())
    }
}
