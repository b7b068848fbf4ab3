//! SignalExternalWorkflowExecution.
use super::{Commands, Handled, size_of};
use crate::{TransferTask, decision::Extras};
use temporalio_protos::temporal::api::{
    command::v1::SignalExternalWorkflowExecutionCommandAttributes, enums::v1::WorkflowTaskFailedCause as Cause,
    history::v1::SignalExternalWorkflowExecutionInitiatedEventAttributes,
};

impl Commands<'_, '_> {
    pub(super) fn signal_external(
        &mut self,
        command: SignalExternalWorkflowExecutionCommandAttributes,
        extras: Extras,
    ) -> Handled {
        let limit = self.decision.context.limits.pending_signals_max;
        let pending = self.decision.state.pending_signals().count();
        let cause = Cause::PendingSignalsLimitExceeded;
        self.check_count("pending signals to external workflows", pending, limit, cause)?;
        self.check_size(
            size_of(command.input.as_ref()),
            Cause::BadSignalWorkflowExecutionAttributes,
            "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.",
        )?;
        let initiated_event_id = self.decision.next_event_id();
        #[allow(deprecated, reason = "older workers still send it")]
        let attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes {
            workflow_task_completed_event_id: self.completed_event_id,
            namespace: self.namespace.clone(),
            namespace_id: self.decision.state.key().namespace_id.0.clone(),
            workflow_execution: command.execution,
            signal_name: command.signal_name,
            input: command.input,
            control: command.control,
            child_workflow_only: command.child_workflow_only,
            header: command.header,
        };
        self.decision.event_with(attributes, extras);
        self.decision.transfer(TransferTask::SignalExternal { initiated_event_id });
        Ok(())
    }
}
