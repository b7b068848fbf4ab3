//! Reads, each one statement; and the beat of a node, which rests on nothing and needs no lane.
use crate::pool::Pool;
use bytes::Bytes;
use std::collections::BTreeMap;
use tempest_core::{EventId, RunId, RunKey};
use tempest_store::keys::{BacklogTaskKey, CurrentRunKey, HistoryNodeKey, HistoryTaskKey, Key, NodeKey, RunPartKey};
use tempest_store::values::{decode_record, decode_text, encode_record};
use tempest_store::{
    BacklogRow, BranchId, Found, HistoryNode, NamespaceRecord, NodeRecord, PartitionKey, RangeId, ReadAnswer,
    ReadRequest, RunPart, RunRecord, ShardId, ShardRecord, StoreError, TaskKey, TaskRow, WriteAnswer, Written,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

pub async fn perform(pool: &Pool, request: ReadRequest) -> ReadAnswer {
    Ok(match request {
        ReadRequest::Shard(id) => Found::Shard(shard(pool, id).await?),
        ReadRequest::Ranges(shards) => Found::Ranges(ranges(pool, &shards).await?),
        ReadRequest::Run(key) => Found::Run(run(pool, &key).await?),
        ReadRequest::CurrentRun { namespace, workflow } => {
            let key = CurrentRunKey { namespace_id: namespace, workflow_id: workflow };
            Found::CurrentRun(current_run(pool, &key).await?)
        }
        ReadRequest::Runs { after, limit } => Found::Runs(runs(pool, after, limit).await?),
        ReadRequest::History { branch, from, until, limit } => {
            Found::History(history(pool, &branch, from, until, limit).await?)
        }
        ReadRequest::Tasks { shard, after, before, limit } => {
            Found::Tasks(history_tasks(pool, shard, after, before, limit).await?)
        }
        ReadRequest::Namespaces => Found::Namespaces(namespaces(pool).await?),
        ReadRequest::Backlog { partition, after, limit } => {
            Found::Backlog(backlog(pool, &partition, after, limit).await?)
        }
    })
}

/// Nothing rests on it: acquiring a shard compares again.
async fn shard(pool: &Pool, shard: ShardId) -> Result<Option<ShardRecord>, StoreError> {
    let rows = pool.query(|statements| &statements.shards, &[&vec![shard.encode()]]).await?;
    rows.first().map(|row| decode_record(column(row, 1)?)).transpose()
}

async fn ranges(pool: &Pool, shards: &[ShardId]) -> Result<Vec<RangeId>, StoreError> {
    let keys: Vec<Vec<u8>> = shards.iter().map(Key::encode).collect();
    let (timeline, rows) = pool.query_proven(|statements| &statements.shards, &[&keys]).await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let record: ShardRecord = decode_record(column(row, 1)?)?;
        found.insert(key::<ShardId>(row)?, record.range_id.if_of(timeline));
    }
    Ok(shards.iter().map(|shard| found.get(shard).copied().unwrap_or_default()).collect())
}

async fn run(pool: &Pool, key: &RunKey) -> Result<Option<RunRecord>, StoreError> {
    let (after, before) = RunPartKey::all_of(key);
    let rows = pool.query(|statements| &statements.run, &[&key.encode(), &after, &before]).await?;
    Ok(runs_with_parts(&rows)?.pop().map(|(_, run)| run))
}

async fn current_run(pool: &Pool, key: &CurrentRunKey) -> Result<Option<RunId>, StoreError> {
    let rows = pool.query(|statements| &statements.current_run, &[&key.encode()]).await?;
    rows.first().map(|row| Ok(decode_text(column(row, 0)?)?.into())).transpose()
}

async fn runs(pool: &Pool, after: Option<RunKey>, limit: usize) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
    // No key is empty: every one is after that.
    let after = after.map(|key| key.encode()).unwrap_or_default();
    let rows = pool.query(|statements| &statements.runs, &[&after, &row_limit(limit)]).await?;
    runs_with_parts(&rows)
}

