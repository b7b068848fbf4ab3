//! A store in memory whose commits end as the test says.
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempest_core::{EventId, NamespaceId, RunId, RunKey, WorkflowId};
use tempest_store::*;
use tokio::sync::oneshot;

/// How a commit ends that is not simply applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not applied, and said so.
    Conflict,
    /// Refused before anything was done.
    Unavailable,
    /// The outcome is unknown, and it was not applied.
    UnknownLost,
    /// The outcome is unknown, but it was applied.
    UnknownApplied,
    /// Another node acquires the shard first.
    Stolen,
}

#[derive(Default)]
pub struct MemoryStore(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    shards: BTreeMap<ShardId, ShardRecord>,
    runs: BTreeMap<RunKey, RunRecord>,
    current: BTreeMap<(NamespaceId, WorkflowId), RunId>,
    history: BTreeMap<(BranchId, EventId), bytes::Bytes>,
    tasks: BTreeMap<(ShardId, TaskKey), bytes::Bytes>,
    /// Commits are held back.
    held: bool,
    queue: VecDeque<(ShardCommit, oneshot::Sender<CommitOutcome>)>,
    faults: VecDeque<Fault>,
    acquire_faults: VecDeque<StoreError>,
    /// How long it takes to acquire a shard.
    acquire_latency: Duration,
    /// Shards that are being acquired now, and the most that ever were at one time.
    acquiring: usize,
    acquiring_max: usize,
    read_delays: BTreeMap<WorkflowId, Duration>,
    /// So many reads of histories fail.
    history_faults: usize,
    /// Workflows whose runs do not decode.
    corrupt: BTreeSet<WorkflowId>,
    /// Workflows whose next read panics.
    panics: BTreeSet<WorkflowId>,
    /// Every commit that was applied, in order.
    applied: Vec<ShardCommit>,
    proofs: usize,
    storm: Option<Storm>,
}

/// Commits fail at random.
struct Storm {
    state: u64,
    one_in: u64,
}

impl Storm {
    fn draw(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn fault(&mut self) -> Option<Fault> {
        let faults = [Fault::Conflict, Fault::Unavailable, Fault::UnknownLost, Fault::UnknownApplied, Fault::Stolen];
        if self.draw(self.one_in) > 0 {
            return None;
        }
        let which = usize::try_from(self.draw(faults.len() as u64)).unwrap();
        Some(faults[which])
    }
}

impl MemoryStore {
    /// From now on commits wait for [`MemoryStore::release`].
    pub fn hold(&self) {
        self.0.lock().unwrap().held = true;
    }

    /// Ends what waits, with what `faults` say for the first of them.
    pub fn release(&self, faults: &[Fault]) {
        let mut inner = self.0.lock().unwrap();
        inner.held = false;
        inner.faults.extend(faults);
        inner.drain();
    }

    /// The next commits end like this.
    pub fn fail_next(&self, faults: &[Fault]) {
        self.0.lock().unwrap().faults.extend(faults);
    }

    pub fn fail_next_acquisitions(&self, errors: &[StoreError]) {
        self.0.lock().unwrap().acquire_faults.extend(errors.iter().cloned());
    }

    pub fn acquire_slowly(&self, latency: Duration) {
        self.0.lock().unwrap().acquire_latency = latency;
    }

    /// The most shards that were being acquired at one time.
    pub fn acquiring_max(&self) -> usize {
        self.0.lock().unwrap().acquiring_max
    }

    pub fn delay_reads(&self, workflow: &str, delay: Duration) {
        self.0.lock().unwrap().read_delays.insert(workflow.into(), delay);
    }

    /// The next reads of histories fail.
    pub fn fail_history_reads(&self, reads: usize) {
        self.0.lock().unwrap().history_faults = reads;
    }

    pub fn corrupt(&self, workflow: &str) {
        self.0.lock().unwrap().corrupt.insert(workflow.into());
    }

    /// The next read of its runs panics.
    pub fn panic_once(&self, workflow: &str) {
        self.0.lock().unwrap().panics.insert(workflow.into());
    }

    pub fn waiting(&self) -> usize {
        self.0.lock().unwrap().queue.len()
    }

    pub fn applied(&self) -> Vec<ShardCommit> {
        self.0.lock().unwrap().applied.clone()
    }

    pub fn proofs(&self) -> usize {
        self.0.lock().unwrap().proofs
    }

