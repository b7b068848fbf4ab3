//! Acquiring a shard or leasing a partition by raising its range id.
use crate::judge::{Change, Verdict, View, conflict};
use crate::values::encode_record;
use crate::{PartitionKey, PartitionRecord, RangeId, ShardId, ShardRecord, StoreError, Timeline, Written};

pub fn acquire_shard(
    view: &View,
    id: ShardId,
    expected: RangeId,
    owner: &str,
    timeline: Timeline,
) -> Result<Verdict, StoreError> {
    let found: ShardRecord = view.record(&id)?.unwrap_or_default();
    if found.range_id != expected {
        return conflict(format!("shard {id}: range {} was found where {expected} was expected", found.range_id));
    }
    let shard = found.acquired_by(owner, timeline)?;
    let changes = vec![Change::put(&id, encode_record(&shard))];
    Ok(Verdict { written: Written::Shard(shard), changes })
}

pub fn lease_partition(view: &View, key: &PartitionKey, timeline: Timeline) -> Result<Verdict, StoreError> {
    let found: PartitionRecord = view.record(key)?.unwrap_or_default();
    let partition = PartitionRecord { range_id: found.range_id.next(timeline)?, ..found };
    let changes = vec![Change::put(key, encode_record(&partition))];
    Ok(Verdict { written: Written::Partition(partition), changes })
}
