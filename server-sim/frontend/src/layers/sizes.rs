//! Limits of fields, with Temporal's texts. What a field may hold beside that is its RPC's to say.
use crate::Frontend;
use crate::validation::{invalid, too_large};
use prost::Message;
use tempest_api::proto::common::v1::{Payloads, SearchAttributes};
use tempest_api::{ServiceError, ServiceResult};
use tempest_core::rules;

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
    rules::search_attributes::validate(Some(attributes)).map_err(ServiceError::InvalidArgument)?;
    rules::search_attributes::validate_size(attributes).map_err(ServiceError::InvalidArgument)
}