    pub fn tasks_left(&self) -> Vec<TaskKey> {
        self.0.lock().unwrap().tasks.keys().map(|(_, key)| *key).collect()
    }

    pub fn record(&self, shard: ShardId) -> ShardRecord {
        self.0.lock().unwrap().shards[&shard].clone()
    }

    /// From now on one commit in `one_in` fails in some way.
    pub fn storm(&self, seed: u64, one_in: u64) {
        self.0.lock().unwrap().storm = Some(Storm { state: seed, one_in });
    }

    pub fn heal(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.storm = None;
        inner.held = false;
        inner.drain();
    }

    /// Another node acquires the shard.
    pub fn steal(&self, shard: ShardId) {
        self.0.lock().unwrap().shards.get_mut(&shard).unwrap().range_id.0 += 1;
    }

    async fn delay(&self, workflow: &WorkflowId) {
        let delay = self.0.lock().unwrap().read_delays.get(workflow).copied();
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
    }
}

async fn delay_acquisition(inner: &Mutex<Inner>) {
    let latency = {
        let mut inner = inner.lock().unwrap();
        inner.acquiring += 1;
        inner.acquiring_max = inner.acquiring_max.max(inner.acquiring);
        inner.acquire_latency
    };
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    inner.lock().unwrap().acquiring -= 1;
}

impl Inner {
    fn acquire(&mut self, shard: ShardId, expected: RangeId, owner: String) -> Result<ShardRecord, StoreError> {
        let fault = self.acquire_faults.pop_front();
        let record = self.shards.entry(shard).or_default();
        if record.range_id != expected {
            return Err(StoreError::Conflict("not the range that was expected".into()));
        }
        if !matches!(fault, None | Some(StoreError::OutcomeUnknown(_))) {
            return Err(fault.unwrap());
        }
        record.range_id.0 += 1;
        record.owner = owner;
        fault.map_or(Ok(record.clone()), Err)
    }

    fn look_up(&mut self, request: ReadRequest) -> ReadAnswer {
        Ok(match request {
            ReadRequest::Shard(shard) => Found::Shard(self.shards.get(&shard).cloned()),
            ReadRequest::Ranges(shards) => {
                self.proofs += 1;
                Found::Ranges(shards.iter().map(|shard| self.shards[shard].range_id).collect())
            }
            ReadRequest::Run(key) => {
                if self.corrupt.contains(&key.workflow_id) {
                    return Err(StoreError::Corrupt("as a test wants it".into()));
                }
                Found::Run(self.runs.get(&key).cloned())
            }
            ReadRequest::CurrentRun { namespace, workflow } => {
                Found::CurrentRun(self.current.get(&(namespace, workflow)).cloned())
            }
            ReadRequest::History { .. } if self.history_faults > 0 => {
                self.history_faults -= 1;
                return Err(StoreError::Unavailable("as a test wants it".into()));
            }
            ReadRequest::History { branch, from, until, limit } => {
                let nodes = self.history.range((branch.clone(), from)..(branch, until)).take(limit);
                let node = |((_, node), events): (&(_, EventId), &bytes::Bytes)| HistoryNode {
                    node: *node,
                    events: events.clone(),
                };
                Found::History(nodes.map(node).collect())
            }
            ReadRequest::Tasks { shard, after, before, limit } => {
                let rows = self.tasks.range((shard, after)..(shard, before));
                let rows = rows.filter(|((_, key), _)| *key > after).take(limit);
                Found::Tasks(rows.map(|((_, key), body)| TaskRow { key: *key, body: body.clone() }).collect())
            }
            other => unimplemented!("history does not ask for this: {other:?}"),
        })
    }

    fn drain(&mut self) {
        while !self.held
            && let Some((commit, end)) = self.queue.pop_front()
        {
            let by_chance = self.storm.as_mut().and_then(Storm::fault);
            let outcome = match self.faults.pop_front().or(by_chance) {
                None => self.apply(commit),
                Some(Fault::Conflict) => CommitOutcome::Conflict("as the test says".into()),
                Some(Fault::Unavailable) => CommitOutcome::Unavailable("as the test says".into()),
                Some(Fault::UnknownLost) => CommitOutcome::OutcomeUnknown("as the test says".into()),
                Some(Fault::UnknownApplied) => {
                    // Unless it was behind one that failed.
                    let _ = self.apply(commit);
                    CommitOutcome::OutcomeUnknown("as the test says".into())
                }
                Some(Fault::Stolen) => {
                    self.shards.get_mut(&commit.shard).unwrap().range_id.0 += 1;
                    self.apply(commit)
                }
            };
            let _ = end.send(outcome);
        }
    }

