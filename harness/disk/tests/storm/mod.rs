//! Random transactions through the embedded store on a disk that loses power again and again, and the judgement after
//! each recovery.
//!
//! Because a shard's commits apply strictly in sequence, the sequence found after recovery says which of them must be
//! there, whole, and which must not.
#![allow(clippy::unwrap_used)]
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use tempest_core::{RunKey, Time};
use tempest_disk::{DiskFaults, DiskOptions, SimDisk};
use tempest_store::redb::{RedbConfig, RedbStore};
use tempest_store::*;

const SHARDS: u32 = 3;
const RUNS_PER_SHARD: u64 = 4;
const LIVES: u32 = 8;
const BURST_MAX: u64 = 6;
const PATH: &str = "/data/tempest.db";
const ALL: usize = usize::MAX;

/// What kind of storm.
#[derive(Clone, Copy, Default)]
pub struct FaultPlan {
    pub faults: DiskFaults,
    pub capacity_bytes: Option<u64>,
    /// The process is killed sometimes while the power stays on.
    pub kills: bool,
}

/// What a campaign met: a storm in which nothing happened proves nothing.
#[derive(Default, Debug)]
pub struct Tally {
    pub recoveries: u64,
    pub cut_while_opening: u64,
    pub committed: u64,
    pub refused: u64,
    pub unknown_kept: u64,
    pub unknown_lost: u64,
    pub failures: u64,
    pub sectors_lost: u64,
}

/// One commit of a shard as it was asked for, and what was answered if it was.
struct Asked {
    commit: ShardCommit,
    outcome: Option<CommitOutcome>,
}

#[derive(Default)]
struct ShardModel {
    range_id: RangeId,
    /// Index i holds the commit with sequence i + 1.
    log: Vec<Asked>,
}

#[derive(Default, PartialEq, Debug)]
struct ShardState {
    runs: BTreeMap<RunKey, (u64, Bytes, BTreeMap<PartKey, Bytes>)>,
    current: Option<tempest_core::RunId>,
    history: BTreeMap<i64, Bytes>,
    tasks: BTreeMap<TaskKey, Bytes>,
}

#[derive(Default)]
struct BacklogModel {
    range_id: RangeId,
    /// Pairs of rows (2n, 2n + 1) added together.
    present: BTreeSet<i64>,
    absent: BTreeSet<i64>,
    unknown: BTreeSet<i64>,
    pairs: i64,
}

struct Storm {
    random: ChaCha8Rng,
    disk: SimDisk,
    shards: BTreeMap<u32, ShardModel>,
    backlog: BacklogModel,
    tally: Tally,
}

/// Runs one seed's storm. The error says what a correct store would not have done.
pub fn storm(seed: u64, plan: FaultPlan) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut disk_seed = [0; 32];
    disk_seed[..8].copy_from_slice(&seed.to_le_bytes());
    let mut storm = Storm {
        random: ChaCha8Rng::seed_from_u64(seed),
        disk: SimDisk::new(disk_seed, DiskOptions::default()),
        shards: (1..=SHARDS).map(|shard| (shard, ShardModel::default())).collect(),
        backlog: BacklogModel::default(),
        tally: Tally::default(),
    };
    for life in 0..LIVES {
        runtime.block_on(storm.live(plan)).map_err(|what| format!("seed {seed}, life {life}: {what}"))?;
    }
    storm.disk.change_faults(|faults| *faults = DiskFaults::default());
    storm.disk.set_capacity(None);
    let store = runtime.block_on(storm.open()).map_err(|error| format!("seed {seed}, at the end: {error}"))?;
    runtime.block_on(storm.verify(&store)).map_err(|what| format!("seed {seed}, at the end: {what}"))?;
    storm.tally.sectors_lost = storm.disk.statistics().sectors_lost;
    Ok(storm.tally)
}

impl Storm {
    fn below(&mut self, bound: u64) -> u64 {
        self.random.next_u64() % bound
    }

    async fn open(&self) -> Result<RedbStore, StoreError> {
        let config = RedbConfig { batch_requests_max: 4, cache_bytes: 1 << 20, ..RedbConfig::default() };
        RedbStore::open(Arc::new(self.disk.clone()), PATH, config).await
    }

