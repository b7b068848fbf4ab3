//! The constants of the model, from this machine: the store and matching are measured alone, the rest follows from what
//! the whole server took at two loads.

use super::disk::TimedDisk;
use crate::{BenchError, Costs, Database, Plan, RealPlan};
use async_trait::async_trait;
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempest_api::proto::taskqueue::v1::TaskQueue;
use tempest_api::proto::workflowservice::v1 as api;
use tempest_api::{
    AddWorkflowTask, HistoryService, MatchingService, Read, Reply, ServiceError, ServiceResult, Target, View,
};
use tempest_artifact::BenchPoint;
use tempest_core::{Input, NamespaceId, RunKey, Time};
use tempest_matching::{Matching, MatchingConfig};
use tempest_rt::task::TaskGroup;
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::{
    BranchId, CommitOutcome, HistoryAppend, RangeId, RunWrite, ShardCommit, ShardId, Store, StoreCalls, TaskCategory,
    TaskKey, TaskRow,
};
use tempest_store_postgres::{PostgresConfig, PostgresStore};

/// Commits of a small and of a large transaction, and how often each is written.
const SMALL: u64 = 1;
const LARGE: u64 = 64;
const ROUNDS: usize = 60;
/// Tasks that are matched, after as many to warm up.
const TASKS: i64 = 3_000;
/// As runs and histories of a workflow with one activity have.
const STATE_BYTES: usize = 600;
const EVENTS_BYTES: usize = 300;
const TASK_BYTES: usize = 120;

/// What was measured without a server.
pub struct Alone {
    costs: Costs,
    in_database: bool,
}

/// Measures store and matching.
///
/// # Errors
/// The database of the plan cannot be used.
pub fn measure_alone(real: &RealPlan) -> Result<Alone, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut costs = Costs::default();
    let in_database = matches!(real.database, Database::Postgres(_));
    runtime.block_on(measure_store(real, &mut costs))?;
    runtime.shutdown_background();
    // On one thread: no wake-up of another belongs to what a partition does.
    let one_thread = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let us = one_thread.block_on(measure_matching())?;
    let source = "measured: tasks that meet a poll in one partition, over a history that records at once";
    costs.set("matching", us, source);
    Ok(Alone { costs, in_database })
}

