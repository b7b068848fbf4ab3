//! Commits per second through PostgreSQL, when 1, 10, 100 and 1000 of them wait together, with fsync on.
//!
//! A commit is the usual one: a run's state, a batch of history, a task added and one deleted. All are of one shard, so
//! of one lane: what a batch costs, not what a server can do.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]

use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use tempest_core::{RunKey, Time};
use tempest_store::{
    BranchId, CommitOutcome, HistoryAppend, RangeId, RunWrite, ShardCommit, ShardId, StoreCalls, TaskCategory, TaskKey,
    TaskRow,
};
use tempest_store_postgres::{PostgresStore, testing::TestPostgres};

const BATCHES: [u64; 4] = [1, 10, 100, 1000];
const STATE_BYTES: usize = 1500;
const EVENTS_BYTES: usize = 600;

/// An owned shard whose runs each get one commit after the other.
struct Shard {
    store: PostgresStore,
    sequence: u64,
}

impl Shard {
    /// Enqueues `size` commits and waits until all are durable.
    async fn batch(&mut self, size: u64) {
        let commits: Vec<ShardCommit> = (0..size).map(|_| self.next()).collect();
        for outcome in join_all(commits.into_iter().map(|commit| self.store.commit(commit))).await {
            assert!(matches!(outcome, CommitOutcome::Committed), "{outcome:?}");
        }
    }

    fn next(&mut self) -> ShardCommit {
        self.sequence += 1;
        let number = i64::try_from(self.sequence).unwrap();
        let run_id = format!("3f0e4a52-7a35-4d0c-9f53-{number:012}");
        let key = RunKey {
            namespace_id: "7d3f6c2e-5c39-4c0b-a1f0-0d6f0b6a3f11".into(),
            workflow_id: format!("order-{number}").as_str().into(),
            run_id: run_id.as_str().into(),
        };
        let task = |task_id| TaskKey { category: TaskCategory::Transfer, fire_time: Time(0), task_id };
        ShardCommit {
            shard: ShardId(1),
            range_id: RangeId(1),
            sequence: self.sequence,
            time: Time(number),
            runs: vec![RunWrite {
                key,
                expected_version: None,
                version: 1,
                row: Bytes::from(vec![7; STATE_BYTES]),
                parts: Vec::new(),
            }],
            history: vec![HistoryAppend {
                branch: BranchId { tree: run_id.clone(), branch: run_id },
                node: 1,
                events: Bytes::from(vec![9; EVENTS_BYTES]),
            }],
            tasks_added: vec![TaskRow { key: task(number), body: Bytes::from(vec![5; 120]) }],
            tasks_deleted: vec![task(number - 1)],
            ..ShardCommit::default()
        }
    }
}

fn commits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Some(server) = runtime.block_on(TestPostgres::start(&[])) else { return };
    let mut group = criterion.benchmark_group("store/commits through PostgreSQL");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for batch in BATCHES {
        // Each size starts with an empty store.
        let mut shard = runtime.block_on(async {
            let store = PostgresStore::connect(server.config(&format!("batch {batch}"))).await.unwrap();
            store.acquire_shard(ShardId(1), RangeId(0), "bench").await.unwrap();
            Shard { store, sequence: 0 }
        });
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::new("batch", batch), |bencher| {
            bencher.iter(|| runtime.block_on(shard.batch(batch)));
        });
        runtime.block_on(shard.store.close());
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
