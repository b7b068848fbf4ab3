//! The fenced write of a partition's backlog.
use crate::Written;
use crate::redb::keys::BacklogTaskKey;
use crate::redb::tables::{Stop, Tables};
use crate::redb::values;
use crate::{BacklogCommit, PartitionRecord, RangeId, StoreError};

pub fn apply(tables: &mut Tables<'_>, commit: &BacklogCommit) -> Result<Written, Stop> {
    let found = tables.partitions.get(&commit.partition, values::decode_record::<PartitionRecord>)?;
    let current = found.as_ref().map_or(RangeId(0), |partition| partition.range_id);
    let is_holder = |partition: &PartitionRecord| {
        partition.range_id == commit.range_id || tempest_rt::planted!("backlog-range-not-checked")
    };
    let Some(partition) = found.filter(is_holder) else {
        return Err(StoreError::OwnershipLost { current }.into());
    };
    let row_key = |task_id| BacklogTaskKey { partition: commit.partition.clone(), task_id };
    // The acknowledgement level never goes back: what it covers was handed out and must not be handed out again.
    let partition = PartitionRecord { ack_level: partition.ack_level.max(commit.ack_level), ..partition };
    tables.partitions.put(&commit.partition, &values::encode_record(&partition))?;
    for row in &commit.added {
        tables.backlog.put(&row_key(row.task_id), &values::encode_bytes(&row.body))?;
    }
    for task_id in &commit.deleted {
        tables.backlog.remove(&row_key(*task_id))?;
    }
    Ok(Written::Done)
}
