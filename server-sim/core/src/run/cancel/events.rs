//! The run knows that it was asked.
use crate::{
    MutableState, PartKey,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowExecutionCancelRequestedEventAttributes, history_event::Attributes,
};

pub(crate) fn requested(
    state: &mut MutableState,
    _: At<'_>,
    _: &WorkflowExecutionCancelRequestedEventAttributes,
) -> Applied {
    state.durable.cancel_requested = true;
    Ok(PartKey::Run)
}

fn requests(event: &HistoryEvent) -> bool {
    matches!(event.attributes, Some(Attributes::WorkflowExecutionCancelRequestedEventAttributes(_)))
}

impl MutableState {
    /// In history, or in the buffer.
    pub(crate) fn cancellation_is_requested(&self) -> bool {
        self.durable.cancel_requested || self.auxiliary.buffered.iter().any(requests)
    }
}