async fn history(
    pool: &Pool,
    branch: &BranchId,
    from: EventId,
    until: EventId,
    limit: usize,
) -> Result<Vec<HistoryNode>, StoreError> {
    let bound = |node| HistoryNodeKey { branch: branch.clone(), node }.encode();
    let parameters = (bound(from), bound(until), row_limit(limit));
    let rows = pool.query(|statements| &statements.history, &[&parameters.0, &parameters.1, &parameters.2]).await?;
    let node = |row: &Row| Ok(HistoryNode { node: key::<HistoryNodeKey>(row)?.node, events: bytes(row, 1)? });
    rows.iter().map(node).collect()
}

async fn history_tasks(
    pool: &Pool,
    shard: ShardId,
    after: TaskKey,
    before: TaskKey,
    limit: usize,
) -> Result<Vec<TaskRow>, StoreError> {
    let bound = |task| HistoryTaskKey { shard, task }.encode();
    let parameters = (bound(after), bound(before), row_limit(limit));
    let rows =
        pool.query(|statements| &statements.history_tasks, &[&parameters.0, &parameters.1, &parameters.2]).await?;
    rows.iter().map(|row| Ok(TaskRow { key: key::<HistoryTaskKey>(row)?.task, body: bytes(row, 1)? })).collect()
}

async fn namespaces(pool: &Pool) -> Result<Vec<NamespaceRecord>, StoreError> {
    let rows = pool.query(|statements| &statements.namespaces, &[]).await?;
    rows.iter().map(|row| decode_record(column(row, 0)?)).collect()
}

/// A beat whose end is unknown is told as an error: the next one says more than it.
pub async fn beat(pool: &Pool, node: &NodeRecord) -> WriteAnswer {
    let (key, value) = (NodeKey(node.name.clone()).encode(), encode_record(node));
    let rows = pool.query(|statements| &statements.beat, &[&key, &value.as_ref()]).await?;
    let before: Result<Vec<NodeRecord>, StoreError> = rows.iter().map(|row| decode_record(column(row, 0)?)).collect();
    before.map(Written::Nodes)
}

async fn backlog(
    pool: &Pool,
    partition: &PartitionKey,
    after: i64,
    limit: usize,
) -> Result<Vec<BacklogRow>, StoreError> {
    let bound = |task_id| BacklogTaskKey { partition: partition.clone(), task_id }.encode();
    let parameters = (bound(after), bound(i64::MAX), row_limit(limit));
    let rows = pool.query(|statements| &statements.backlog, &[&parameters.0, &parameters.1, &parameters.2]).await?;
    let row_of = |row: &Row| Ok(BacklogRow { task_id: key::<BacklogTaskKey>(row)?.task_id, body: bytes(row, 1)? });
    rows.iter().map(row_of).collect()
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Of rows in key order: a run has a version, its parts follow it and have none.
fn runs_with_parts(rows: &[Row]) -> Result<Vec<(RunKey, RunRecord)>, StoreError> {
    let mut runs: Vec<(RunKey, RunRecord)> = Vec::new();
    for row in rows {
        let (version, body): (Option<i64>, Bytes) = (owned(row, 1)?, bytes(row, 2)?);
        match (version, runs.last_mut()) {
            (Some(version), _) => {
                let run = RunRecord { version: version.cast_unsigned(), row: body, parts: Vec::new() };
                runs.push((key(row)?, run));
            }
            (None, Some((_, run))) => run.parts.push(RunPart { key: key::<RunPartKey>(row)?.part, body }),
            (None, None) => return Err(StoreError::Corrupt("a part without its run".into())),
        }
    }
    Ok(runs)
}

/// The first column.
fn key<K: Key>(row: &Row) -> Result<K, StoreError> {
    Ok(K::decode(column(row, 0)?)?)
}

fn column(row: &Row, at: usize) -> Result<&[u8], StoreError> {
    row.try_get(at).map_err(|error| StoreError::Corrupt(format!("a row: {error}")))
}

fn bytes(row: &Row, at: usize) -> Result<Bytes, StoreError> {
    Ok(Bytes::copy_from_slice(column(row, at)?))
}

fn owned<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, StoreError> {
    row.try_get(at).map_err(|error| StoreError::Corrupt(format!("a row: {error}")))
}
