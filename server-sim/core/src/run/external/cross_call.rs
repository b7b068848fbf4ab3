//! What is asked of other runs, as calls.
use crate::{CrossCall, CrossCallEnd, EventId, KnownEvents, MutableState, NamespaceId, Outcome, ToRun};
use temporalio_protos::temporal::api::{
    enums::v1::{
        CancelExternalWorkflowExecutionFailedCause as CancelFailed,
        SignalExternalWorkflowExecutionFailedCause as SignalFailed,
    },
    workflowservice::v1 as api,
};

impl MutableState {
    pub(crate) fn signal_cross_call(&self, initiated_event_id: EventId, events: &KnownEvents) -> Option<CrossCall> {
        let signal = self.pending_signal(initiated_event_id).filter(|_| self.is_open())?;
        let attributes = signal.attributes.as_ref();
        if self.is_meant_by(attributes.workflow_execution.as_ref()) {
            let outcome = Outcome::SignalFailed(SignalFailed::ExternalWorkflowExecutionNotFound.into());
            return Some(CrossCall::Known(CrossCallEnd { initiated_event_id, outcome }));
        }
        let initiated = events.signal_initiated(initiated_event_id);
        #[allow(deprecated, reason = "older workers still send it")]
        let control = attributes.control.clone();
        #[allow(deprecated, reason = "older workers still read it")]
        let request = api::SignalWorkflowExecutionRequest {
            namespace: attributes.namespace.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            signal_name: attributes.signal_name.clone(),
            input: initiated.input.clone(),
            identity: crate::HISTORY_SERVICE.to_owned(),
            request_id: self.request_id(initiated_event_id),
            control,
            header: initiated.header.clone(),
            ..api::SignalWorkflowExecutionRequest::default()
        };
        let from = self.as_other(initiated_event_id, attributes.child_workflow_only);
        Some(CrossCall::Signal(ToRun { namespace_id: NamespaceId(attributes.namespace_id.clone()), from, request }))
    }

    pub(crate) fn cancel_cross_call(&self, initiated_event_id: EventId) -> Option<CrossCall> {
        let cancel = self.pending_cancel(initiated_event_id).filter(|_| self.is_open())?;
        let attributes = cancel.attributes.as_ref();
        if self.is_meant_by(attributes.workflow_execution.as_ref()) {
            let outcome = Outcome::CancelFailed(CancelFailed::ExternalWorkflowExecutionNotFound.into());
            return Some(CrossCall::Known(CrossCallEnd { initiated_event_id, outcome }));
        }
        let request = api::RequestCancelWorkflowExecutionRequest {
            namespace: attributes.namespace.clone(),
            workflow_execution: attributes.workflow_execution.clone(),
            identity: crate::HISTORY_SERVICE.to_owned(),
            request_id: self.request_id(initiated_event_id),
            reason: attributes.reason.clone(),
            ..api::RequestCancelWorkflowExecutionRequest::default()
        };
        let from = self.as_other(initiated_event_id, attributes.child_workflow_only);
        Some(CrossCall::Cancel(ToRun { namespace_id: NamespaceId(attributes.namespace_id.clone()), from, request }))
    }
}