    fn apply(&mut self, commit: ShardCommit) -> CommitOutcome {
        let shard = self.shards.get(&commit.shard).cloned().unwrap_or_default();
        if shard.range_id != commit.range_id {
            return CommitOutcome::OwnershipLost { current: shard.range_id };
        }
        if shard.sequence + 1 != commit.sequence {
            return CommitOutcome::Conflict(format!("sequence {} after {}", commit.sequence, shard.sequence));
        }
        assert!(commit.time >= shard.time, "shard time went back");
        for run in &commit.runs {
            let found = self.runs.get(&run.key).map(|run| run.version);
            assert_eq!(found, run.expected_version, "a single writer knows the version");
        }
        if let Some(current) = &commit.current {
            let key = (current.namespace_id.clone(), current.workflow_id.clone());
            assert_eq!(self.current.get(&key), current.expected.as_ref(), "a single writer knows the current run");
            self.current.insert(key, current.run_id.clone());
        }
        for run in &commit.runs {
            let parts = self.runs.remove(&run.key).map(|run| run.parts).unwrap_or_default();
            let parts = parts.into_iter().map(|part| (part.key, Some(part.body)));
            // The later word counts.
            let parts: BTreeMap<_, _> =
                parts.chain(run.parts.iter().map(|part| (part.key.clone(), part.body.clone()))).collect();
            let parts = parts.into_iter().filter_map(|(key, body)| Some(RunPart { key, body: body? })).collect();
            self.runs.insert(run.key.clone(), RunRecord { version: run.version, row: run.row.clone(), parts });
        }
        for append in &commit.history {
            let old = self.history.insert((append.branch.clone(), append.node), append.events.clone());
            assert!(old.is_none(), "a history node is written once");
        }
        for row in &commit.tasks_added {
            let old = self.tasks.insert((commit.shard, row.key), row.body.clone());
            assert!(old.is_none(), "a task id is used once");
        }
        for key in &commit.tasks_deleted {
            self.tasks.remove(&(commit.shard, *key));
        }
        let shard = ShardRecord { sequence: commit.sequence, time: commit.time, ..shard };
        self.shards.insert(commit.shard, shard);
        self.applied.push(commit);
        CommitOutcome::Committed
    }
}

impl Store for MemoryStore {
    fn write(&self, request: WriteRequest) -> WriteFuture {
        match request {
            WriteRequest::Commit(commit) => {
                let (end, ended) = oneshot::channel();
                let mut inner = self.0.lock().unwrap();
                inner.queue.push_back((commit, end));
                inner.drain();
                Box::pin(async move { ended.await.expect("a store in memory ends every commit").into() })
            }
            WriteRequest::AcquireShard { shard, expected, owner } => {
                let inner = self.0.clone();
                Box::pin(async move {
                    delay_acquisition(&inner).await;
                    inner.lock().unwrap().acquire(shard, expected, owner).map(Written::Shard)
                })
            }
            WriteRequest::Cluster(initial) => Box::pin(async { Ok(Written::Cluster(initial)) }),
            other => unimplemented!("history does not ask for this: {other:?}"),
        }
    }

    fn read(&self, request: ReadRequest) -> ReadFuture<'_> {
        Box::pin(async move {
            if let ReadRequest::Run(RunKey { workflow_id: workflow, .. }) | ReadRequest::CurrentRun { workflow, .. } =
                &request
            {
                self.delay(workflow).await;
            }
            if let ReadRequest::Run(key) = &request {
                let panics = self.0.lock().unwrap().panics.remove(&key.workflow_id);
                // Not under the lock, which the shard needs when it is acquired anew.
                assert!(!panics, "a bug, as a test wants it");
            }
            self.0.lock().unwrap().look_up(request)
        })
    }

    fn timeline(&self) -> tokio::sync::watch::Receiver<Timeline> {
        tokio::sync::watch::Sender::default().subscribe()
    }

    fn hear_of(&self, _: Timeline) {}
}

pub fn shared() -> Arc<MemoryStore> {
    Arc::default()
}
