//! The run remembers the starts that it answered and that wanted it to.
use crate::{
    EventId, MutableState, PartKey,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowExecutionOptionsUpdatedEventAttributes, history_event::Attributes,
};

pub(crate) fn options_updated(
    state: &mut MutableState,
    at: At<'_>,
    updated: &WorkflowExecutionOptionsUpdatedEventAttributes,
) -> Applied {
    if !updated.attached_request_id.is_empty() {
        state.durable.attached_requests.insert(updated.attached_request_id.clone(), at.id);
    }
    Ok(PartKey::Run)
}

fn attached_request(event: &HistoryEvent) -> Option<&str> {
    match &event.attributes {
        Some(Attributes::WorkflowExecutionOptionsUpdatedEventAttributes(updated)) => {
            Some(updated.attached_request_id.as_str()).filter(|id| !id.is_empty())
        }
        _ => None,
    }
}

impl MutableState {
    /// Requests that were attached to this run, each with its event, which has no id while it is in the buffer.
    pub(crate) fn attached_requests(&self) -> impl Iterator<Item = (&str, Option<EventId>)> {
        let written = self.durable.attached_requests.iter().map(|(id, event)| (id.as_str(), Some(*event)));
        written.chain(self.auxiliary.buffered.iter().filter_map(attached_request).map(|id| (id, None)))
    }
}
