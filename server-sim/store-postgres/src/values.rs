//! Values: MessagePack maps for small records, so that a field can be added with a default; the bytes as they are for
//! states, events and tasks. What they mean belongs to the schema version.
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tempest_store::StoreError;

pub fn encode_record(record: &impl Serialize) -> Bytes {
    rmp_serde::to_vec_named(record).expect("our records hold nothing that MessagePack cannot").into()
}

pub fn decode_record<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    rmp_serde::from_slice(value).map_err(|error| StoreError::Corrupt(format!("a record: {error}")))
}

pub fn decode_text(value: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(value.to_vec()).map_err(|_| StoreError::Corrupt("a name that is not UTF-8".into()))
}

/// PostgreSQL has no unsigned numbers. Versions are only ever compared for equality, so the same bits will do.
pub fn encode_version(version: u64) -> i64 {
    version.cast_signed()
}

pub fn decode_version(version: i64) -> u64 {
    version.cast_unsigned()
}
