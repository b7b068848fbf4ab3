//! How events change properties.
use crate::{
    MutableState, PartKey,
    rules::payloads,
    run::events::{Applied, At},
};
use std::collections::BTreeMap;
use temporalio_protos::temporal::api::{
    common::v1::Payload,
    history::v1::{UpsertWorkflowSearchAttributesEventAttributes, WorkflowPropertiesModifiedEventAttributes},
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

/// A payload that says nothing removes its field: nil, its JSON, or an empty list, as in Temporal.
fn upsert(fields: &mut BTreeMap<String, Payload>, name: &str, value: &Payload) {
    if payloads::says_nothing(value) {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value.clone());
    }
}