async fn measure_store(real: &RealPlan, costs: &mut Costs) -> Result<(), BenchError> {
    let failed = |error: tempest_store::StoreError| BenchError::Database(error.to_string());
    let place = match &real.database {
        Database::File(Some(place)) => tempfile::tempdir_in(place)?,
        _ => tempfile::tempdir()?,
    };
    let disk = TimedDisk { sync_at_least: real.fsync_at_least.unwrap_or_default(), ..TimedDisk::default() };
    let syncs = disk.syncs.clone();
    let mut schema = None;
    let (store, is_database): (Arc<dyn Store>, bool) = match &real.database {
        Database::Memory => (Arc::new(RedbStore::in_memory(RedbConfig::default()).await.map_err(failed)?), false),
        Database::File(_) => {
            let path = place.path().join("calibration.db");
            (Arc::new(RedbStore::open(Arc::new(disk), path, RedbConfig::default()).await.map_err(failed)?), false)
        }
        Database::Postgres(url) => {
            let made = super::database::Schema::new(url);
            let config = PostgresConfig { schema: made.name.clone(), ..PostgresConfig::new(url) };
            schema = Some(made);
            (Arc::new(PostgresStore::connect(config).await.map_err(failed)?), true)
        }
    };
    let mut shard = Shard::acquire(store).await.map_err(failed)?;
    shard.median_of(SMALL).await;
    let before = syncs.so_far();
    let (small, large) = (shard.median_of(SMALL).await, shard.median_of(LARGE).await);
    let after = syncs.so_far();
    if let Some(schema) = schema {
        schema.drop().await;
    }
    let synced = (after.number - before.number).max(1);
    let fsync = if is_database { fsync_of_a_file(place.path())? } else { us(after.took - before.took) / synced as f64 };
    let commit = (large - small).max(0.0) / (LARGE - SMALL) as f64;
    let batch = (small - commit - fsync).max(0.0);
    let (of_batch, of_commit) =
        if is_database { ("database_batch", "database_commit") } else { ("writer_batch", "writer_commit") };
    let source = format!("measured: transactions of {SMALL} and of {LARGE} commits, the median of {ROUNDS} each");
    costs.set(of_commit, commit, &source);
    costs.set(of_batch, batch, &source);
    let source = match &real.database {
        Database::Memory => "measured: a store in memory flushes nothing",
        Database::File(_) => "measured: the mean of the calibration's fsyncs",
        Database::Postgres(_) => "measured: fsyncs of a file in this machine's temporary directory",
    };
    costs.set("fsync", fsync, source);
    Ok(())
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median time of writing a block and making it durable, in microseconds.
fn fsync_of_a_file(directory: &std::path::Path) -> Result<f64, BenchError> {
    use std::io::Write;
    let mut file = std::fs::File::create(directory.join("fsync"))?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        file.write_all(&[7; 8192])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(us(began.elapsed()));
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// An owned shard whose runs get one commit each.
struct Shard {
    store: Arc<dyn Store>,
    range: RangeId,
    sequence: u64,
}

impl Shard {
    async fn acquire(store: Arc<dyn Store>) -> Result<Self, tempest_store::StoreError> {
        let acquired = store.acquire_shard(ShardId(1), RangeId(0), "bench").await?;
        Ok(Self { store, range: acquired.range_id, sequence: acquired.sequence })
    }

    /// The median time of so many commits that wait together, in microseconds.
    async fn median_of(&mut self, size: u64) -> f64 {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let commits: Vec<ShardCommit> = (0..size).map(|_| self.next()).collect();
            let began = Instant::now();
            let outcomes = join_all(commits.into_iter().map(|commit| self.store.commit(commit))).await;
            if outcomes.iter().all(|outcome| matches!(outcome, CommitOutcome::Committed)) {
                times.push(us(began.elapsed()));
            }
        }
        median(times)
    }

    fn next(&mut self) -> ShardCommit {
        self.sequence += 1;
        let number = i64::try_from(self.sequence).unwrap_or(i64::MAX);
        let run_id = format!("3f0e4a52-7a35-4d0c-9f53-{number:012}");
        let key = RunKey {
            namespace_id: "7d3f6c2e-5c39-4c0b-a1f0-0d6f0b6a3f11".into(),
            workflow_id: format!("order-{number}").as_str().into(),
            run_id: run_id.as_str().into(),
        };
        let task = |task_id| TaskKey { category: TaskCategory::Transfer, fire_time: Time(0), task_id };
        ShardCommit {
            shard: ShardId(1),
            range_id: self.range,
            sequence: self.sequence,
            time: Time(number),
            runs: vec![RunWrite {
                key,
                expected_version: None,
                version: 1,
                row: vec![7_u8; STATE_BYTES].into(),
                parts: Vec::new(),
            }],
            history: vec![HistoryAppend {
                branch: BranchId { tree: run_id.clone(), branch: run_id },
                node: 1,
                events: vec![9_u8; EVENTS_BYTES].into(),
            }],
            tasks_added: vec![TaskRow { key: task(number), body: vec![5_u8; TASK_BYTES].into() }],
            tasks_deleted: vec![task(number - 1)],
            ..ShardCommit::default()
        }
    }
}

/// A history that records each start at once.
struct RecordsAtOnce;

#[async_trait]
impl HistoryService for RecordsAtOnce {
    async fn call(&self, _: Target, input: Input) -> ServiceResult<Reply> {
        match input {
            Input::RecordWorkflowTaskStarted(request) => {
                Ok(Reply::WorkflowTaskStarted(Box::new(api::PollWorkflowTaskQueueResponse {
                    task_token: vec![1],
                    started_event_id: request.scheduled_event_id + 1,
                    ..Default::default()
                })))
            }
            _ => Err(ServiceError::Internal("the calibration records starts of workflow tasks only".to_owned())),
        }
    }

    async fn read(&self, _: Target, _: Read) -> ServiceResult<View> {
        Err(ServiceError::Internal("the calibration reads nothing".to_owned()))
    }
}

/// Microseconds of a task that meets a poll.
async fn measure_matching() -> Result<f64, BenchError> {
    let failed = |what: String| BenchError::Database(format!("matching could not be calibrated: {what}"));
    let store = RedbStore::in_memory(RedbConfig::default()).await.map_err(|error| failed(error.to_string()))?;
    let tasks = TaskGroup::default();
    let matching = Matching::start(Arc::new(store), MatchingConfig::default(), tasks.clone())
        .map_err(|error| failed(error.to_string()))?;
    let history: Arc<dyn HistoryService> = Arc::new(RecordsAtOnce);
    let service: Arc<dyn MatchingService> = matching.clone();
    matching.connect(&history, &service);
    match_tasks(&service).await.map_err(|error| failed(error.to_string()))?;
    let began = Instant::now();
    match_tasks(&service).await.map_err(|error| failed(error.to_string()))?;
    let took = us(began.elapsed());
    tasks.stop_and_wait().await;
    Ok(took / TASKS as f64)
}

async fn match_tasks(matching: &Arc<dyn MatchingService>) -> ServiceResult<()> {
    let namespace: NamespaceId = "7d3f6c2e-5c39-4c0b-a1f0-0d6f0b6a3f11".into();
    for number in 1..=TASKS {
        let poll = api::PollWorkflowTaskQueueRequest {
            task_queue: Some(TaskQueue { name: "bench".into(), ..TaskQueue::default() }),
            identity: "bench".into(),
            ..Default::default()
        };
        let task = AddWorkflowTask {
            run: RunKey { namespace_id: namespace.clone(), workflow_id: "w".into(), run_id: "r".into() },
            scheduled_event_id: number,
            stamp: 0,
            task_queue: "bench".into(),
            sticky_for: None,
            schedule_to_start_timeout: None,
        };
        let polled = matching.poll_workflow_task_queue(&namespace, poll, Duration::from_secs(10));
        let (polled, added) = futures::future::join(polled, matching.add_workflow_task(task)).await;
        polled?;
        added?;
    }
    Ok(())
}

/// The processor time of the load that was measured at a point, in milliseconds by workflow.
pub type LoadCpuMs = f64;

impl Alone {
    /// All costs, from what the server took under the lowest and the highest load at one shard count, and its fsyncs
    /// there where they were seen.
    pub fn with(
        self,
        plan: &Plan,
        low: (&BenchPoint, LoadCpuMs),
        high: (&BenchPoint, LoadCpuMs),
        fsync_us: Option<f64>,
    ) -> Costs {
        let Self { mut costs, in_database } = self;
        let workload = plan.workload;
        let (calls, commits) = (f64::from(workload.calls()), f64::from(workload.commits()));
        let at = |(point, _): (&BenchPoint, f64)| format!("{} shards and {} clients", point.shards, point.clients);
        if let Some(fsync) = fsync_us {
            costs.set("fsync", fsync, &format!("measured at {}: the mean of the server's fsyncs", at(high)));
        }
        // Where cores are contended, turns are interrupted: the lower figure is nearer to what they take.
        let actor = low.0.actor_us.min(high.0.actor_us) / commits;
        costs.set(
            "actor",
            actor,
            &format!("measured at {} and at {}, the lower: turns of all actors, by commit", at(low), at(high)),
        );
        costs.set("load_call", high.1 * 1e3 / calls, &format!("measured at {}: CPU of clients and workers", at(high)));
        // The rest of what the server's threads took: gRPC, frontends, routing, the runtime.
        let rest = |point: &BenchPoint| {
            let batches = point.commits / point.commits_per_batch.max(1.0);
            let writer = if in_database {
                0.0
            } else {
                point.commits * costs.us("writer_commit") + batches * costs.us("writer_batch")
            };
            let matching = f64::from(workload.dispatches()) * costs.us("matching");
            point.server_cpu_ms * 1e3 - writer - matching - commits * actor
        };
        let (of_high, of_low) = (rest(high.0).max(0.0), rest(low.0).max(0.0));
        costs.set(
            "call_cpu",
            of_high / calls,
            &format!("fitted at {}: the server's CPU less actor, writer and matching", at(high)),
        );
        costs.set("hop_cpu", of_high / calls, "assumed: as much as a call of a client");
        // Steps that find their core idle: a call has two of them, a commit two turns and a transaction, a task two.
        let steps = 2.0 * calls + 3.0 * commits + 2.0 * f64::from(workload.dispatches());
        let wake = (of_low - of_high) / steps;
        costs.set("wake_cpu", wake, &format!("fitted at {}: what a workflow took more there, by step", at(low)));
        costs
    }
}
