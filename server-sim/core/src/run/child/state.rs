//! A child that has not closed, or has not even been started. What waits in the buffer counts as heard, although history
//! lacks it.
use super::events::started_child;
use crate::{EventId, MutableState, RunId, wire};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use temporalio_protos::temporal::api::history::v1::StartChildWorkflowExecutionInitiatedEventAttributes;

/// A child that has not closed, or has not even been started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Child {
    pub initiated_event_id: EventId,
    /// Without input, header, memo and search attributes: the child gets these from the event.
    #[serde(with = "wire::shared")]
    pub attributes: Arc<StartChildWorkflowExecutionInitiatedEventAttributes>,
    #[serde(default)]
    pub started: Option<ChildStart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildStart {
    pub event_id: EventId,
    /// The first run of the child's chain.
    pub run_id: RunId,
}

impl MutableState {
    pub(crate) fn pending_child(&self, initiated_event_id: EventId) -> Option<&Child> {
        self.durable.children.get(&initiated_event_id).filter(|_| !self.answer_is_buffered(initiated_event_id))
    }

    pub(crate) fn pending_children(&self) -> impl Iterator<Item = &Child> {
        self.durable.children.values().filter(|child| !self.answer_is_buffered(child.initiated_event_id))
    }

    /// A child's start, as history tells it or as the buffer will (then with the id of a buffered event).
    pub(crate) fn child_start(&self, initiated_event_id: EventId) -> Option<ChildStart> {
        let written = self.durable.children.get(&initiated_event_id).and_then(|child| child.started.clone());
        written.or_else(|| {
            let starts = self.auxiliary.buffered.iter().filter_map(started_child);
            starts.filter(|(id, _)| *id == initiated_event_id).map(|(_, start)| start).next()
        })
    }
}
