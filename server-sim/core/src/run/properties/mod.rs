//! Properties: the memo and the search attributes, which begin with the run and change by commands.
pub(crate) mod events;
pub(crate) mod modify;
pub(crate) mod upsert_search_attributes;

use std::collections::HashMap;
use temporalio_protos::temporal::api::common::v1::Payload;

fn fields_size(fields: Option<&HashMap<String, Payload>>) -> usize {
    fields.into_iter().flatten().map(|(name, value)| name.len() + value.data.len()).sum()
}