    /// Start, verify, work until something breaks, restart.
    async fn live(&mut self, plan: FaultPlan) -> Result<(), String> {
        let lies = DiskFaults { lying_syncs: plan.faults.lying_syncs, ..DiskFaults::default() };
        self.disk.change_faults(|faults| *faults = lies);
        self.disk.set_capacity(None);
        let bound = if self.below(3) == 0 { 15 } else { 250 };
        let changes = 1 + self.below(bound);
        self.disk.cut_power_in(changes);
        match self.open().await {
            Err(_) if !self.disk.is_powered() => self.tally.cut_while_opening += 1,
            Err(error) => return Err(format!("the store does not open: {error}")),
            Ok(store) => {
                self.disk.change_faults(|faults| *faults = plan.faults);
                self.disk.set_capacity(plan.capacity_bytes);
                let worked = self.work(&store, plan).await;
                if !plan.kills || self.below(2) == 0 {
                    self.disk.cut_power();
                }
                // Before the store is dropped: it must not flush politely.
                self.disk.restore_power();
                return worked;
            }
        }
        self.disk.restore_power();
        Ok(())
    }

    async fn work(&mut self, store: &RedbStore, plan: FaultPlan) -> Result<(), String> {
        let mut failed = std::pin::pin!(store.failed());
        if let Err(what) = self.verify(store).await {
            // Without power nothing can be read: no verdict.
            return if self.disk.is_powered() && futures::FutureExt::now_or_never(&mut failed).is_none() {
                Err(what)
            } else {
                Ok(())
            };
        }
        self.tally.recoveries += 1;
        if self.acquire_all(store).await.is_err() {
            return Ok(());
        }
        let bursts = if plan.kills { 1 + self.below(20) } else { u64::MAX };
        for _ in 0..bursts {
            if self.burst(store).await?.is_break() {
                break;
            }
        }
        self.tally.failures += u64::from(futures::FutureExt::now_or_never(&mut failed).is_some());
        Ok(())
    }

    /// Acquires everything anew.
    async fn acquire_all(&mut self, store: &RedbStore) -> Result<(), StoreError> {
        for (shard, model) in &mut self.shards {
            let expected = store.shard(ShardId(*shard)).await?.unwrap_or_default().range_id;
            assert!(expected >= model.range_id, "an acknowledged acquisition was lost");
            model.range_id = store.acquire_shard(ShardId(*shard), expected, "storm").await?.range_id;
        }
        let leased = store.lease_partition(&partition()).await?.range_id;
        assert!(leased > self.backlog.range_id, "an acknowledged lease was lost");
        self.backlog.range_id = leased;
        Ok(())
    }

    /// Some commits of all kinds at once, pipelined, then their answers.
    async fn burst(&mut self, store: &RedbStore) -> Result<ControlFlow<()>, String> {
        let mut answers = Vec::new();
        for _ in 0..1 + self.below(BURST_MAX) {
            let shard = 1 + u32::try_from(self.below(u64::from(SHARDS))).unwrap();
            match self.below(10) {
                0 => self.refused_on_purpose(store, shard).await?,
                1..=2 => {
                    let backlog = &mut self.backlog;
                    backlog.pairs += 1;
                    let first = backlog.pairs * 2;
                    let row = |task_id| BacklogRow { task_id, body: Bytes::from(task_id.to_string()) };
                    let commit = BacklogCommit {
                        partition: partition(),
                        range_id: backlog.range_id,
                        added: vec![row(first), row(first + 1)],
                        deleted: vec![],
                        ack_level: 0,
                        rows: 0,
                    };
                    let outcome = store.commit_backlog(commit).await;
                    let set = match outcome {
                        CommitOutcome::Committed => &mut backlog.present,
                        CommitOutcome::OutcomeUnknown(_) => &mut backlog.unknown,
                        _ => &mut backlog.absent,
                    };
                    set.extend([first, first + 1]);
                }
                _ => {
                    let commit = self.next_commit(shard);
                    self.shards.get_mut(&shard).unwrap().log.push(Asked { commit: commit.clone(), outcome: None });
                    answers.push((shard, commit.sequence, store.commit(commit)));
                }
            }
        }
        let mut end = ControlFlow::Continue(());
        for (shard, sequence, answer) in answers {
            let outcome = answer.await;
            match outcome {
                CommitOutcome::Committed => self.tally.committed += 1,
                CommitOutcome::OwnershipLost { .. } => return Err(format!("no other node acquired shard {shard}")),
                _ => {}
            }
            let log = &mut self.shards.get_mut(&shard).unwrap().log;
            // What follows a refused commit has no place in the sequence any more.
            if matches!(outcome, CommitOutcome::Unavailable(_)) {
                end = ControlFlow::Break(());
            }
            log[usize::try_from(sequence).unwrap() - 1].outcome = Some(outcome);
        }
        Ok(end)
    }

