//! How events change what was asked of other runs.
use super::{ExternalCancel, ExternalSignal};
use crate::{
    EventId, MutableState, PartKey,
    run::events::{Applied, At},
};
use std::sync::Arc;
use temporalio_protos::temporal::api::history::v1::{
    ExternalWorkflowExecutionCancelRequestedEventAttributes, ExternalWorkflowExecutionSignaledEventAttributes,
    HistoryEvent, RequestCancelExternalWorkflowExecutionFailedEventAttributes,
    RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    SignalExternalWorkflowExecutionFailedEventAttributes, SignalExternalWorkflowExecutionInitiatedEventAttributes,
    history_event::Attributes,
};

pub(crate) fn signal_initiated(
    state: &mut MutableState,
    at: At<'_>,
    initiated: &SignalExternalWorkflowExecutionInitiatedEventAttributes,
) -> Applied {
    let signal = ExternalSignal { initiated_event_id: at.id, attributes: Arc::new(without_payloads(initiated)) };
    state.durable.signals.insert(at.id, signal);
    Ok(PartKey::Signal(at.id))
}

/// What a state keeps of it: all but what only the other run reads. Each field is named, so that a new one is not forgotten.
fn without_payloads(
    initiated: &SignalExternalWorkflowExecutionInitiatedEventAttributes,
) -> SignalExternalWorkflowExecutionInitiatedEventAttributes {
    #[allow(deprecated, reason = "older workers still send it")]
    SignalExternalWorkflowExecutionInitiatedEventAttributes {
        workflow_task_completed_event_id: initiated.workflow_task_completed_event_id,
        namespace: initiated.namespace.clone(),
        namespace_id: initiated.namespace_id.clone(),
        workflow_execution: initiated.workflow_execution.clone(),
        signal_name: initiated.signal_name.clone(),
        input: None,
        control: initiated.control.clone(),
        child_workflow_only: initiated.child_workflow_only,
        header: None,
    }
}

pub(crate) fn signaled(
    state: &mut MutableState,
    _: At<'_>,
    done: &ExternalWorkflowExecutionSignaledEventAttributes,
) -> Applied {
    remove_signal(state, done.initiated_event_id)
}

pub(crate) fn signal_failed(
    state: &mut MutableState,
    _: At<'_>,
    failed: &SignalExternalWorkflowExecutionFailedEventAttributes,
) -> Applied {
    remove_signal(state, failed.initiated_event_id)
}

pub(crate) fn cancel_initiated(
    state: &mut MutableState,
    at: At<'_>,
    initiated: &RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
) -> Applied {
    let cancel = ExternalCancel { initiated_event_id: at.id, attributes: Arc::new(initiated.clone()) };
    state.durable.cancels.insert(at.id, cancel);
    Ok(PartKey::Cancel(at.id))
}

pub(crate) fn cancel_requested(
    state: &mut MutableState,
    _: At<'_>,
    done: &ExternalWorkflowExecutionCancelRequestedEventAttributes,
) -> Applied {
    remove_cancel(state, done.initiated_event_id)
}

pub(crate) fn cancel_failed(
    state: &mut MutableState,
    _: At<'_>,
    failed: &RequestCancelExternalWorkflowExecutionFailedEventAttributes,
) -> Applied {
    remove_cancel(state, failed.initiated_event_id)
}

fn remove_signal(state: &mut MutableState, id: EventId) -> Applied {
    state.durable.signals.remove(&id).then_some(PartKey::Signal(id)).ok_or_else(|| unknown(id))
}

fn remove_cancel(state: &mut MutableState, id: EventId) -> Applied {
    state.durable.cancels.remove(&id).then_some(PartKey::Cancel(id)).ok_or_else(|| unknown(id))
}

fn unknown(id: EventId) -> String {
    format!("nothing that event {id} began is pending")
}

/// The beginning of what this event answers, if it answers a signal or a request to cancel.
pub(crate) fn answered(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ExternalWorkflowExecutionSignaledEventAttributes(done)) => Some(done.initiated_event_id),
        Some(Attributes::SignalExternalWorkflowExecutionFailedEventAttributes(failed)) => {
            Some(failed.initiated_event_id)
        }
        Some(Attributes::ExternalWorkflowExecutionCancelRequestedEventAttributes(done)) => {
            Some(done.initiated_event_id)
        }
        Some(Attributes::RequestCancelExternalWorkflowExecutionFailedEventAttributes(failed)) => {
            Some(failed.initiated_event_id)
        }
        _ => None,
    }
}
