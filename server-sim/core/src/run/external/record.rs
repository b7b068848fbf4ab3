//! What history says of signals to other runs and of requests that they be cancelled: delivered, or not.
use super::{ExternalCancel, ExternalSignal};
use crate::Decision;
use temporalio_protos::temporal::api::{
    enums::v1::{CancelExternalWorkflowExecutionFailedCause, SignalExternalWorkflowExecutionFailedCause},
    history::v1::{
        ExternalWorkflowExecutionCancelRequestedEventAttributes, ExternalWorkflowExecutionSignaledEventAttributes,
        RequestCancelExternalWorkflowExecutionFailedEventAttributes,
        SignalExternalWorkflowExecutionFailedEventAttributes,
    },
};

#[allow(deprecated, reason = "older workers still read `control`")]
impl Decision<'_> {
    pub(crate) fn record_signal_delivered(&mut self, signal: &ExternalSignal) {
        let attributes = signal.attributes.as_ref();
        self.event(ExternalWorkflowExecutionSignaledEventAttributes {
            initiated_event_id: signal.initiated_event_id,
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            control: attributes.control.clone(),
        });
    }

    /// Neither this event nor the next kind names a workflow task; Temporal's do not either.
    pub(crate) fn record_signal_failed(
        &mut self,
        signal: &ExternalSignal,
        cause: SignalExternalWorkflowExecutionFailedCause,
    ) {
        let attributes = signal.attributes.as_ref();
        self.event(SignalExternalWorkflowExecutionFailedEventAttributes {
            cause: cause.into(),
            workflow_task_completed_event_id: 0,
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            initiated_event_id: signal.initiated_event_id,
            control: attributes.control.clone(),
        });
    }

    pub(crate) fn record_cancel_delivered(&mut self, cancel: &ExternalCancel) {
        let attributes = cancel.attributes.as_ref();
        self.event(ExternalWorkflowExecutionCancelRequestedEventAttributes {
            initiated_event_id: cancel.initiated_event_id,
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
        });
    }

    pub(crate) fn record_cancel_failed(
        &mut self,
        cancel: &ExternalCancel,
        cause: CancelExternalWorkflowExecutionFailedCause,
    ) {
        let attributes = cancel.attributes.as_ref();
        self.event(RequestCancelExternalWorkflowExecutionFailedEventAttributes {
            cause: cause.into(),
            namespace: attributes.namespace.clone(),
            namespace_id: attributes.namespace_id.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            initiated_event_id: cancel.initiated_event_id,
            ..RequestCancelExternalWorkflowExecutionFailedEventAttributes::default()
        });
    }
}
