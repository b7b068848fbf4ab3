//! The store against real PostgreSQL servers that these tests start, cut off, kill and restart.
#![allow(clippy::unwrap_used)]

mod conformance;
mod lookout;
mod nodes;
mod opening;
mod outcomes;
mod replay;
mod restarts;

use bytes::Bytes;
use std::fmt::Debug;
use std::time::Duration;
use tempest_core::RunKey;
use tempest_store::{
    CommitOutcome, RangeId, RunWrite, ShardCommit, ShardId, ShardRecord, Store, StoreCalls, StoreError,
};
use tempest_store_postgres::{PostgresConfig, PostgresStore};

/// Something that happens elsewhere is looked for this often.
const LOOKS: u32 = 1000;
const PAUSE: Duration = Duration::from_millis(10);

async fn connect(config: PostgresConfig) -> PostgresStore {
    PostgresStore::connect(config).await.unwrap()
}

async fn refused(config: PostgresConfig) -> StoreError {
    match PostgresStore::connect(config).await {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error,
    }
}

/// Acquires a shard that had no owner.
async fn acquire(store: &PostgresStore, shard: u32) {
    store.acquire_shard(ShardId(shard), RangeId(0), "test").await.unwrap();
}

/// A commit of the first owner that writes a run of its own.
fn commit(shard: u32, sequence: u64) -> ShardCommit {
    let run = format!("run {sequence} of shard {shard}");
    let key = RunKey { namespace_id: "namespace".into(), workflow_id: "workflow".into(), run_id: run.clone().into() };
    let runs = vec![RunWrite { key, expected_version: None, version: 1, row: Bytes::from(run), parts: Vec::new() }];
    ShardCommit { shard: ShardId(shard), range_id: RangeId(1), sequence, runs, ..ShardCommit::default() }
}

async fn record(store: &PostgresStore, shard: u32) -> ShardRecord {
    store.shard(ShardId(shard)).await.unwrap().unwrap()
}

#[track_caller]
fn assert_unavailable(outcome: &CommitOutcome, why: &str) {
    assert!(matches!(outcome, CommitOutcome::Unavailable(text) if text.contains(why)), "{outcome:?}");
}

#[track_caller]
fn assert_unknown(outcome: &CommitOutcome, why: &str) {
    assert!(matches!(outcome, CommitOutcome::OutcomeUnknown(text) if text.contains(why)), "{outcome:?}");
}

/// Looks until `look` returns something.
async fn eventually<T: Debug>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it never happened: {what}");
}
