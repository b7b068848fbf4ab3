//! The cluster's row: the first caller writes it.
use crate::values::{decode_record, encode_record};
use crate::view::View;
use tempest_store::{ClusterRecord, StoreError, Written};

/// Its key in `meta`.
pub const KEY: &[u8] = b"cluster";

pub fn judge(view: &mut View, initial: &ClusterRecord) -> Result<Written, StoreError> {
    if let Some(value) = view.meta.get(KEY) {
        return Ok(Written::ClusterFound(decode_record(value)?));
    }
    view.meta.put(KEY.to_vec(), encode_record(initial));
    Ok(Written::Cluster(initial.clone()))
}
