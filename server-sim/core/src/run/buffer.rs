//! Events that arrive while a worker holds a workflow task wait in a buffer: the worker's commands were decided without
//! them, so they must come after. Whether a kind of event waits depends on the kind alone ([`Order`]); the buffer is written
//! to history at the end of a decision unless a workflow task is started, and before one is scheduled.
use super::{
    activity, child,
    events::{Order, order},
};
use crate::{AuxiliaryChange, Decision, EventId, planted_in};
use std::collections::BTreeMap;
use temporalio_protos::temporal::api::history::v1::HistoryEvent;

impl Decision<'_> {
    /// Writes the buffer to history. What closes an activity or a child moves behind everything else, in the order of arrival;
    /// then it learns the id of its started event.
    pub(crate) fn flush_buffer(&mut self) {
        if self.state.auxiliary.buffered.is_empty() {
            return;
        }
        if self.state.auxiliary.buffered.len() > 1 {
            self.probe("buffer-with-many-events");
        }
        let buffered = Vec::clone(&self.state.auxiliary.buffered);
        self.auxiliary(AuxiliaryChange::BufferEmptied);
        let (closing, others): (Vec<_>, Vec<_>) = buffered.into_iter().partition(is_last);
        let mut started_ids = BTreeMap::new();
        for mut event in others.into_iter().chain(closing) {
            event.event_id = self.next_event_id();
            if !planted_in!(self.context, crate::planted::STARTED_ID_NOT_WIRED) {
                learn_started_id(&mut event, &mut started_ids);
            }
            self.append(event);
        }
    }
}

fn is_last(event: &HistoryEvent) -> bool {
    event.attributes.as_ref().is_some_and(|attributes| order(attributes) == Order::Last)
}

fn learn_started_id(event: &mut HistoryEvent, started_ids: &mut BTreeMap<EventId, EventId>) {
    let started_child = child::events::started_child(event).map(|(initiated, _)| initiated);
    if let Some(begun) = activity::events::started_activity(event).or(started_child) {
        started_ids.insert(begun, event.event_id);
    }
    let started_id = |begun| started_ids.get(&begun).copied();
    activity::events::learn_started_id(event, started_id);
    child::events::learn_started_id(event, started_id);
}
