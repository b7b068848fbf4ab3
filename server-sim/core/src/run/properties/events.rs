//! How events change properties.
use super::upsert;
use crate::{
    MutableState, PartKey,
    run::events::{Applied, At},
};
use temporalio_protos::temporal::api::history::v1::{
    UpsertWorkflowSearchAttributesEventAttributes, WorkflowPropertiesModifiedEventAttributes,
};

pub(crate) fn search_attributes_upserted(
    state: &mut MutableState,
    _: At<'_>,
    upserted: &UpsertWorkflowSearchAttributesEventAttributes,
) -> Applied {
    let fields = upserted.search_attributes.as_ref().map(|fields| &fields.indexed_fields);
    for (name, value) in fields.into_iter().flatten() {
        upsert(&mut state.durable.search_attributes, name, value);
    }
    Ok(PartKey::Run)
}

pub(crate) fn modified(
    state: &mut MutableState,
    _: At<'_>,
    modified: &WorkflowPropertiesModifiedEventAttributes,
) -> Applied {
    let fields = modified.upserted_memo.as_ref().map(|memo| &memo.fields);
    for (name, value) in fields.into_iter().flatten() {
        upsert(&mut state.durable.memo, name, value);
    }
    Ok(PartKey::Run)
}
