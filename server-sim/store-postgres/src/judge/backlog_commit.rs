//! The fenced write of a partition's backlog.
use crate::values::{decode_record, encode_record};
use crate::view::View;
use tempest_store::redb::keys::{BacklogTaskKey, Key};
use tempest_store::{BacklogCommit, PartitionRecord, RangeId, StoreError, Written};

pub fn judge(view: &mut View, commit: &BacklogCommit) -> Result<Written, StoreError> {
    let key = commit.partition.encode();
    let found: Option<PartitionRecord> = view.partitions.get(&key).map(|value| decode_record(value)).transpose()?;
    let current = found.as_ref().map_or(RangeId(0), |partition| partition.range_id);
    let Some(partition) = found.filter(|partition| partition.range_id == commit.range_id) else {
        return Err(StoreError::OwnershipLost { current });
    };
    let row_key = |task_id| BacklogTaskKey { partition: commit.partition.clone(), task_id }.encode();
    // The acknowledgement level never goes back: what it covers was handed out and must not be handed out again.
    let partition = PartitionRecord { ack_level: partition.ack_level.max(commit.ack_level), ..partition };
    view.partitions.put(key, encode_record(&partition));
    for row in &commit.added {
        view.backlog.put(row_key(row.task_id), row.body.clone());
    }
    for task_id in &commit.deleted {
        view.backlog.delete(row_key(*task_id));
    }
    Ok(Written::Done)
}
