//! The first event.
use crate::{
    MutableState, PartKey, RunId,
    run::events::{Applied, At},
};
use std::{collections::BTreeMap, sync::Arc};
use temporalio_protos::temporal::api::history::v1::WorkflowExecutionStartedEventAttributes;

pub(crate) fn started(
    state: &mut MutableState,
    at: At<'_>,
    started: &WorkflowExecutionStartedEventAttributes,
) -> Applied {
    let durable = &mut state.durable;
    durable.user_metadata = at.event.user_metadata.clone().into();
    durable.start_time = at.time;
    durable.first_execution_run_id = RunId(started.first_execution_run_id.clone());
    let memo = started.memo.iter().flat_map(|memo| memo.fields.clone());
    durable.memo = memo.collect::<BTreeMap<_, _>>().into();
    let fields = started.search_attributes.iter().flat_map(|fields| fields.indexed_fields.clone());
    durable.search_attributes = fields.collect::<BTreeMap<_, _>>().into();
    durable.started = Arc::new(started.clone());
    Ok(PartKey::Run)
}
