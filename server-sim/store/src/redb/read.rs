//! Reads over one snapshot.
use crate::redb::keys::{BacklogTaskKey, CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key};
use crate::redb::tables::{self, ReadHandle, Stop};
use crate::redb::values;
use crate::{
    BacklogRow, BranchId, Found, HistoryNode, NamespaceRecord, PartitionKey, RangeId, ReadRequest, RunRecord, ShardId,
    ShardRecord, StoreError, TaskKey, TaskRow,
};
use redb::ReadTransaction;
use std::ops::Bound;
use tempest_core::{EventId, RunId, RunKey};

pub fn perform(snapshot: &ReadTransaction, request: &ReadRequest) -> Result<Found, Stop> {
    Ok(match request {
        ReadRequest::Shard(id) => Found::Shard(shard(snapshot, *id)?),
        ReadRequest::Ranges(shards) => Found::Ranges(ranges(snapshot, shards)?),
        ReadRequest::Run(key) => Found::Run(run(snapshot, key)?),
        ReadRequest::CurrentRun { namespace, workflow } => {
            let key = CurrentRunKey { namespace_id: namespace.clone(), workflow_id: workflow.clone() };
            Found::CurrentRun(current_run(snapshot, &key)?)
        }
        ReadRequest::Runs { after, limit } => Found::Runs(runs(snapshot, after.as_ref(), *limit)?),
        ReadRequest::History { branch, from, until, limit } => {
            Found::History(history(snapshot, branch, *from, *until, *limit)?)
        }
        ReadRequest::Tasks { shard, after, before, limit } => {
            Found::Tasks(history_tasks(snapshot, *shard, *after, *before, *limit)?)
        }
        ReadRequest::Namespaces => Found::Namespaces(namespaces(snapshot)?),
        ReadRequest::Backlog { partition, after, limit } => {
            Found::Backlog(backlog(snapshot, partition, *after, *limit)?)
        }
    })
}

fn shard(snapshot: &ReadTransaction, shard: ShardId) -> Result<Option<ShardRecord>, Stop> {
    get(&open(snapshot, tables::SHARDS)?, &shard, values::decode_record)
}

fn ranges(snapshot: &ReadTransaction, shards: &[ShardId]) -> Result<Vec<RangeId>, Stop> {
    let table = open(snapshot, tables::SHARDS)?;
    let range = |shard| {
        let found: Option<ShardRecord> = get(&table, shard, values::decode_record)?;
        Ok(found.unwrap_or_default().range_id)
    };
    shards.iter().map(range).collect()
}

fn run(snapshot: &ReadTransaction, key: &RunKey) -> Result<Option<RunRecord>, Stop> {
    get(&open(snapshot, tables::RUNS)?, key, values::decode_run)
}

fn current_run(snapshot: &ReadTransaction, key: &CurrentRunKey) -> Result<Option<RunId>, Stop> {
    get(&open(snapshot, tables::CURRENT_RUNS)?, key, values::decode_record)
}

fn runs(snapshot: &ReadTransaction, after: Option<&RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, Stop> {
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    scan(&open(snapshot, tables::RUNS)?, after, Bound::Unbounded, limit, |key: RunKey, value| {
        Ok((key, values::decode_run(value)?))
    })
}

fn history(
    snapshot: &ReadTransaction,
    branch: &BranchId,
    from: EventId,
    until: EventId,
    limit: usize,
) -> Result<Vec<HistoryNode>, Stop> {
    let key = |node| HistoryNodeKey { branch: branch.clone(), node };
    let (from, until) = (key(from), key(until));
    scan(&open(snapshot, tables::HISTORY)?, Bound::Included(&from), Bound::Excluded(&until), limit, |key, value| {
        Ok(HistoryNode { node: key.node, events: values::decode_bytes(value)? })
    })
}

fn history_tasks(
    snapshot: &ReadTransaction,
    shard: ShardId,
    after: TaskKey,
    before: TaskKey,
    limit: usize,
) -> Result<Vec<TaskRow>, Stop> {
    let (after, before) = (HistoryTaskKey { shard, task: after }, HistoryTaskKey { shard, task: before });
    let table = open(snapshot, tables::HISTORY_TASKS)?;
    scan(&table, Bound::Excluded(&after), Bound::Excluded(&before), limit, |key: HistoryTaskKey, value| {
        Ok(TaskRow { key: key.task, body: values::decode_bytes(value)? })
    })
}

fn namespaces(snapshot: &ReadTransaction) -> Result<Vec<NamespaceRecord>, Stop> {
    let table = open(snapshot, tables::NAMESPACES)?;
    let mut found = Vec::new();
    for row in table.range::<&[u8]>(..)? {
        found.push(values::decode_record(row?.1.value())?);
    }
    Ok(found)
}

fn backlog(
    snapshot: &ReadTransaction,
    partition: &PartitionKey,
    after: i64,
    limit: usize,
) -> Result<Vec<BacklogRow>, Stop> {
    let key = |task_id| BacklogTaskKey { partition: partition.clone(), task_id };
    let (after, last) = (key(after), key(i64::MAX));
    scan(&open(snapshot, tables::BACKLOG)?, Bound::Excluded(&after), Bound::Included(&last), limit, |key, value| {
        let key: BacklogTaskKey = key;
        Ok(BacklogRow { task_id: key.task_id, body: values::decode_bytes(value)? })
    })
}

fn open(
    snapshot: &ReadTransaction,
    definition: redb::TableDefinition<'static, &'static [u8], &'static [u8]>,
) -> Result<ReadHandle, Stop> {
    Ok(snapshot.open_table(definition)?)
}

fn get<T>(
    table: &ReadHandle,
    key: &impl Key,
    read: impl FnOnce(&[u8]) -> Result<T, StoreError>,
) -> Result<Option<T>, Stop> {
    match table.get(key.encode().as_slice())? {
        Some(value) => Ok(Some(read(value.value())?)),
        None => Ok(None),
    }
}

/// Rows between two keys, in key order, at most `limit`. A range that ends before it begins is empty.
fn scan<K: Key, T>(
    table: &ReadHandle,
    from: Bound<&K>,
    until: Bound<&K>,
    limit: usize,
    read: impl Fn(K, &[u8]) -> Result<T, StoreError>,
) -> Result<Vec<T>, Stop> {
    let (from, until) = (from.map(Key::encode), until.map(Key::encode));
    let bytes = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Included(key) | Bound::Excluded(key) => Some(key.clone()),
        Bound::Unbounded => None,
    };
    if let (Some(first), Some(last)) = (bytes(&from), bytes(&until))
        && first >= last
    {
        return Ok(Vec::new());
    }
    let bounds = (from.as_ref().map(Vec::as_slice), until.as_ref().map(Vec::as_slice));
    let mut rows = Vec::new();
    for row in table.range::<&[u8]>(bounds)?.take(limit) {
        let (key, value) = row?;
        rows.push(read(K::decode(key.value())?, value.value())?);
    }
    Ok(rows)
}