    /// A commit that a correct store refuses, and that would show if it left anything.
    async fn refused_on_purpose(&mut self, store: &RedbStore, shard: u32) -> Result<(), String> {
        let mut commit = self.next_commit(shard);
        if self.below(2) == 0 {
            commit.range_id.0 -= 1;
        } else {
            commit.sequence += 1;
        }
        match store.commit(commit).await {
            CommitOutcome::Committed => Err(format!("shard {shard}: a commit that had to be refused was not")),
            CommitOutcome::OutcomeUnknown(what) => {
                Err(format!("shard {shard}: a commit that had to be refused has no outcome: {what}"))
            }
            _ => {
                self.tally.refused += 1;
                Ok(())
            }
        }
    }

    fn next_commit(&mut self, shard: u32) -> ShardCommit {
        let size = if self.below(20) == 0 { 30_000 } else { 200 };
        let size = usize::try_from(self.below(size)).unwrap();
        let fill = u8::try_from(self.below(256)).unwrap();
        let run = run_key(shard, self.below(RUNS_PER_SHARD));
        let model = &self.shards[&shard];
        let state = state_after(&model.log, model.log.len());
        let sequence = u64::try_from(model.log.len()).unwrap() + 1;
        let expected_version = state.runs.get(&run).map(|(version, ..)| *version);
        // One part comes, one goes, whether it was there or not.
        let part = |id: u64| PartKey { kind: 1, id: PartId::Number(i64::try_from(id).unwrap()) };
        let parts = vec![
            PartWrite { key: part(sequence), body: Some(Bytes::from(vec![fill; size / 4])) },
            PartWrite { key: part(sequence / 2), body: None },
        ];
        let parts = if sequence < 2 { Vec::new() } else { parts };
        let task =
            TaskKey { category: TaskCategory::Transfer, fire_time: Time(0), task_id: i64::try_from(sequence).unwrap() };
        ShardCommit {
            shard: ShardId(shard),
            range_id: model.range_id,
            sequence,
            time: Time(i64::try_from(sequence).unwrap()),
            current: Some(CurrentRunWrite {
                namespace_id: run.namespace_id.clone(),
                workflow_id: run.workflow_id.clone(),
                expected: state.current,
                run_id: run.run_id.clone(),
            }),
            runs: vec![RunWrite {
                expected_version,
                version: expected_version.unwrap_or_default() + 1,
                row: Bytes::from(vec![fill; size]),
                parts,
                key: run,
            }],
            history: vec![HistoryAppend {
                branch: branch(shard),
                node: i64::try_from(sequence).unwrap(),
                events: Bytes::from(vec![fill; size / 2]),
            }],
            tasks_added: vec![TaskRow { key: task, body: Bytes::from(vec![fill]) }],
            tasks_deleted: state.tasks.keys().next().filter(|_| state.tasks.len() > 3).copied().into_iter().collect(),
        }
    }

    /// What was recovered is what was acknowledged, and for the rest: all of a commit or nothing of it.
    async fn verify(&mut self, store: &RedbStore) -> Result<(), String> {
        let error = |error: StoreError| error.to_string();
        for (shard, model) in &mut self.shards {
            let record = store.shard(ShardId(*shard)).await.map_err(error)?.unwrap_or_default();
            let found = usize::try_from(record.sequence).unwrap();
            if record.range_id < model.range_id {
                return Err(format!("shard {shard}: range {} is lost, found {}", model.range_id, record.range_id));
            }
            if found > model.log.len() {
                return Err(format!("shard {shard}: sequence {found} was never asked for"));
            }
            for (index, asked) in model.log.iter().enumerate() {
                let (sequence, outcome) = (index + 1, asked.outcome.as_ref());
                match outcome {
                    Some(CommitOutcome::Committed) if sequence > found => {
                        return Err(format!(
                            "shard {shard}: commit {sequence} was acknowledged and is lost, at {found}"
                        ));
                    }
                    Some(CommitOutcome::Conflict(_) | CommitOutcome::Unavailable(_)) if sequence <= found => {
                        return Err(format!("shard {shard}: commit {sequence} was refused and is there: {outcome:?}"));
                    }
                    Some(CommitOutcome::OutcomeUnknown(_)) if sequence <= found => self.tally.unknown_kept += 1,
                    Some(CommitOutcome::OutcomeUnknown(_)) => self.tally.unknown_lost += 1,
                    _ => {}
                }
            }
            model.log.truncate(found);
            for asked in &mut model.log {
                asked.outcome = Some(CommitOutcome::Committed);
            }
            let expected = state_after(&model.log, found);
            let read = read_state(store, *shard).await.map_err(error)?;
            if read != expected {
                return Err(format!("shard {shard}: the state at sequence {found} is not what its commits wrote"));
            }
        }
        self.verify_backlog(store).await
    }

