//! Commits of the embedded store per second, when 1, 10, 100 and 1000 of them wait together: on the simulated disk,
//! which costs no time of its own, and on a file, where each batch waits for one fsync.
//!
//! A commit is the usual one: a run's state, a batch of history, a task added and one deleted. The ratios between batch
//! sizes say what group commit is worth; the two media apart say what is the store and what the disk.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on says so by a panic")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use tempest_core::{RunKey, Time};
use tempest_disk::{DiskOptions, SimDisk};
use tempest_store::{
    BranchId, CommitOutcome, HistoryAppend, PartId, PartKey, PartWrite, RangeId, RunWrite, ShardCommit, ShardId,
    StoreCalls, TaskCategory, TaskKey, TaskRow,
    file_system::{FileSystem, RealFileSystem},
    redb::{RedbConfig, RedbStore},
};

const BATCHES: [u64; 4] = [1, 10, 100, 1000];
const STATE_BYTES: usize = 1500;
const EVENTS_BYTES: usize = 600;

/// An owned shard whose runs each get one commit after the other.
struct Shard {
    store: RedbStore,
    sequence: u64,
}

impl Shard {
    async fn open(file_system: Arc<dyn FileSystem>, path: &std::path::Path) -> Self {
        let store = RedbStore::open(file_system, path, RedbConfig::default()).await.unwrap();
        store.acquire_shard(ShardId(1), RangeId(0), "bench").await.unwrap();
        Self { store, sequence: 0 }
    }

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

fn commits(criterion: &mut Criterion, medium: &str, open: impl Fn(&tokio::runtime::Runtime) -> Shard) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group(format!("store/commits on {medium}"));
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for batch in BATCHES {
        // Each size starts with an empty store: how long a commit takes grows with the depth of its trees.
        let mut shard = open(&runtime);
        group.throughput(Throughput::Elements(batch));
        group.bench_function(BenchmarkId::new("batch", batch), |bencher| {
            bencher.iter(|| runtime.block_on(shard.batch(batch)));
        });
        runtime.block_on(shard.store.close());
    }
    group.finish();
}

fn simulated_disk(criterion: &mut Criterion) {
    commits(criterion, "the simulated disk", |runtime| {
        let disk: Arc<dyn FileSystem> = Arc::new(SimDisk::new([7; 32], DiskOptions::default()));
        runtime.block_on(Shard::open(disk, "tempest.db".as_ref()))
    });
}

fn file(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    commits(criterion, "a file", |runtime| {
        number.set(number.get() + 1);
        let path = directory.path().join(format!("tempest-{}.db", number.get()));
        runtime.block_on(Shard::open(Arc::new(RealFileSystem), &path))
    });
}

/// One of a run's pending parts changes: its row and that part are written, whatever else is pending.
fn parts(criterion: &mut Criterion) {
    const PENDING: [i64; 3] = [1, 40, 1000];
    const PART_BYTES: usize = 300;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("store/one part of a run");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let part = |number| PartWrite {
        key: PartKey { kind: 1, id: PartId::Number(number) },
        body: Some(Bytes::from(vec![3; PART_BYTES])),
    };
    for pending in PENDING {
        let disk: Arc<dyn FileSystem> = Arc::new(SimDisk::new([7; 32], DiskOptions::default()));
        let mut shard = runtime.block_on(Shard::open(disk, "tempest.db".as_ref()));
        let mut born = shard.next();
        born.runs[0].parts = (0..pending).map(part).collect();
        let key = born.runs[0].key.clone();
        assert_eq!(runtime.block_on(shard.store.commit(born)), CommitOutcome::Committed);
        group.bench_function(BenchmarkId::new("pending", pending), |bencher| {
            bencher.iter(|| {
                let mut commit = shard.next();
                (commit.runs[0].key, commit.runs[0].expected_version) = (key.clone(), Some(shard.sequence - 1));
                commit.runs[0].version = shard.sequence;
                commit.runs[0].parts = vec![part(pending / 2)];
                assert_eq!(runtime.block_on(shard.store.commit(commit)), CommitOutcome::Committed);
            });
        });
        runtime.block_on(shard.store.close());
    }
    group.finish();
}

criterion_group!(benches, simulated_disk, file, parts);
criterion_main!(benches);
