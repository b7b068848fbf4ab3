//! The run counts its signals.
use crate::{
    MutableState, PartKey,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowExecutionSignaledEventAttributes, history_event::Attributes,
};

pub(crate) fn signaled(state: &mut MutableState, _: At<'_>, _: &WorkflowExecutionSignaledEventAttributes) -> Applied {
    state.durable.signal_count += 1;
    Ok(PartKey::Run)
}

pub(crate) fn is_signal(event: &HistoryEvent) -> bool {
    matches!(event.attributes, Some(Attributes::WorkflowExecutionSignaledEventAttributes(_)))
}