    async fn verify_backlog(&mut self, store: &RedbStore) -> Result<(), String> {
        let rows = store.backlog(&partition(), i64::MIN, ALL).await.map_err(|error| error.to_string())?;
        let found: BTreeSet<i64> = rows.iter().map(|row| row.task_id).collect();
        let model = &mut self.backlog;
        if let Some(lost) = model.present.iter().find(|task| !found.contains(task)) {
            return Err(format!("backlog task {lost} was acknowledged and is lost"));
        }
        if let Some(there) = model.absent.iter().find(|task| found.contains(task)) {
            return Err(format!("backlog task {there} was refused and is there"));
        }
        if let Some(torn) = found.iter().find(|task| !found.contains(&(*task ^ 1))) {
            return Err(format!("backlog task {torn} came without its twin"));
        }
        model.unknown.clear();
        model.present = found;
        Ok(())
    }
}

fn state_after(log: &[Asked], count: usize) -> ShardState {
    let mut state = ShardState::default();
    for Asked { commit, .. } in &log[..count] {
        for run in &commit.runs {
            let (_, _, mut parts) = state.runs.remove(&run.key).unwrap_or_default();
            for part in &run.parts {
                match &part.body {
                    Some(body) => drop(parts.insert(part.key.clone(), body.clone())),
                    None => drop(parts.remove(&part.key)),
                }
            }
            state.runs.insert(run.key.clone(), (run.version, run.row.clone(), parts));
        }
        state.current = commit.current.as_ref().map(|current| current.run_id.clone()).or(state.current);
        state.history.extend(commit.history.iter().map(|append| (append.node, append.events.clone())));
        state.tasks.extend(commit.tasks_added.iter().map(|row| (row.key, row.body.clone())));
        for task in &commit.tasks_deleted {
            state.tasks.remove(task);
        }
    }
    state
}

async fn read_state(store: &RedbStore, shard: u32) -> Result<ShardState, StoreError> {
    let RunKey { namespace_id, workflow_id, .. } = run_key(shard, 0);
    let runs = store.runs(None, ALL).await?.into_iter().filter(|(key, _)| key.workflow_id == workflow_id);
    let history = store.history(&branch(shard), 0, i64::MAX, ALL).await?;
    let task = |fire_time| TaskKey { category: TaskCategory::Transfer, fire_time: Time(fire_time), task_id: 0 };
    let tasks = store.tasks(ShardId(shard), task(i64::MIN), task(i64::MAX), ALL).await?;
    Ok(ShardState {
        runs: runs
            .map(|(key, run)| {
                let parts = run.parts.into_iter().map(|part| (part.key, part.body)).collect();
                (key, (run.version, run.row, parts))
            })
            .collect(),
        current: store.current_run(&namespace_id, &workflow_id).await?,
        history: history.into_iter().map(|node| (node.node, node.events)).collect(),
        tasks: tasks.into_iter().map(|row| (row.key, row.body)).collect(),
    })
}

fn run_key(shard: u32, run: u64) -> RunKey {
    RunKey { namespace_id: "ns".into(), workflow_id: format!("wf-{shard}").into(), run_id: format!("run-{run}").into() }
}

fn branch(shard: u32) -> BranchId {
    BranchId { tree: format!("tree-{shard}"), branch: "main".into() }
}

fn partition() -> PartitionKey {
    PartitionKey { namespace_id: "ns".into(), name: "queue".into(), queue_type: TaskQueueType::Workflow, partition: 0 }
}

/// Runs many seeds and adds up what they met.
#[allow(dead_code)] // not every test binary runs campaigns that hold
pub fn campaign(seeds: std::ops::Range<u64>, plan: FaultPlan) -> Tally {
    let mut sum = Tally::default();
    for seed in seeds {
        let tally = storm(seed, plan).unwrap_or_else(|what| panic!("{what}"));
        sum.recoveries += tally.recoveries;
        sum.cut_while_opening += tally.cut_while_opening;
        sum.committed += tally.committed;
        sum.refused += tally.refused;
        sum.unknown_kept += tally.unknown_kept;
        sum.unknown_lost += tally.unknown_lost;
        sum.failures += tally.failures;
        sum.sectors_lost += tally.sectors_lost;
    }
    println!("{sum:?}");
    sum
}
