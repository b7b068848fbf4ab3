//! Events of a run's history that a decision reads. A state has no payloads: where one is handed on, it comes from the event
//! that brought it. The core never reads a history: it says which event it needs ([`crate::MutableState::event_needed`]),
//! and the shard brings it.
use crate::{EventId, may_be_needed};
use std::{collections::BTreeMap, sync::Arc};
use temporalio_protos::temporal::api::{
    history::v1::{
        ActivityTaskScheduledEventAttributes, HistoryEvent, SignalExternalWorkflowExecutionInitiatedEventAttributes,
        StartChildWorkflowExecutionInitiatedEventAttributes, WorkflowExecutionStartedEventAttributes,
        history_event::Attributes,
    },
    sdk::v1::UserMetadata,
};

/// Id of each run's first event.
pub(crate) const FIRST_EVENT_ID: EventId = 1;

/// By id; all of the run that is decided on.
#[derive(Clone, Debug, Default)]
pub struct KnownEvents(BTreeMap<EventId, Arc<HistoryEvent>>);

impl FromIterator<Arc<HistoryEvent>> for KnownEvents {
    fn from_iter<I: IntoIterator<Item = Arc<HistoryEvent>>>(events: I) -> Self {
        Self(events.into_iter().map(|event| (event.event_id, event)).collect())
    }
}

impl KnownEvents {
    fn get(&self, id: EventId) -> (&HistoryEvent, &Attributes) {
        let event = self.0.get(&id).unwrap_or_else(|| panic!("event {id} was not brought, although it is needed"));
        assert!(may_be_needed(event), "event {id} is needed, and the registry of events says that it never is");
        (event, event.attributes.as_ref().expect("an event of a history has attributes"))
    }

    /// How the run began.
    pub(crate) fn started(&self) -> &WorkflowExecutionStartedEventAttributes {
        match self.get(FIRST_EVENT_ID).1 {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => started,
            _ => panic!("the first event of a run is its start"),
        }
    }

    pub(crate) fn activity_scheduled(&self, id: EventId) -> &ActivityTaskScheduledEventAttributes {
        match self.get(id).1 {
            Attributes::ActivityTaskScheduledEventAttributes(scheduled) => scheduled,
            _ => panic!("event {id} scheduled no activity"),
        }
    }

    pub(crate) fn child_initiated(
        &self,
        id: EventId,
    ) -> (&StartChildWorkflowExecutionInitiatedEventAttributes, Option<&UserMetadata>) {
        match self.get(id) {
            (event, Attributes::StartChildWorkflowExecutionInitiatedEventAttributes(initiated)) => {
                (initiated, event.user_metadata.as_ref())
            }
            _ => panic!("event {id} asked for no child"),
        }
    }

    pub(crate) fn signal_initiated(&self, id: EventId) -> &SignalExternalWorkflowExecutionInitiatedEventAttributes {
        match self.get(id).1 {
            Attributes::SignalExternalWorkflowExecutionInitiatedEventAttributes(initiated) => initiated,
            _ => panic!("event {id} asked for no signal"),
        }
    }
}
