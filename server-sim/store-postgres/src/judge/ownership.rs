//! Taking a shard or a partition by raising its range id.
use crate::values::{decode_record, encode_record};
use crate::view::View;
use tempest_store::redb::keys::Key;
use tempest_store::{PartitionKey, PartitionRecord, RangeId, ShardId, ShardRecord, StoreError, Timeline, Written};

pub fn acquire_shard(
    view: &mut View,
    id: ShardId,
    expected: RangeId,
    owner: &str,
    timeline: Timeline,
) -> Result<Written, StoreError> {
    let key = id.encode();
    let found: ShardRecord = view.shards.get(&key).map(|value| decode_record(value)).transpose()?.unwrap_or_default();
    if found.range_id != expected {
        let message = format!("shard {id}: range {} was found where {expected} was expected", found.range_id);
        return Err(StoreError::Conflict(message));
    }
    let shard = found.taken_by(owner, timeline)?;
    view.shards.put(key, encode_record(&shard));
    Ok(Written::Shard(shard))
}

pub fn lease_partition(view: &mut View, partition: &PartitionKey, timeline: Timeline) -> Result<Written, StoreError> {
    let key = partition.encode();
    let found: PartitionRecord =
        view.partitions.get(&key).map(|value| decode_record(value)).transpose()?.unwrap_or_default();
    let partition = PartitionRecord { range_id: found.range_id.next(timeline)?, ..found };
    view.partitions.put(key, encode_record(&partition));
    Ok(Written::Partition(partition))
}
