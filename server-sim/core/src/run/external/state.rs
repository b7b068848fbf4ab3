//! What was asked of other runs and has not been heard the end of. An answer that waits in the buffer counts as heard.
use crate::{EventId, MutableState, wire};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use temporalio_protos::temporal::api::history::v1::{
    RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
    SignalExternalWorkflowExecutionInitiatedEventAttributes,
};

/// A signal to another run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalSignal {
    pub initiated_event_id: EventId,
    /// Without input and header: the other run gets these from the event.
    #[serde(with = "wire::shared")]
    pub attributes: Arc<SignalExternalWorkflowExecutionInitiatedEventAttributes>,
}

/// A request that another run be cancelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalCancel {
    pub initiated_event_id: EventId,
    #[serde(with = "wire::shared")]
    pub attributes: Arc<RequestCancelExternalWorkflowExecutionInitiatedEventAttributes>,
}

impl MutableState {
    pub(crate) fn pending_signal(&self, initiated_event_id: EventId) -> Option<&ExternalSignal> {
        self.durable.signals.get(&initiated_event_id).filter(|_| !self.answer_is_buffered(initiated_event_id))
    }

    pub(crate) fn pending_signals(&self) -> impl Iterator<Item = &ExternalSignal> {
        self.durable.signals.values().filter(|signal| !self.answer_is_buffered(signal.initiated_event_id))
    }

    pub(crate) fn pending_cancel(&self, initiated_event_id: EventId) -> Option<&ExternalCancel> {
        self.durable.cancels.get(&initiated_event_id).filter(|_| !self.answer_is_buffered(initiated_event_id))
    }

    pub(crate) fn pending_cancels(&self) -> impl Iterator<Item = &ExternalCancel> {
        self.durable.cancels.values().filter(|cancel| !self.answer_is_buffered(cancel.initiated_event_id))
    }
}
