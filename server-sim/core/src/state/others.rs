//! What a run has asked of other runs and has not heard the end of: its children, signals and requests to cancel. Each is
//! known by the event that began it. An answer that waits in the buffer counts as heard, although history lacks it.
use super::MutableState;
use crate::{EventId, RunId, wire};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use temporalio_protos::temporal::api::{
    history::v1::{
        HistoryEvent, RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
        SignalExternalWorkflowExecutionInitiatedEventAttributes, StartChildWorkflowExecutionInitiatedEventAttributes,
        history_event::Attributes,
    },
    sdk::v1::UserMetadata,
};

/// A child that has not closed, or has not even been started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    pub initiated_event_id: EventId,
    #[serde(with = "wire::shared")]
    pub attributes: Arc<StartChildWorkflowExecutionInitiatedEventAttributes>,
    #[serde(default, with = "wire::option")]
    pub user_metadata: Option<UserMetadata>,
    #[serde(default)]
    pub started: Option<ChildStart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildStart {
    pub event_id: EventId,
    /// The first run of the child's chain.
    pub run_id: RunId,
}

/// A signal to another run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExternalSignal {
    pub initiated_event_id: EventId,
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

/// The child whose start this event tells, with the start.
pub(super) fn started_child(event: &HistoryEvent) -> Option<(EventId, ChildStart)> {
    match &event.attributes {
        Some(Attributes::ChildWorkflowExecutionStartedEventAttributes(started)) => {
            let run_id =
                started.workflow_execution.as_ref().map_or(String::new(), |execution| execution.run_id.clone());
            Some((started.initiated_event_id, ChildStart { event_id: event.event_id, run_id: RunId(run_id) }))
        }
        _ => None,
    }
}

/// The child whose end this event tells.
pub(crate) fn closed_child(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::ChildWorkflowExecutionCompletedEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionFailedEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionCanceledEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionTimedOutEventAttributes(closed)) => Some(closed.initiated_event_id),
        Some(Attributes::ChildWorkflowExecutionTerminatedEventAttributes(closed)) => Some(closed.initiated_event_id),
        _ => None,
    }
}

/// The beginning of what this event ends, if it ends something that was asked of another run.
pub(super) fn answered(event: &HistoryEvent) -> Option<EventId> {
    match &event.attributes {
        Some(Attributes::StartChildWorkflowExecutionFailedEventAttributes(failed)) => Some(failed.initiated_event_id),
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
        _ => closed_child(event),
    }
}

impl MutableState {
    fn answer_is_buffered(&self, initiated_event_id: EventId) -> bool {
        self.ephemera.buffered.iter().any(|event| answered(event) == Some(initiated_event_id))
    }

    pub(crate) fn pending_child(&self, initiated_event_id: EventId) -> Option<&Child> {
        self.durable.children.get(&initiated_event_id).filter(|_| !self.answer_is_buffered(initiated_event_id))
    }

    pub(crate) fn pending_children(&self) -> impl Iterator<Item = &Child> {
        self.durable.children.values().filter(|child| !self.answer_is_buffered(child.initiated_event_id))
    }

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

    /// A child's start, as history tells it or as the buffer will (then with the id of a buffered event).
    pub(crate) fn child_start(&self, initiated_event_id: EventId) -> Option<ChildStart> {
        let written = self.durable.children.get(&initiated_event_id).and_then(|child| child.started.clone());
        written.or_else(|| {
            let starts = self.ephemera.buffered.iter().filter_map(started_child);
            starts.filter(|(id, _)| *id == initiated_event_id).map(|(_, start)| start).next()
        })
    }

    /// Whether this run was started as that run's child.
    pub(crate) fn is_child_of(&self, workflow_id: &str, run_id: &str) -> bool {
        let parent = self.durable.started.parent_workflow_execution.as_ref();
        parent.is_some_and(|parent| parent.workflow_id == workflow_id && parent.run_id == run_id)
    }

    pub(crate) fn had_workflow_task(&self) -> bool {
        self.workflow_task().is_some()
            || self.durable.previous_started_event_id != 0
            || self.ephemera.workflow_task.stamp != 0
    }
}
