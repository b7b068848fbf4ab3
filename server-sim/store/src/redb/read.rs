//! Reads over one snapshot.
use crate::keys::{BacklogTaskKey, CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key, NamespaceKey, RunPartKey};
use crate::redb::tables::{ReadHandle, Stop, definition, split_version};
use crate::values::{decode_record, decode_text};
use crate::{
    BacklogRow, BranchId, Found, HistoryNode, NamespaceRecord, PartitionKey, RangeId, ReadRequest, RunPart, RunRecord,
    ShardId, ShardRecord, StoreError, Table, TaskKey, TaskRow,
};
use bytes::Bytes;
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
    get(&open(snapshot, Table::Shards)?, &shard, decode_record)
}

fn ranges(snapshot: &ReadTransaction, shards: &[ShardId]) -> Result<Vec<RangeId>, Stop> {
    let table = open(snapshot, Table::Shards)?;
    let range = |shard| {
        let found: Option<ShardRecord> = get(&table, shard, decode_record)?;
        Ok(found.unwrap_or_default().range_id)
    };
    shards.iter().map(range).collect()
}

fn run(snapshot: &ReadTransaction, key: &RunKey) -> Result<Option<RunRecord>, Stop> {
    let Some(run) = get(&open(snapshot, Table::Runs)?, key, decode_run)? else { return Ok(None) };
    Ok(Some(with_parts(snapshot, key, run)?))
}

fn decode_run(stored: &[u8]) -> Result<RunRecord, StoreError> {
    let (version, row) = split_version(stored)?;
    Ok(RunRecord { version, row: Bytes::copy_from_slice(row), parts: Vec::new() })
}

/// One range of rows: they begin with their run's key.
fn with_parts(snapshot: &ReadTransaction, key: &RunKey, run: RunRecord) -> Result<RunRecord, Stop> {
    let (after, before) = RunPartKey::all_of(key);
    let (after, before) = (Bound::Excluded(after), Bound::Excluded(before));
    let parts = scan_between(snapshot, after, before, usize::MAX, |key: RunPartKey, value| {
        Ok(RunPart { key: key.part, body: Bytes::copy_from_slice(value) })
    })?;
    Ok(RunRecord { parts, ..run })
}

fn current_run(snapshot: &ReadTransaction, key: &CurrentRunKey) -> Result<Option<RunId>, Stop> {
    get(&open(snapshot, Table::CurrentRuns)?, key, |value| Ok(decode_text(value)?.into()))
}

fn runs(snapshot: &ReadTransaction, after: Option<&RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, Stop> {
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = scan(snapshot, after, Bound::Unbounded, limit, |key: RunKey, value| Ok((key, decode_run(value)?)))?;
    let whole = |(key, run)| with_parts(snapshot, &key, run).map(|run| (key, run));
    rows.into_iter().map(whole).collect()
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
    scan(snapshot, Bound::Included(&from), Bound::Excluded(&until), limit, |key: HistoryNodeKey, value| {
        Ok(HistoryNode { node: key.node, events: Bytes::copy_from_slice(value) })
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
    scan(snapshot, Bound::Excluded(&after), Bound::Excluded(&before), limit, |key: HistoryTaskKey, value| {
        Ok(TaskRow { key: key.task, body: Bytes::copy_from_slice(value) })
    })
}

fn namespaces(snapshot: &ReadTransaction) -> Result<Vec<NamespaceRecord>, Stop> {
    scan(snapshot, Bound::Unbounded, Bound::Unbounded, usize::MAX, |_: NamespaceKey, value| decode_record(value))
}

fn backlog(
    snapshot: &ReadTransaction,
    partition: &PartitionKey,
    after: i64,
    limit: usize,
) -> Result<Vec<BacklogRow>, Stop> {
    let key = |task_id| BacklogTaskKey { partition: partition.clone(), task_id };
    let (after, last) = (key(after), key(i64::MAX));
    scan(snapshot, Bound::Excluded(&after), Bound::Included(&last), limit, |key: BacklogTaskKey, value| {
        Ok(BacklogRow { task_id: key.task_id, body: Bytes::copy_from_slice(value) })
    })
}

fn open(snapshot: &ReadTransaction, table: Table) -> Result<ReadHandle, Stop> {
    Ok(snapshot.open_table(definition(table))?)
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
    snapshot: &ReadTransaction,
    from: Bound<&K>,
    until: Bound<&K>,
    limit: usize,
    read: impl Fn(K, &[u8]) -> Result<T, StoreError>,
) -> Result<Vec<T>, Stop> {
    scan_between(snapshot, from.map(Key::encode), until.map(Key::encode), limit, read)
}

/// As [`scan`], between encoded keys.
fn scan_between<K: Key, T>(
    snapshot: &ReadTransaction,
    from: Bound<Vec<u8>>,
    until: Bound<Vec<u8>>,
    limit: usize,
    read: impl Fn(K, &[u8]) -> Result<T, StoreError>,
) -> Result<Vec<T>, Stop> {
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
    for row in open(snapshot, K::TABLE)?.range::<&[u8]>(bounds)?.take(limit) {
        let (key, value) = row?;
        rows.push(read(K::decode(key.value())?, value.value())?);
    }
    Ok(rows)
}
