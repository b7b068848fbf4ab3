//! Properties: the memo and the search attributes, which begin with the run and change by commands.
pub(crate) mod events;
pub(crate) mod modify;
pub(crate) mod upsert_search_attributes;

use crate::rules::payloads;
use std::collections::{BTreeMap, HashMap};
use temporalio_protos::temporal::api::common::v1::Payload;

fn fields_size(fields: Option<&HashMap<String, Payload>>) -> usize {
    fields.into_iter().flatten().map(|(name, value)| name.len() + value.data.len()).sum()
}

/// What the fields will be.
fn merged(fields: &BTreeMap<String, Payload>, upserted: Option<&HashMap<String, Payload>>) -> HashMap<String, Payload> {
    let mut merged = fields.clone();
    upserted.into_iter().flatten().for_each(|(name, value)| upsert(&mut merged, name, value));
    merged.into_iter().collect()
}

/// A payload that says nothing removes its field: nil, its JSON, or an empty list, as in Temporal.
fn upsert(fields: &mut BTreeMap<String, Payload>, name: &str, value: &Payload) {
    if payloads::says_nothing(value) {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value.clone());
    }
}
