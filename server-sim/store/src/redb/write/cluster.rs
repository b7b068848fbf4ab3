//! The cluster's row: the first caller writes it.
use crate::ClusterRecord;
use crate::Written;
use crate::redb::tables::{META_CLUSTER, Stop, Tables};
use crate::redb::values;
use redb::ReadableTable;

pub fn found_or_created(tables: &mut Tables<'_>, initial: &ClusterRecord) -> Result<Written, Stop> {
    let found = match tables.meta.get(META_CLUSTER)? {
        Some(value) => Some(values::decode_record(value.value())?),
        None => None,
    };
    if let Some(found) = found {
        return Ok(Written::ClusterFound(found));
    }
    tables.meta.insert(META_CLUSTER, values::encode_record(initial).as_slice())?;
    Ok(Written::Cluster(initial.clone()))
}
