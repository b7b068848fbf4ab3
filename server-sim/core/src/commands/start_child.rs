//! StartChildWorkflowExecution.
use super::{Commands, Handled, size_of};
use crate::{TransferTask, decision::Extras};
use temporalio_protos::temporal::api::{
    command::v1::StartChildWorkflowExecutionCommandAttributes,
    enums::v1::{ParentClosePolicy, WorkflowIdReusePolicy, WorkflowTaskFailedCause as Cause},
    history::v1::StartChildWorkflowExecutionInitiatedEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn start_child(
        &mut self,
        mut command: StartChildWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        let cause = Cause::BadStartChildExecutionAttributes;
        self.check_size(
            size_of(command.input.as_ref()),
            cause,
            "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.",
        )?;
        self.check_size(
            size_of(command.memo.as_ref()),
            cause,
            "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.",
        )?;
        let limit = self.decision.context.limits.pending_children_max;
        let pending = self.decision.state.pending_children().count();
        let cause = Cause::PendingChildWorkflowsLimitExceeded;
        self.check_count("pending child workflow executions", pending, limit, cause)?;
        if command.parent_close_policy() == ParentClosePolicy::Unspecified {
            command.set_parent_close_policy(ParentClosePolicy::Terminate);
        }
        if command.workflow_id_reuse_policy() == WorkflowIdReusePolicy::Unspecified {
            command.set_workflow_id_reuse_policy(WorkflowIdReusePolicy::AllowDuplicate);
        }
        self.children_initiated.insert(command.workflow_id.clone());
        let initiated_event_id = self.decision.next_event_id();
        #[allow(deprecated, reason = "older workers still send these")]
        let attributes = StartChildWorkflowExecutionInitiatedEventAttributes {
            namespace: self.namespace.clone(),
            namespace_id: self.decision.state.key().namespace_id.0.clone(),
            workflow_id: command.workflow_id,
            workflow_type: command.workflow_type,
            task_queue: command.task_queue,
            input: command.input,
            workflow_execution_timeout: command.workflow_execution_timeout,
            workflow_run_timeout: command.workflow_run_timeout,
            workflow_task_timeout: command.workflow_task_timeout,
            parent_close_policy: command.parent_close_policy,
            control: command.control,
            workflow_task_completed_event_id: self.completed_event_id,
            workflow_id_reuse_policy: command.workflow_id_reuse_policy,
            retry_policy: command.retry_policy,
            cron_schedule: command.cron_schedule,
            header: command.header,
            memo: command.memo,
            search_attributes: command.search_attributes,
            inherit_build_id: command.inherit_build_id,
            priority: command.priority,
            ..StartChildWorkflowExecutionInitiatedEventAttributes::default()
        };
        self.decision.event_with(attributes, extras);
        self.decision.transfer(TransferTask::StartChild { initiated_event_id });
        Ok(())
    }
}
