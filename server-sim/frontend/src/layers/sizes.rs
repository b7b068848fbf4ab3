//! Limits of fields, with Temporal's texts. What a field may hold beside that is its RPC's to say.
use crate::Frontend;
use crate::validation::{invalid, too_large};
use prost::Message;
use tempest_api::proto::common::v1::{Payloads, SearchAttributes};
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::rules;

/// Of one request, in number.
const SEARCH_ATTRIBUTES_MAX: usize = 100;
/// Of one search attribute.
const SEARCH_ATTRIBUTE_BYTES_MAX: usize = 2 * 1024;
/// Of all search attributes of a request.
const SEARCH_ATTRIBUTES_BYTES_MAX: usize = 40 * 1024;

pub fn payloads(frontend: &Frontend, payloads: Option<&Payloads>) -> ServiceResult<()> {
    if too_large(frontend, payloads) {
        return invalid("Blob data size exceeds limit.");
    }
    Ok(())
}

pub fn memo(frontend: &Frontend, memo: Option<&impl Message>) -> ServiceResult<()> {
    if memo.is_some_and(|memo| memo.encoded_len() > frontend.config.memo_bytes_max) {
        return invalid("Memo size exceeds limit.");
    }
    Ok(())
}

/// Number, names and sizes. Whether they are registered is not known here.
pub fn search_attributes(_: &Frontend, attributes: Option<&SearchAttributes>) -> ServiceResult<()> {
    let Some(attributes) = attributes else { return Ok(()) };
    let count = attributes.indexed_fields.len();
    if count > SEARCH_ATTRIBUTES_MAX {
        return invalid(format!("number of search attributes {count} exceeds limit {SEARCH_ATTRIBUTES_MAX}"));
    }
    rules::search_attributes::validate(Some(attributes)).map_err(ServiceError::InvalidArgument)?;
    let too_large = attributes.indexed_fields.iter().filter(|(_, value)| value.data.len() > SEARCH_ATTRIBUTE_BYTES_MAX);
    if let Some((name, value)) = too_large.min_by_key(|(name, _)| *name) {
        let (size, max) = (value.data.len(), SEARCH_ATTRIBUTE_BYTES_MAX);
        return invalid(format!("search attribute {name} value size {size} exceeds size limit {max}"));
    }
    let size = attributes.encoded_len();
    if size > SEARCH_ATTRIBUTES_BYTES_MAX {
        let max = SEARCH_ATTRIBUTES_BYTES_MAX;
        return invalid(format!("total size of search attributes {size} exceeds size limit {max}"));
    }
    Ok(())
}
