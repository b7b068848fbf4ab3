//! The fenced write of a partition's backlog.
use crate::judge::{Change, Verdict, View};
use crate::keys::BacklogTaskKey;
use crate::values::encode_record;
use crate::{BacklogCommit, PartitionRecord, RangeId, StoreError, Written};

pub fn judge(view: &View, commit: &BacklogCommit) -> Result<Verdict, StoreError> {
    let found: Option<PartitionRecord> = view.record(&commit.partition)?;
    let current = found.as_ref().map_or(RangeId(0), |partition| partition.range_id);
    let is_holder = |partition: &PartitionRecord| {
        partition.range_id == commit.range_id || tempest_rt::planted!(crate::plants::BACKLOG_RANGE_NOT_CHECKED)
    };
    let Some(partition) = found.filter(is_holder) else {
        return Err(StoreError::OwnershipLost { current });
    };
    // The acknowledgement level never goes back: what it covers was handed out and must not be handed out again.
    let ack_level = partition.ack_level.max(commit.ack_level);
    let partition = PartitionRecord { ack_level, rows: commit.rows, ..partition };
    let row_key = |task_id| BacklogTaskKey { partition: commit.partition.clone(), task_id };
    let mut changes = vec![Change::put(&commit.partition, encode_record(&partition))];
    changes.extend(commit.added.iter().map(|row| Change::put(&row_key(row.task_id), row.body.clone())));
    changes.extend(commit.deleted.iter().map(|task_id| Change::remove(&row_key(*task_id))));
    Ok(Verdict { written: Written::Done, changes })
}
