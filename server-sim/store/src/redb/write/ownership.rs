//! Taking a shard or a partition by raising its range id.
use crate::Written;
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;
use crate::{PartitionKey, PartitionRecord, RangeId, ShardId, ShardRecord, StoreError, Timeline};

pub fn acquire_shard(
    tables: &mut Tables<'_>,
    id: ShardId,
    expected: RangeId,
    owner: &str,
    timeline: Timeline,
) -> Result<Written, Stop> {
    let found = tables.shards.get(&id, values::decode_record::<ShardRecord>)?.unwrap_or_default();
    if found.range_id != expected {
        let message = format!("shard {id}: range {} was found where {expected} was expected", found.range_id);
        return Err(StoreError::Conflict(message).into());
    }
    let shard = found.taken_by(owner, timeline)?;
    tables.shards.put(&id, &values::encode_record(&shard))?;
    Ok(Written::Shard(shard))
}

pub fn lease_partition(tables: &mut Tables<'_>, key: &PartitionKey, timeline: Timeline) -> Result<Written, Stop> {
    let found = tables.partitions.get(key, values::decode_record::<PartitionRecord>)?.unwrap_or_default();
    let partition = PartitionRecord { range_id: found.range_id.next(timeline)?, ..found };
    tables.partitions.put(key, &values::encode_record(&partition))?;
    Ok(Written::Partition(partition))
}
